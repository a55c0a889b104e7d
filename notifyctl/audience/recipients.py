"""Recipients from columns of rows: checked, normalised, deduplicated and suppressed, in one pass over each chunk.

Columns go through whole; only an odd value takes a function of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import compress
from typing import TypeVar

from msgspec import Struct

from notifyctl.audience.addresses import AddressColumn, parse_emails, parse_numbers
from notifyctl.audience.deduplication import FirstLines
from notifyctl.audience.email_spelling import pattern_to_ascii
from notifyctl.audience.former_addresses import FormerKeys, find_former_keys
from notifyctl.audience.numbering import find_numbers_outside_plans
from notifyctl.audience.suppressions import NOBODY, SuppressionIndex
from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName, Numbers
from notifyctl.model.recipients import RecipientBatch, RejectedRow, RowOrigin, RowRejection, Suppression

Column = Sequence[str | None]
T = TypeVar("T")
SPOKEN = {"msisdn": "number", "email": "address"}
"""Address field → what its values are called in messages."""


class Rows(Struct, frozen=True):
    """Rows of a source by what their columns mean, all of equal length. `broken`: position → why a row cannot be read;
    `flawed`: position → what is wrong with a column that is read, in the same words for each of its rows.
    """

    lines: Sequence[int]
    addresses: Column
    locales: Column
    timezones: Column
    correlations: Column
    values: Mapping[str, Column]
    regions: Column | None = None
    """Countries in which numbers without + are read; None: that of the audience for all."""
    broken: Mapping[int, str] = {}
    flawed: Mapping[int, str] = {}
    columns: Sequence[int] | None = None
    """The column of each row in its file; None: 1, as in a file of one row a line."""

    def location(self, origin: RowOrigin, position: int) -> Location:
        """Where a row is."""
        return origin.location(
            self.lines[position], self.columns[position] if self.columns is not None else 1
        )


class Rules(Struct, frozen=True):
    """What decides about a recipient, apart from the form of the address."""

    suppressed: SuppressionIndex = NOBODY
    fence: tuple[str, ...] | None = None
    fallback: SuppressionIndex = NOBODY
    """Whom an SMS in place of the message would not be sent to."""
    numbers: Numbers = Numbers.POSSIBLE
    region: str | None = None
    """The country in which a number without + is read, for rows without one of their own."""

    @property
    def suppress_any(self) -> bool:
        """Whether any address can be suppressed."""
        return bool(self.suppressed) or self.fence is not None

    def suppression(self, key: str) -> str | None:
        """Why a normalised address is not sent to."""
        return self.column([key])[0]

    def column(self, keys: Sequence[str]) -> list[str | None]:
        """The same for many addresses."""
        found = self.suppressed.column(keys)
        if self.fence is not None:
            patterns = [pattern_to_ascii(pattern).lower() for pattern in self.fence]
            for position, key in enumerate(keys):
                if found[position] is None and not any(fnmatchcase(key, pattern) for pattern in patterns):
                    found[position] = Suppression.FENCED.value
        return found


def read_recipients(
    chunks: Iterable[Rows], channel: ChannelName, *, origin: RowOrigin, rules: Rules
) -> Iterator[RecipientBatch]:
    """Recipients in the order of their rows; of several rows with one address the first counts."""
    reader = RecipientReader(channel, origin, rules)
    for rows in chunks:
        yield reader.read(rows)


class RecipientReader:
    """One pass over an audience: remembers which address was on which line."""

    def __init__(self, channel: ChannelName, origin: RowOrigin, rules: Rules) -> None:
        self._channel = channel
        self._field = channel.address_field
        self._origin = origin
        self._rules = rules
        self._check_numbers = channel is not ChannelName.EMAIL and rules.numbers is not Numbers.FORM
        self._first_lines = FirstLines()

    def read(self, rows: Rows) -> RecipientBatch:
        """The recipients of some rows, and the rows that are none."""
        rejected: dict[int, RejectedRow] = {}
        for position, why in rows.flawed.items():
            self._reject(rejected, rows, position, RowRejection.BAD_ROW, why, whole_column=True)
        for position, why in rows.broken.items():
            self._reject(rejected, rows, position, RowRejection.BAD_ROW, why)
        positions: Sequence[int] = range(len(rows.lines))
        addresses = rows.addresses
        if rejected or not all(addresses):
            positions = [at for at, address in enumerate(addresses) if address and at not in rejected]
            for position in sorted({*range(len(rows.lines))} - {*positions} - rejected.keys()):
                self._reject(
                    rejected,
                    rows,
                    position,
                    RowRejection.NO_ADDRESS,
                    f"no {SPOKEN[self._field]} (`{self._field}`)",
                )
            addresses = [addresses[position] for position in positions]
        parsed = self._parse(addresses, rows, positions)
        errors = {**parsed.errors, **self._number_errors(parsed.keys, parsed.errors)}
        for at, why in errors.items():
            detail = f"{self._field}: {why}"
            self._reject(rejected, rows, positions[at], RowRejection.BAD_ADDRESS, detail)
        former = list(find_former_keys(list(filter(None, addresses)), parsed.keys, errors, self._channel))
        positions, keys = without(positions, errors), without(parsed.keys, errors)
        repeated = self._first_lines.add(keys, [rows.lines[position] for position in positions])
        for at, line in repeated.items():
            detail = f"same {SPOKEN[self._field]} as in {self._origin.label(line)}; this row is skipped"
            self._reject(rejected, rows, positions[at], RowRejection.DUPLICATE, detail)
        sent = without(without(parsed.sent, errors), repeated)
        return self._batch(rows, without(keys, repeated), sent, rejected, parsed.readings, former)

    def _parse(self, addresses: Column, rows: Rows, positions: Sequence[int]) -> AddressColumn:
        """The addresses of the rows at some positions, each of which has one."""
        cells = list(filter(None, addresses))
        if self._channel is ChannelName.EMAIL:
            return parse_emails(cells)
        default = self._rules.region
        regions: Column = [default] * len(cells)
        if rows.regions is not None:
            regions = [rows.regions[position] or default for position in positions]
        return parse_numbers(cells, regions)

    def _number_errors(self, keys: Sequence[str], errors: Mapping[int, str]) -> dict[int, str]:
        """Numbers that are not in their country's numbering plan."""
        if not self._check_numbers:
            return {}
        found = find_numbers_outside_plans(keys, self._rules.numbers)
        return {position: why for position, why in found if position not in errors}

    def _reject(
        self,
        rejected: dict[int, RejectedRow],
        rows: Rows,
        position: int,
        reason: RowRejection,
        detail: str,
        *,
        whole_column: bool = False,
    ) -> None:
        place, row = rows.location(self._origin, position), rows.lines[position]
        if not whole_column:
            detail = self._origin.describe(row, detail)
        rejected[position] = RejectedRow(reason, place, detail, row, self._origin.label(row), whole_column)

    def _batch(
        self,
        rows: Rows,
        keys: Sequence[str],
        sent: Sequence[str],
        rejected: Mapping[int, RejectedRow],
        readings: Mapping[str, int],
        former: FormerKeys,
    ) -> RecipientBatch:
        suppressions: list[str | None] = [None] * len(keys)
        if self._rules.suppress_any:
            suppressions = self._rules.column(keys)
        fallbacks = self._rules.fallback.column(keys) if self._rules.fallback else []
        add_former_opt_outs(suppressions, self._rules.suppressed, keys, former)
        if fallbacks:
            add_former_opt_outs(fallbacks, self._rules.fallback, keys, former)
        return RecipientBatch(
            addresses=keys,
            destinations=sent,
            lines=without(rows.lines, rejected),
            locales=without(rows.locales, rejected),
            timezones=without(rows.timezones, rejected),
            correlations=without(rows.correlations, rejected),
            suppressions=suppressions,
            values={name: without(column, rejected) for name, column in rows.values.items()},
            excluded=[rejected[position] for position in sorted(rejected)],
            readings=readings,
            former_keys=former,
            fallbacks=fallbacks,
        )


def without(column: Sequence[T], positions: Mapping[int, object]) -> Sequence[T]:
    """A column without what is at some positions."""
    if not positions:
        return column
    keep = bytearray(b"\1") * len(column)
    for position in positions:
        keep[position] = 0
    return list(compress(column, keep))


def add_former_opt_outs(
    found: list[str | None], opt_outs: SuppressionIndex, keys: Sequence[str], former: FormerKeys
) -> None:
    """Sets the reason of recipients whose former key is on a list of hashes. Such lists were made of the keys of their time."""
    hashed = SuppressionIndex(hashed=opt_outs.hashed)
    if not hashed or not former:
        return
    places = {key: position for position, key in enumerate(keys)}
    for key, before in former:
        position = places.get(key)
        if position is not None and found[position] is None:
            found[position] = hashed.reason(before)
