"""Checks of a whole audience: correlation ids, encodings, copies and carriers. Fed batch by batch, in constant memory."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.audience.addresses import find_without_plus
from notifyctl.channels import segments
from notifyctl.channels.limits import MAX_CORRELATION_BYTES
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Problem, Severity
from notifyctl.message import locate_text, position_finder
from notifyctl.model.message import Message
from notifyctl.model.project import ChannelName, Notification
from notifyctl.model.recipients import WITHOUT_PLUS, RecipientBatch, RowOrigin
from notifyctl.recipients.texts import TextMeter
from notifyctl.recipients.values import ValueTable, VariantIndex, resolve_columns
from notifyctl.rulebook import email, envelope, sms, substitutions

INDIA = "91"
REMEMBERED = 10_000
"""Correlation ids that are kept to find repeats."""


class AudienceChecker(Struct):
    """Checks every batch of one audience on one channel. `feed` reports rows, `finish` what only the whole shows."""

    notification: Notification
    messages: Mapping[str | None, Message]
    origin: RowOrigin
    variants: VariantIndex
    require_plus: bool
    wide: set[str | None] = field(default_factory=set)
    """Variants with a recipient whose text needs Unicode."""
    read: set[str | None] = field(default_factory=set)
    """Variants with a recipient."""
    known: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Correlation id → the first line with it."""
    dearer: Counter[str | None] = field(default_factory=Counter)
    """Variant → recipients for whom the last line break takes one more segment."""
    people: int = 0
    indian: bool = False
    without_plus: int = 0
    """Numbers without + that were read as international."""

    def feed(self, batch: RecipientBatch) -> Iterator[tuple[Problem, int]]:
        """The problems of single rows, each with its line or row."""
        self.people += len(batch)
        self.without_plus += batch.readings.get(WITHOUT_PLUS, 0)
        if self.notification.channel is not ChannelName.EMAIL:
            self.indian = self.indian or any(
                sent.lstrip("+").startswith(INDIA) for sent in batch.destinations
            )
            if self.require_plus:
                yield from self._without_plus(batch)
        yield from self._correlation_ids(batch)
        self._encodings(batch)
        self._line_ends(batch)

    def _without_plus(self, batch: RecipientBatch) -> Iterator[tuple[Problem, int]]:
        for position in find_without_plus(batch.destinations):
            message = "number without +; this account requires it"
            yield (
                envelope.PLUS.broken((), message, "start it with + and the country code, for example +44"),
                batch.lines[position],
            )

    def _correlation_ids(self, batch: RecipientBatch) -> Iterator[tuple[Problem, int]]:
        seen = self.known
        for line, given in zip(batch.lines, batch.correlations, strict=True):
            if given is None:
                continue
            if len(seen) > REMEMBERED:
                seen.popitem(last=False)
            if seen.setdefault(given, line) != line:
                message = (
                    f"duplicate correlation ID {given!r}, first used in {self.origin.label(seen[given])}"
                )
                yield (
                    envelope.CORRELATION_TWICE.broken((), message, "use a different one for each entry"),
                    line,
                )
            size = len(given.encode())
            if size > MAX_CORRELATION_BYTES:
                message = (
                    f"correlation ID has {size} bytes; more than {MAX_CORRELATION_BYTES} may be truncated"
                )
                yield envelope.CORRELATION_LONG.broken((), message, "shorten it"), line

    def _encodings(self, batch: RecipientBatch) -> None:
        """Note which variants of `type: unicode` have a recipient who needs it; a variant is done once one is found."""
        rows = self.variants.group(batch.locales)
        self.read.update(rows)
        for variant, positions in rows.items():
            message = self.messages[variant]
            if is_unicode(message) and variant not in self.wide and needs_unicode(message, batch, positions):
                self.wide.add(variant)

    def _line_ends(self, batch: RecipientBatch) -> None:
        """Count those for whom the last line break of a variant takes one more segment."""
        for variant, positions in self.variants.group(batch.locales).items():
            message = self.messages[variant]
            if message.channel is ChannelName.SMS and ends_with_line_break(message):
                self.dearer[variant] += count_dearer(message, batch, positions)

    def finish(self) -> Iterator[Diagnostic]:
        """The problems that show once every batch was fed."""
        for variant, people in self.dearer.items():
            if people:
                problem = f"the text ends with a line break, which costs {people:,} more segment{'' if people == 1 else 's'}"
                yield self._line_break(variant, problem)
        for variant in sorted(self.read - self.wide, key=str):
            if is_unicode(self.messages[variant]):
                path = ("content", "type")
                problem = "all texts fit GSM-7; `type: unicode` can cost up to twice as much"
                place = position_finder(self.notification, variant)(path)
                yield sms.NEEDLESS_UNICODE.broken(path, problem, "use `type: text`").at(place)
        yield from self._carrier_registration()
        yield from self._numbers_without_region()
        if self.people > 1 and (self.notification.cc or self.notification.bcc):
            key = "cc" if self.notification.cc else "bcc"
            problem = f"`{key}` is sent a copy of each of {self.people:,} emails"
            render = command_line("render", self.notification.name, elsewhere=True)
            hint = f"remove it. To see the messages instead, run: {render}"
            yield email.COPIES_FOR_ALL.broken((key,), problem, hint).at(self.notification.positions)

    def _line_break(self, variant: str | None, problem: str) -> Diagnostic:
        path = ("content", "text")
        place = locate_text(self.notification, variant, path)
        return Diagnostic(
            "trailing-line-break", Severity.WARNING, problem, place, "start the text with |- to leave it out"
        )

    def _numbers_without_region(self) -> Iterator[Diagnostic]:
        audience = self.notification.audience
        if audience.region is None and self.without_plus * 2 > self.people:
            problem = (
                f"most numbers ({self.without_plus:,} of {self.people:,}) have no + and are read as international:"
                " a national number can be a valid number of another country"
            )
            hint = "set `region`, for example `region: GB`, in the audience or in `defaults`, or start each number with +"
            path = ("numbers",) if audience.positions.has("numbers") else ()
            yield Diagnostic(
                "numbers-without-region", Severity.WARNING, problem, audience.positions.location(*path), hint
            )

    def _carrier_registration(self) -> Iterator[Diagnostic]:
        if self.notification.channel is not ChannelName.SMS or not self.indian:
            return
        if all("dlt_templateid" in message.options.get("extras", {}) for message in self.messages.values()):
            return
        problem = "the audience has recipients in India (+91), but no template is registered with the carriers there"
        hint = 'add `options: {extras: {dlt_templateid: "…"}}`'
        yield sms.DLT.broken(("audience",), problem, hint).at(self.notification.positions)


