"""Recipients from columns of rows: checked, normalised, deduplicated and suppressed, in one pass over each chunk.

Columns go through whole; only an odd value takes a function of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import compress

from msgspec import Struct

from notifyctl.audience.addresses import parse_column
from notifyctl.audience.deduplication import FirstLines
from notifyctl.audience.suppressions import SuppressionIndex
from notifyctl.diagnostics import Location
from notifyctl.model.project import ChannelName, Numbers
from notifyctl.model.recipients import RecipientBatch, RejectedRow, RowRejection, Suppression

Column = Sequence[str | None]


class Rows(Struct, frozen=True):
    """Rows of a source by what their columns mean, all of equal length. `broken`: position → why a row cannot be read."""

    lines: Sequence[int]
    addresses: Column
    locales: Column
    timezones: Column
    correlations: Column
    values: Mapping[str, Column]
    broken: Mapping[int, str] = {}
    columns: Sequence[int] | None = None
    """The column of each row in its file; None: 1, as in a file of one row a line."""

    def location(self, file: str, position: int) -> Location:
        """Where a row is."""
        return Location(file, self.lines[position], self.columns[position] if self.columns is not None else 1)


class Rules(Struct, frozen=True):
    """What decides about a recipient, apart from the form of the address."""

    suppressed: SuppressionIndex = SuppressionIndex()
    fence: tuple[str, ...] | None = None
    numbers: Numbers = Numbers.FORM

    @property
    def suppress_any(self) -> bool:
        """Whether any address can be suppressed."""
        return bool(self.suppressed) or self.fence is not None

    def suppression(self, key: str) -> str | None:
        """Why a normalised address is not sent to."""
        reason = self.suppressed.reason(key)
        if reason is not None:
            return reason
        if self.fence is not None and not any(fnmatchcase(key, pattern.lower()) for pattern in self.fence):
            return Suppression.FENCED.value
        return None


def read_recipients(
    chunks: Iterable[Rows], channel: ChannelName, *, file: str, rules: Rules
) -> Iterator[RecipientBatch]:
    """Recipients in the order of their rows; of several rows with one address the first counts. `file` contains the rows."""
    reader = RecipientReader(channel, file, rules)
    for rows in chunks:
        yield reader.read(rows)


class RecipientReader:
    """One pass over an audience: remembers which address was on which line."""

    def __init__(self, channel: ChannelName, file: str, rules: Rules) -> None:
        self._channel = channel
        self._field = channel.address_field
        self._file = file
        self._rules = rules
        self._check_numbers = channel is not ChannelName.EMAIL and rules.numbers is not Numbers.FORM
        self._first_lines = FirstLines()

    def read(self, rows: Rows) -> RecipientBatch:
        """The recipients of some rows, and the rows that are none."""
        rejected: dict[int, RejectedRow] = {
            position: RejectedRow(RowRejection.BAD_ROW, rows.location(self._file, position), why)
            for position, why in rows.broken.items()
        }
        positions: Sequence[int] = range(len(rows.lines))
        if not all(rows.addresses):
            positions = [position for position, address in enumerate(rows.addresses) if address]
            for position in sorted({*range(len(rows.lines))} - {*positions} - rows.broken.keys()):
                self._reject(rejected, rows, position, RowRejection.NO_ADDRESS, f"no {self._field}")
        parsed = parse_column([rows.addresses[position] or "" for position in positions], self._channel)
        errors = {**parsed.errors, **self._number_errors(parsed.keys, parsed.errors)}
        for at, why in errors.items():
            detail = f"{self._field}: {why}"
            self._reject(rejected, rows, positions[at], RowRejection.BAD_ADDRESS, detail)
        valid: Sequence[int] = range(len(positions))
        if errors:
            valid = [at for at in valid if at not in errors]
        repeated = self._first_lines.add(
            [parsed.keys[at] for at in valid], [rows.lines[positions[at]] for at in valid]
        )
        for at, line in repeated.items():
            detail = f"the same {self._field} as in line {line}; the first counts"
            self._reject(rejected, rows, positions[valid[at]], RowRejection.DUPLICATE, detail)
        if repeated:
            valid = [each for at, each in enumerate(valid) if at not in repeated]
        keys = [parsed.keys[at] for at in valid]
        return self._batch(
            rows, [positions[at] for at in valid], keys, [parsed.sent[at] for at in valid], rejected
        )

    def _number_errors(self, keys: Sequence[str], errors: Mapping[int, str]) -> dict[int, str]:
        """Numbers that are not in their country's numbering plan."""
        found: dict[int, str] = {}
        if self._check_numbers:
            from notifyctl.audience.numbering import check_number

            for at, key in enumerate(keys):
                if at not in errors:
                    try:
                        check_number(key, self._rules.numbers)
                    except ValueError as error:
                        found[at] = str(error)
        return found

    def _reject(
        self, rejected: dict[int, RejectedRow], rows: Rows, position: int, reason: RowRejection, detail: str
    ) -> None:
        rejected[position] = RejectedRow(reason, rows.location(self._file, position), detail)

    def _batch(
        self,
        rows: Rows,
        positions: Sequence[int],
        keys: Sequence[str],
        sent: Sequence[str],
        rejected: Mapping[int, RejectedRow],
    ) -> RecipientBatch:
        every = len(positions) == len(rows.lines)
        kept = frozenset(positions)
        keep = [] if every else [position in kept for position in range(len(rows.lines))]

        def selected(column: Column) -> Column:
            return column if every else list(compress(column, keep))

        suppressions: Column = [None] * len(keys)
        if self._rules.suppress_any:
            suppressions = list(map(self._rules.suppression, keys))
        return RecipientBatch(
            addresses=keys,
            destinations=sent,
            lines=[rows.lines[position] for position in positions],
            locales=selected(rows.locales),
            timezones=selected(rows.timezones),
            correlations=selected(rows.correlations),
            suppressions=suppressions,
            values={name: selected(column) for name, column in rows.values.items()},
            excluded=[rejected[position] for position in sorted(rejected)],
        )
