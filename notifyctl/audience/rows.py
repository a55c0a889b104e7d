"""Rows to recipients: one pass that checks, normalises, deduplicates and gathers columns. What feeds it is a source.

A row is its line, its addresses and its values. This is the row-wise engine for a few thousand to some hundred thousand people;
a columnar one can stand behind the same port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec import Struct, field

from notifyctl.audience.addresses import Address, email, msisdn, plausible
from notifyctl.audience.opt_outs import OptOuts
from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName, Numbers
from notifyctl.model.recipients import RecipientBatch, RejectedRow, RowRejection, Suppression


class Row(NamedTuple):
    """One line of a source. `broken` says why it cannot be read; then nothing else in it counts."""

    line: int
    column: int
    msisdn: Sequence[str]
    email: Sequence[str]
    locale: str | None
    timezone: str | None
    correlation: str | None
    values: Sequence[str | None]
    """In the order of the source's variables."""
    broken: str | None = None


class Rules(Struct, frozen=True):
    """What decides about rows apart from their form."""

    opt_outs: OptOuts = OptOuts()
    fence: tuple[str, ...] | None = None
    numbers: Numbers = Numbers.FORM

    def suppression(self, key: str) -> str | None:
        """Why an address is not written to."""
        told = self.opt_outs.reason(key)
        if told is not None:
            return told
        if self.fence is not None and not any(fnmatchcase(key, pattern.lower()) for pattern in self.fence):
            return Suppression.FENCED.value
        return None


class Person(NamedTuple):
    """A recipient, as a row of the columns of a batch."""

    key: str
    destination: str
    line: int
    locale: str | None
    timezone: str | None
    correlation: str | None
    suppression: str | None
    values: Sequence[str | None]


class Gathering(Struct):
    """The batch that is being filled."""

    people: list[Person] = field(default_factory=list)
    excluded: list[RejectedRow] = field(default_factory=list)

    def batch(self, variables: Sequence[str]) -> RecipientBatch:
        if not self.people:
            return RecipientBatch([], [], [], [], [], [], [], dict.fromkeys(variables, ()), self.excluded)
        *columns, values = zip(*self.people, strict=True)
        by_name = dict(zip(variables, zip(*values, strict=True), strict=True))
        keys, destinations, lines, locales, timezones, correlations, suppressions = map(list, columns)
        return RecipientBatch(
            keys,
            destinations,
            lines,
            locales,
            timezones,
            correlations,
            suppressions,
            by_name,
            self.excluded,
        )


def compact(key: str) -> int | str:
    """A number as an integer: exact, and half the memory of its text when a million of them are remembered."""
    return int(key) if key.startswith("+") else key


def batches(
    rows: Iterable[Row], channel: ChannelName, *, file: str, variables: Sequence[str], rules: Rules, size: int
) -> Iterator[RecipientBatch]:
    """Recipients in the order of their rows; of several rows with one address the first counts. `file` is that of the rows."""
    reading = Reading(channel, file, rules)
    gathering = Gathering()
    for row in rows:
        reading.take(row, gathering)
        if len(gathering.people) >= size or len(gathering.excluded) >= size:
            yield gathering.batch(variables)
            gathering = Gathering()
    if gathering.people or gathering.excluded:
        yield gathering.batch(variables)


class Reading:
    """One pass over the rows of a source: who was met on which line."""

    def __init__(self, channel: ChannelName, file: str, rules: Rules) -> None:
        self.field = channel.address_field
        self.by_mail = channel is ChannelName.EMAIL
        self.file = file
        self.parse: Callable[[str], Address] = email if self.by_mail else msisdn
        self.checked = not self.by_mail and rules.numbers is not Numbers.FORM
        self.rules = rules
        self.judged = bool(rules.opt_outs) or rules.fence is not None
        self.first_line: dict[int | str, int] = {}

    def take(self, row: Row, into: Gathering) -> None:
        """Runs for every row of every audience."""
        line = row.line
        if row.broken is not None:
            self.exclude(RowRejection.BAD_ROW, row, row.broken, into)
            return
        written = row.email if self.by_mail else row.msisdn
        if not written:
            self.exclude(RowRejection.NO_ADDRESS, row, f"no {self.field}", into)
        for text in written:
            try:
                address = self.parse(text)
                if self.checked:
                    plausible(address, self.rules.numbers)
            except ValueError as error:
                self.exclude(RowRejection.BAD_ADDRESS, row, f"{self.field}: {error}", into)
                continue
            key, sent = address
            person = compact(key)
            first = self.first_line.get(person)
            if first is not None:
                detail = f"the same {self.field} as in line {first}; the first counts"
                self.exclude(RowRejection.DUPLICATE, row, detail, into)
                continue
            self.first_line[person] = line
            suppression = self.rules.suppression(key) if self.judged else None
            into.people.append(
                Person(key, sent, line, row.locale, row.timezone, row.correlation, suppression, row.values)
            )

    def exclude(self, reason: RowRejection, row: Row, detail: str, into: Gathering) -> None:
        into.excluded.append(RejectedRow(reason, Location(self.file, row.line, row.column), detail))