def is_unicode(message: Message) -> bool:
    """Whether it is an SMS of `type: unicode` with a text that we know."""
    content = message.content or {}
    return message.channel is ChannelName.SMS and segments.is_unicode(content) and "text" in content


def needs_unicode(message: Message, batch: RecipientBatch, positions: Sequence[int]) -> bool:
    """Whether the text of any of these recipients has a character outside GSM-7."""
    meter = TextMeter(message)
    values = ValueTable(resolve_columns(message, batch.values, positions), len(positions))
    return not meter.fits_gsm7 or any(True for _ in meter.find_non_gsm7(values))


def ends_with_line_break(message: Message) -> bool:
    return str((message.content or {}).get("text", "")).endswith("\n")


def count_dearer(message: Message, batch: RecipientBatch, positions: Sequence[int]) -> int:
    """How many of these recipients' texts take fewer segments without the last line break."""
    content = {**(message.content or {})}
    shorter = replace(message, content={**content, "text": str(content["text"])[:-1]})
    values = ValueTable(resolve_columns(message, batch.values, positions), len(positions))
    with_it, without = (
        meter.count_segments(values, meter.lengths(values)).segments
        for meter in (TextMeter(message), TextMeter(shorter))
    )
    return sum(more > fewer for more, fewer in zip(with_it, without, strict=True))


def shared_values(notification: Notification) -> Iterator[Diagnostic]:
    """Entries of an inline audience whose addresses share the values of one recipient."""
    for recipient in notification.audience.recipients or ():
        addresses = recipient.email if notification.channel is ChannelName.EMAIL else recipient.msisdn
        if len(addresses) > 1 and recipient.substitutions:
            problem = f"{len(addresses)} addresses share the same values: {', '.join(sorted(recipient.substitutions))}"
            yield Diagnostic(
                substitutions.SHARED.id,
                substitutions.SHARED.severity,
                problem,
                recipient.location,
                "write one entry for each, unless they belong together",
            )
