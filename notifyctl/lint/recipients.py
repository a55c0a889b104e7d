"""Every recipient: what each person's own values make of a message. Streamed, in constant memory; the first rows of each
problem are told, the rest is counted.

A plan blocks the people found here one by one; lint tells of them before there is a plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from notifyctl.channels import text_limit
from notifyctl.channels.segments import offender, segment
from notifyctl.delivery import ExcludedRow, Exclusion, Message
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.lint.crowd import Crowd
from notifyctl.message import Filler, own_values, resolve, variant_for
from notifyctl.model import ChannelName, Environment, Notification, Variable
from notifyctl.ports import AudienceReader

SHOWN = 5
"""Rows told for each rule and notification unless all are asked for."""

SEVERITIES = {
    "unresolved-variable": Severity.ERROR,
    "empty-variable": Severity.WARNING,
    "variable-too-long": Severity.ERROR,
    "text-too-long": Severity.ERROR,
    "needs-unicode": Severity.ERROR,
    Exclusion.BAD_ADDRESS.value: Severity.WARNING,
    Exclusion.BAD_ROW.value: Severity.WARNING,
    Exclusion.NO_ADDRESS.value: Severity.INFO,
    Exclusion.DUPLICATE.value: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    message: str
    hint: str | None = None
    severity: Severity | None = None
    """None: as the rule's page says."""


@dataclass(slots=True)
class Worst:
    """The longest text that anybody reads."""

    units: int = -1
    said: str = ""
    place: Location | None = None


@dataclass(slots=True)
class Tally:
    """What was found for one notification: rows to tell, and how many there are of each rule."""

    every: bool
    counts: Counter[str] = field(default_factory=Counter)
    last: dict[str, Location] = field(default_factory=dict)
    gravest: dict[str, Severity] = field(default_factory=dict)

    def tell(self, finding: Finding, place: Location) -> Iterator[Diagnostic]:
        self.counts[finding.rule] += 1
        self.last[finding.rule] = place
        severity = finding.severity or SEVERITIES[finding.rule]
        self.gravest[finding.rule] = severity
        if self.every or self.counts[finding.rule] <= SHOWN:
            yield Diagnostic(finding.rule, severity, finding.message, place, finding.hint)

    def rest(self) -> Iterator[Diagnostic]:
        for rule, count in self.counts.items() if not self.every else ():
            if count > SHOWN:
                message = f"{count - SHOWN:,} more rows like these; `lint --all` lists them"
                yield Diagnostic(rule, self.gravest[rule], message, self.last[rule])


class Looker:
    """One message, ready to be looked at for each of its readers."""

    def __init__(self, message: Message, declared: Sequence[Variable], *, profile: str) -> None:
        content = message.content or {}
        self.message = message
        self.filler = Filler(message)
        self.declared = {variable.name: variable for variable in declared}
        self.speaks = isinstance(content.get("text"), str) and message.channel is not ChannelName.EMAIL
        self.limit = text_limit(message.channel, str(content.get("type")), profile) if self.speaks else None
        self.narrow = message.channel is ChannelName.SMS and content.get("type") == "text"
        self.fixed = offender(str(content["text"])) if self.narrow and self.speaks else None

    def look(self, values: Sequence[str | None]) -> Iterator[Finding]:
        for name, value in zip(self.message.names, values, strict=True):
            yield from self.variable(name, value)
        if not self.speaks or None in values:
            return
        text = self.filler.text("text", [value or "" for value in values])
        if self.limit is not None and len(text) > self.limit:
            yield Finding(
                "text-too-long", f"the text has {len(text):,} characters; the API takes {self.limit:,}"
            )
        if self.narrow and self.fixed is None and (wide := offender(text)) is not None:
            yield Finding("needs-unicode", *self.wide(wide, values))

    def variable(self, name: str, value: str | None) -> Iterator[Finding]:
        declared = self.declared.get(name)
        if value is None:
            yield Finding(
                "unresolved-variable",
                f"nothing gives $({name}) a value",
                f"fill the cell, or give {name!r} a default",
            )
        elif not value.strip() and (declared is None or declared.required):
            yield Finding("empty-variable", f"$({name}) is empty", "fill it, or declare it `required: false`")
        elif declared is not None and declared.max_length is not None and len(value) > declared.max_length:
            yield Finding(
                "variable-too-long",
                f"$({name}) has {len(value)} characters; `maxLength` is {declared.max_length}",
            )

    def wide(self, character: str, values: Sequence[str | None]) -> tuple[str, str]:
        names = [n for n, v in zip(self.message.names, values, strict=True) if v and character in v]
        said = f"{character!r} (U+{ord(character):04X})" + (f" in $({names[0]})" if names else "")
        return (
            f"{said} is not in GSM-7, and the content is `type: text`",
            "write `type: unicode`, or another character",
        )

    def cost(self, values: Sequence[str | None]) -> tuple[int, str]:
        """How long the text is and in which words to say it: units and segments for SMS, characters elsewhere."""
        text = self.filler.text("text", [value or "" for value in values])
        if self.message.channel is ChannelName.SMS:
            counted = segment(text)
            return counted.units, f"{counted.units} {counted.encoding} units in {plural(counted.segments)}"
        return len(text), f"{len(text):,} characters"


