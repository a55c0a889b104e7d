"""Rejected rows of an audience: all are counted, and the first few of each reason are kept for display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.recipients import RejectedRow, RowRejection

LISTED_ROWS = 20
"""Rows listed per notification and reason; the others are only counted."""

SEVERITIES = {
    RowRejection.BAD_ADDRESS: Severity.WARNING,
    RowRejection.BAD_ROW: Severity.WARNING,
    RowRejection.NO_ADDRESS: Severity.INFO,
    RowRejection.DUPLICATE: Severity.INFO,
}


class FlawedColumns:
    """What is wrong with columns that a message reads: one sentence for each fault, with the number of its rows."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._first: dict[str, RejectedRow] = {}

    def add(self, row: RejectedRow) -> None:
        self._counts[row.detail] += 1
        self._first.setdefault(row.detail, row)

    def diagnostics(self) -> Iterator[Diagnostic]:
        for detail, row in self._first.items():
            count = self._counts[detail]
            rows = f"{count:,} rows, the first in {row.label}" if count > 1 else f"1 row, {row.label}"
            yield Diagnostic(row.reason.value, SEVERITIES[row.reason], f"{detail}: {rows}", row.location)


class Rejects:
    """The rejected rows of one audience on one channel, in constant memory."""

    def __init__(self) -> None:
        self.columns = FlawedColumns()
        self.counts: Counter[RowRejection] = Counter()
        self.listable: Counter[RowRejection] = Counter()
        """Rows with a sentence of their own."""
        self.first: dict[RowRejection, list[RejectedRow]] = {}
        self.last: dict[RowRejection, RejectedRow] = {}

    def add(self, row: RejectedRow) -> None:
        self.counts[row.reason] += 1
        if row.whole_column:
            self.columns.add(row)
            return
        self.listable[row.reason] += 1
        listed = self.first.setdefault(row.reason, [])
        if len(listed) < LISTED_ROWS:
            listed.append(row)
        self.last[row.reason] = row

    @property
    def bad(self) -> int:
        """Rows that are unreadable or have an invalid address."""
        return self.counts[RowRejection.BAD_ADDRESS] + self.counts[RowRejection.BAD_ROW]

    def diagnostics(self) -> Iterator[Diagnostic]:
        """One for each listed row, one that counts the others, and one for each fault of a column."""
        yield from self.columns.diagnostics()
        for reason, rows in self.first.items():
            for row in rows:
                yield Diagnostic(reason.value, SEVERITIES[reason], row.detail, row.location)
            others = self.listable[reason] - len(rows)
            if others > 0:
                message = f"{others} more rows like these"
                yield Diagnostic(reason.value, SEVERITIES[reason], message, self.last[reason].location)
