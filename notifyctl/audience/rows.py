"""Rows to recipients: one pass that checks, normalises, deduplicates and gathers columns. What feeds it is a source.

A row is (location, cells by our names). This is the row-wise engine for a few thousand to some hundred thousand people;
a columnar one can stand behind the same port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from notifyctl.audience.addresses import Address, email, msisdn, plausible
from notifyctl.delivery import ExcludedRow, Exclusion, RecipientBatch, Suppression
from notifyctl.diagnostics import Location
from notifyctl.model import ChannelName, Numbers


class Row(NamedTuple):
    """One line of a source. `broken` says why it cannot be read; then nothing else in it counts."""

    location: Location
    addresses: Mapping[str, Sequence[str]]
    """By address field (msisdn, email); empty where the row has none."""
    locale: str | None
    timezone: str | None
    correlation: str | None
    values: Sequence[str | None]
    """In the order of the source's variables."""
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides about rows apart from their form."""

    suppressed: frozenset[str] = frozenset()
    fence: tuple[str, ...] | None = None
    numbers: Numbers = Numbers.FORM

    def suppression(self, key: str) -> Suppression | None:
        if key in self.suppressed:
            return Suppression.OPTED_OUT
        if self.fence is not None and not any(fnmatchcase(key, pattern.lower()) for pattern in self.fence):
            return Suppression.FENCED
        return None


@dataclass(slots=True)
class Gathering:
    """The columns of the batch that is being filled."""

    width: int
    addresses: list[str] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    locales: list[str | None] = field(default_factory=list)
    timezones: list[str | None] = field(default_factory=list)
    correlations: list[str | None] = field(default_factory=list)
    suppressions: list[Suppression | None] = field(default_factory=list)
    values: list[Sequence[str | None]] = field(default_factory=list)
    excluded: list[ExcludedRow] = field(default_factory=list)

    def add(self, row: Row, address: Address, suppression: Suppression | None) -> None:
        self.addresses.append(address.key)
        self.destinations.append(address.sent)
        self.lines.append(row.location.line)
        self.locales.append(row.locale)
        self.timezones.append(row.timezone)
        self.correlations.append(row.correlation)
        self.suppressions.append(suppression)
        self.values.append(row.values)

    def exclude(self, reason: Exclusion, location: Location, detail: str) -> None:
        self.excluded.append(ExcludedRow(reason, location, detail))

    def full(self, size: int) -> bool:
        return len(self.addresses) >= size or len(self.excluded) >= size

    def batch(self, variables: Sequence[str]) -> RecipientBatch:
        columns = list(zip(*self.values, strict=True)) or [()] * len(variables)
        return RecipientBatch(
            self.addresses,
            self.destinations,
            self.lines,
            self.locales,
            self.timezones,
            self.correlations,
            self.suppressions,
            dict(zip(variables, columns, strict=True)),
            self.excluded,
        )


def compact(key: str) -> int | str:
    """A number as an integer: exact, and half the memory of its text when a million of them are remembered."""
    return int(key) if key.startswith("+") else key


def batches(
    rows: Iterable[Row], channel: ChannelName, *, variables: Sequence[str], rules: Rules, size: int
) -> Iterator[RecipientBatch]:
    """Recipients in the order of their rows; of several rows with one address the first counts."""
    field_name = channel.address_field
    parse: Callable[[str], Address] = email if channel is ChannelName.EMAIL else msisdn
    first_line: dict[int | str, int] = {}
    gathering = Gathering(len(variables))
    for row in rows:
        if gathering.full(size):
            yield gathering.batch(variables)
            gathering = Gathering(len(variables))
        if row.broken is not None:
            gathering.exclude(Exclusion.BAD_ROW, row.location, row.broken)
            continue
        written = row.addresses.get(field_name, ())
        if not written:
            gathering.exclude(Exclusion.NO_ADDRESS, row.location, f"no {field_name}")
        for text in written:
            try:
                address = parse(text)
                if channel is not ChannelName.EMAIL:
                    plausible(address, rules.numbers)
            except ValueError as error:
                gathering.exclude(Exclusion.BAD_ADDRESS, row.location, f"{field_name}: {error}")
                continue
            person = compact(address.key)
            if person in first_line:
                detail = f"the same {field_name} as in line {first_line[person]}; the first counts"
                gathering.exclude(Exclusion.DUPLICATE, row.location, detail)
                continue
            first_line[person] = row.location.line
            gathering.add(row, address, rules.suppression(address.key))
    if gathering.addresses or gathering.excluded:
        yield gathering.batch(variables)
