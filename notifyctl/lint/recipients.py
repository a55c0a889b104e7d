"""Every recipient: what each person's own values make of a message. Streamed, in constant memory; the first rows of each
problem are told, the rest is counted.

A plan blocks the people found here one by one; lint tells of them before there is a plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter

from msgspec import Struct, field

from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.lint.crowd import Crowd
from notifyctl.lint.looker import Finding, Glance, Looker, glance
from notifyctl.message import variant_for
from notifyctl.model.message import Message
from notifyctl.model.project import Environment, Notification
from notifyctl.model.recipients import RecipientBatch, RejectedRow, RowRejection
from notifyctl.ports import AudienceReader

SHOWN = 5
"""Rows told for each rule and notification unless all are asked for."""

SEVERITIES = {
    "unresolved-variable": Severity.ERROR,
    "empty-variable": Severity.WARNING,
    "variable-too-long": Severity.ERROR,
    "text-too-long": Severity.ERROR,
    "needs-unicode": Severity.ERROR,
    RowRejection.BAD_ADDRESS.value: Severity.WARNING,
    RowRejection.BAD_ROW.value: Severity.WARNING,
    RowRejection.NO_ADDRESS.value: Severity.INFO,
    RowRejection.DUPLICATE.value: Severity.WARNING,
}


class Worst(Struct):
    """The longest text that anybody reads."""

    units: int = -1
    said: str = ""
    place: Location | None = None


class Tally(Struct):
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


def by_variant(
    notification: Notification, batch: RecipientBatch, locale: str
) -> Mapping[str | None, Sequence[int]]:
    """Which variant each position of a batch reads."""
    template = notification.template
    if not template.locales:
        return {None: range(len(batch))} if len(batch) else {}
    variants = {named: variant_for(template, named or locale) for named in set(batch.locales)}
    found: dict[str | None, list[int]] = {}
    for position, named in enumerate(batch.locales):
        found.setdefault(variants[named], []).append(position)
    return found


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
    declared, profile = notification.template.variables or (), environment.profile
    lookers = {variant: Looker(message, declared, profile=profile) for variant, message in messages.items()}
    tally, worst, places = Tally(every), Worst(), Places.of(notification, audience)
    plus = environment.limits.require_plus
    crowd = Crowd(notification, messages, audience.file, locale, require_plus=plus)
    for batch in audience.batches(notification.channel):
        for row in batch.excluded:
            yield from tally.tell(excluded(row, inline=bool(places.columns)), row.location)
        for problem, place in crowd.see(batch):
            finding = Finding(problem.rule, problem.message, problem.hint, problem.severity)
            yield from tally.tell(finding, places.at(place.line))
        glances = {
            variant: glance(lookers[variant], batch, positions)
            for variant, positions in by_variant(notification, batch, locale).items()
        }
        for position, finding in findings(lookers, glances):
            yield from tally.tell(finding, places.at(batch.lines[position]))
        measure(worst, lookers, glances, partial(places.of_position, batch))
    yield from tally.rest()
    yield from crowd.rest()
    if not crowd.people:
        yield nobody(notification)
    if worst.place is not None:
        said = f"the longest text of {notification.name!r}: {worst.said}"
        yield Diagnostic("longest-text", Severity.INFO, said, worst.place)


class Places(Struct, frozen=True):
    """Where a line of an audience is. In YAML an entry has a column too."""

    file: str
    columns: Mapping[int, int]

    @classmethod
    def of(cls, notification: Notification, audience: AudienceReader) -> Places:
        entries = notification.audience.recipients or ()
        return cls(audience.file, {each.location.line: each.location.column for each in entries})

    def at(self, line: int) -> Location:
        return Location(self.file, line, self.columns.get(line, 1))

    def of_position(self, batch: RecipientBatch, position: int) -> Location:
        return self.at(batch.lines[position])


Glances = Mapping[str | None, Glance]


def findings(lookers: Mapping[str | None, Looker], glances: Glances) -> Iterator[tuple[int, Finding]]:
    """What is wrong with whom, in the order of their rows."""
    odd = [(position, variant) for variant, seen in glances.items() for position in seen.odd]
    for position, variant in sorted(odd, key=itemgetter(0)):
        for finding in lookers[variant].look(glances[variant].values(position)):
            yield position, finding


def measure(
    worst: Worst,
    lookers: Mapping[str | None, Looker],
    glances: Glances,
    place_of: Callable[[int], Location],
) -> None:
    """Keeps the first of the longest texts."""
    longest = [(-seen.units, seen.longest, variant) for variant, seen in glances.items() if seen.units >= 0]
    if longest:
        units, position, variant = min(longest, key=itemgetter(0, 1))
        if -units > worst.units:
            _, said = lookers[variant].cost(glances[variant].values(position))
            worst.units, worst.said, worst.place = -units, said, place_of(position)


def nobody(notification: Notification) -> Diagnostic:
    field_name = notification.channel.address_field
    return Diagnostic(
        "empty-audience",
        Severity.ERROR,
        f"the audience {notification.audience.name!r} has nobody with an address for {notification.channel}",
        notification.marks.location("audience"),
        hint=f"an address for it stands in the column {field_name!r}; `columns` maps it to another name",
    )


def excluded(row: RejectedRow, *, inline: bool) -> Finding:
    """What somebody wrote in YAML is an error; a row of a list is left out, and the others are sent to."""
    wrong = inline and row.reason is RowRejection.BAD_ADDRESS
    return Finding(row.reason.value, row.detail, severity=Severity.ERROR if wrong else None)
