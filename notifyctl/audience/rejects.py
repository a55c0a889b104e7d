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


class Rejects:
    """The rejected rows of one audience on one channel, in constant memory."""

    def __init__(self) -> None:
        self.counts: Counter[RowRejection] = Counter()
        self.first: dict[RowRejection, list[RejectedRow]] = {}
        self.last: dict[RowRejection, RejectedRow] = {}

    def add(self, row: RejectedRow) -> None:
        self.counts[row.reason] += 1
        listed = self.first.setdefault(row.reason, [])
        if len(listed) < LISTED_ROWS:
            listed.append(row)
        self.last[row.reason] = row

    @property
    def bad(self) -> int:
        """Rows that are unreadable or have an invalid address."""
        return self.counts[RowRejection.BAD_ADDRESS] + self.counts[RowRejection.BAD_ROW]

    def diagnostics(self) -> Iterator[Diagnostic]:
        """One for each listed row, and one that counts the others."""
        for reason, rows in self.first.items():
            for row in rows:
                yield Diagnostic(reason.value, SEVERITIES[reason], row.detail, row.location)
            others = self.counts[reason] - len(rows)
            if others > 0:
                message = f"{others} more rows like these"
                yield Diagnostic(reason.value, SEVERITIES[reason], message, self.last[reason].location)
