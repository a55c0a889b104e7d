"""Checks a message for every recipient of its audience, streamed in constant memory.

The first rows of each problem are reported, the rest counted. A plan blocks recipients with a missing value, and values or texts
that are too long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from operator import itemgetter

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.audience.rejects import FlawedColumns
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.lint.audience_checks import AudienceChecker
from notifyctl.lint.gap_checks import find_in_rows, find_in_whole
from notifyctl.lint.recipient_checks import BatchScan, Finding, RecipientChecker
from notifyctl.lint.substituted_messages import SubstitutedMessages
from notifyctl.model.message import Message
from notifyctl.model.project import Environment, Notification
from notifyctl.model.recipients import RejectedRow, RowOrigin, RowRejection
from notifyctl.plurals import pluralise
from notifyctl.ports import AudienceReader
from notifyctl.recipients.gaps import GapFinder
from notifyctl.recipients.values import ValueTable, VariantIndex

SHOWN = 5
"""Rows reported for each rule and notification unless all are asked for."""

SEVERITIES = {
    "unresolved-variable": Severity.ERROR,
    "empty-variable": Severity.WARNING,
    "variable-too-long": Severity.ERROR,
    "text-too-long": Severity.ERROR,
    "needs-unicode": Severity.ERROR,
    "unknown-timezone": Severity.WARNING,
    "invalid-locale": Severity.WARNING,
    RowRejection.BAD_ADDRESS.value: Severity.WARNING,
    RowRejection.BAD_ROW.value: Severity.WARNING,
    RowRejection.NO_ADDRESS.value: Severity.INFO,
    RowRejection.DUPLICATE.value: Severity.WARNING,
}


class LongestText(Struct):
    """The first of the longest texts: its size, in words, and where its recipient is."""

    units: int = -1
    description: str = ""
    location: Location | None = None

    def update(
        self,
        checkers: Mapping[str | None, RecipientChecker],
        scans: Scans,
        location_of: Callable[[int], Location],
    ) -> None:
        """Compare with the scans of a batch."""
        candidates = [
            (-scan.units, scan.positions[scan.longest], scan.longest, variant)
            for variant, scan in scans.items()
            if scan.units >= 0
        ]
        if candidates:
            units, position, index, variant = min(candidates, key=itemgetter(0, 1))
            if -units > self.units:
                self.units, self.location = -units, location_of(position)
                self.description = checkers[variant].describe_size(scans[variant].values(index))


class FindingCounts(Struct):
    """Findings of one notification: the first of each rule are reported, the rest counted."""

    every: bool
    """Whether to report them all."""
    counts: Counter[str] = field(default_factory=Counter)
    last: dict[str, Location] = {}
    severities: dict[str, Severity] = {}

    def report(self, finding: Finding, location: Location) -> Iterator[Diagnostic]:
        """Count a finding, and report it if it is one of the first."""
        self.counts[finding.rule] += 1
        self.last[finding.rule] = location
        severity = finding.severity or SEVERITIES[finding.rule]
        self.severities[finding.rule] = severity
        if self.every or self.counts[finding.rule] <= SHOWN:
            yield Diagnostic(finding.rule, severity, finding.message, location, finding.hint)

    def finish(self) -> Iterator[Diagnostic]:
        """How many more there were of each rule."""
        for rule, count in self.counts.items() if not self.every else ():
            if count > SHOWN:
                list_all = command_line("lint", "--all", elsewhere=True)
                more = pluralise(count - SHOWN, "more row")
                message = f"{more} with this problem; to list them, run: {list_all}"
                yield Diagnostic(rule, self.severities[rule], message, self.last[rule])


def check_recipients(
    notification: Notification,
    messages: Mapping[str | None, Message],
    audience: AudienceReader,
    *,
    environment: Environment,
    locale: str,
    timezone: str,
    every: bool,
) -> Iterator[Diagnostic]:
    """`locale` and `timezone` are for recipients without one; `every` reports all rows."""
    declared, profile = notification.template.variables or (), environment.profile
    checkers = {
        variant: RecipientChecker(message, declared, profile=profile) for variant, message in messages.items()
    }
    filled = {variant: SubstitutedMessages(message, profile=profile) for variant, message in messages.items()}
    variants = VariantIndex(notification.template, locale)
    tally, longest, places = FindingCounts(every), LongestText(), Places.of(notification, audience)
    whole = AudienceChecker(
        notification, messages, audience.origin, variants, require_plus=environment.limits.require_plus
    )
    finder = GapFinder(notification, locale, timezone=timezone)
    columns, used_by = FlawedColumns(), describe_user(notification)
    names = {name for message in messages.values() for name in message.names}
    for batch in audience.batches(notification.channel, names):
        for row in batch.excluded:
            if row.whole_column:
                columns.add(row)
                continue
            yield from tally.report(rejected_row(row, inline=bool(places.columns)), row.location)
        finder.add(batch)
        for position, finding in find_in_rows(finder, batch):
            named = replace(finding, message=f"{finding.message} ({used_by})")
            yield from tally.report(*places.told(named, batch.lines[position]))
        for problem, line in whole.feed(batch):
            finding = Finding(problem.rule, problem.message, problem.hint, problem.severity)
            yield from tally.report(*places.told(finding, line))
        scans = {
            variant: checkers[variant].scan(batch, positions)
            for variant, positions in variants.group(batch.locales).items()
        }
        filled_in = find_filled(filled, scans)
        for position, finding in merge(find_problems(checkers, scans), filled_in, key=itemgetter(0)):
            named = replace(finding, message=f"{finding.message} ({used_by})")
            yield from tally.report(*places.told(named, batch.lines[position]))
        longest.update(checkers, scans, partial(places.at_position, batch.lines))
    yield from columns.diagnostics()
    yield from tally.finish()
    yield from whole.finish()
    yield from find_in_whole(finder, notification, recipients=whole.people, timezone=timezone, locale=locale)
    if not whole.people:
        yield empty_audience(notification)
    if longest.location is not None:
        message = f"longest text of `{notification.name}`: {longest.description}"
        yield Diagnostic("longest-text", Severity.INFO, message, longest.location)


def describe_user(notification: Notification) -> str:
    """The notification and template for which a value is wrong: its row does not show them."""
    named, template = f"notification `{notification.name}`", notification.template.name
    return named if template == notification.name else f"{named}, template `{template}`"


class Places(Struct, frozen=True):
    """Locations of the lines of an audience. In YAML an entry has a column too."""

    origin: RowOrigin
    columns: Mapping[int, int]

    @classmethod
    def of(cls, notification: Notification, audience: AudienceReader) -> Places:
        entries = notification.audience.recipients or ()
        return cls(audience.origin, {each.location.line: each.location.column for each in entries})

    def at(self, line: int) -> Location:
        """The location of a line."""
        return self.origin.location(line, self.columns.get(line, 1))

    def told(self, finding: Finding, line: int) -> tuple[Finding, Location]:
        """A finding about a line or row, with its location; it names the row where that does not."""
        return replace(finding, message=self.origin.describe(line, finding.message)), self.at(line)

    def at_position(self, lines: Sequence[int], position: int) -> Location:
        """The location of a recipient in a batch with these lines."""
        return self.at(lines[position])


Scans = Mapping[str | None, BatchScan]


def find_problems(
    checkers: Mapping[str | None, RecipientChecker], scans: Scans
) -> Iterator[tuple[int, Finding]]:
    """The problems of a batch's suspects by position, in the order of their rows."""
    suspects = [
        (scan.positions[index], index, variant) for variant, scan in scans.items() for index in scan.suspects
    ]
    for position, index, variant in sorted(suspects, key=itemgetter(0)):
        for finding in checkers[variant].check(scans[variant].values(index)):
            yield position, finding


def find_filled(
    filled: Mapping[str | None, SubstitutedMessages], scans: Scans
) -> Iterator[tuple[int, Finding]]:
    """The problems of finished texts by position, in the order of their rows."""
    found = [
        (scan.positions[index], problem)
        for variant, scan in scans.items()
        for index, problem in filled[variant].find(ValueTable(scan.columns, len(scan.positions)))
    ]
    for position, problem in sorted(found, key=itemgetter(0)):
        yield position, Finding(problem.rule, problem.message, problem.hint, problem.severity)


def empty_audience(notification: Notification) -> Diagnostic:
    field_name = notification.channel.address_field
    return Diagnostic(
        "empty-audience",
        Severity.ERROR,
        f"audience `{notification.audience.name}` has no recipients with an address for {notification.channel}",
        notification.positions.location("audience"),
        hint=f"addresses for {notification.channel} are read from column `{field_name}`; to use another column, set `columns`",
    )


def rejected_row(row: RejectedRow, *, inline: bool) -> Finding:
    """The finding for a rejected row: an error in a YAML file, where it was written by hand; less in a list."""
    wrong = inline and row.reason is RowRejection.BAD_ADDRESS
    return Finding(row.reason.value, row.detail, severity=Severity.ERROR if wrong else None)