def plural(segments: int) -> str:
    return f"{segments} segment{'' if segments == 1 else 's'}"


def check_recipients(
    notification: Notification,
    messages: Mapping[str | None, Message],
    audience: AudienceReader,
    *,
    environment: Environment,
    locale: str,
    every: bool,
) -> Iterator[Diagnostic]:
    """`locale` is for recipients that name none; `every`: tell all rows."""
    declared = notification.template.variables or ()
    profile = environment.profile
    lookers = {variant: Looker(message, declared, profile=profile) for variant, message in messages.items()}
    tally, worst = Tally(every), Worst()
    plus = environment.limits.require_plus
    crowd = Crowd(notification, messages, audience.file, locale, require_plus=plus)
    inline = notification.audience.recipients is not None
    columns = {each.location.line: each.location.column for each in notification.audience.recipients or ()}
    for batch in audience.batches(notification.channel):
        for row in batch.excluded:
            yield from tally.tell(excluded(row, inline=inline), row.location)
        for problem, place in crowd.see(batch):
            finding = Finding(problem.rule, problem.message, problem.hint, problem.severity)
            yield from tally.tell(finding, replace(place, column=columns.get(place.line, 1)))
        own = {variant: list(own_values(message, batch)) for variant, message in messages.items()}
        for position, named in enumerate(batch.locales):
            variant = variant_for(notification.template, named or locale)
            looker = lookers[variant]
            values = resolve(looker.message, own[variant][position])
            line = batch.lines[position]
            place = Location(audience.file, line, columns.get(line, 1))
            for finding in looker.look(values):
                yield from tally.tell(finding, place)
            measure(worst, looker, values, place)
    yield from tally.rest()
    yield from crowd.rest()
    if not crowd.people:
        yield nobody(notification)
    if worst.place is not None:
        yield Diagnostic(
            "longest-text",
            Severity.INFO,
            f"the longest text of {notification.name!r}: {worst.said}",
            worst.place,
        )


def nobody(notification: Notification) -> Diagnostic:
    field_name = notification.channel.address_field
    return Diagnostic(
        "empty-audience",
        Severity.ERROR,
        f"the audience {notification.audience.name!r} has nobody with an address for {notification.channel}",
        notification.marks.at("audience"),
        hint=f"an address for it stands in the column {field_name!r}; `columns` maps it to another name",
    )


def measure(worst: Worst, looker: Looker, values: Sequence[str | None], place: Location) -> None:
    if looker.speaks:
        units, said = looker.cost(values)
        if units > worst.units:
            worst.units, worst.said, worst.place = units, said, place


def excluded(row: ExcludedRow, *, inline: bool) -> Finding:
    """What somebody wrote in YAML is an error; a row of a list is left out, and the others are sent to."""
    wrong = inline and row.reason is Exclusion.BAD_ADDRESS
    return Finding(row.reason.value, row.detail, severity=Severity.ERROR if wrong else None)
