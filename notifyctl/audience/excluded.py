"""Rows of an audience that are no recipients: all are counted, the first few of each reason are kept to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.recipients import RejectedRow, RowRejection

LISTED_ROWS = 20
"""Rows listed for each notification and reason; the rest is counted."""

SEVERITIES = {
    RowRejection.BAD_ADDRESS: Severity.WARNING,
    RowRejection.BAD_ROW: Severity.WARNING,
    RowRejection.NO_ADDRESS: Severity.INFO,
    RowRejection.DUPLICATE: Severity.INFO,
}


class Excluded(Struct):
    """The excluded rows of one audience on one channel, in constant memory."""

    counts: Counter[RowRejection] = field(default_factory=Counter)
    first: dict[RowRejection, list[RejectedRow]] = field(default_factory=dict)
    last: dict[RowRejection, RejectedRow] = field(default_factory=dict)

    def add(self, row: RejectedRow) -> None:
        self.add_many(row.reason, 1, [row])

    def add_many(self, reason: RowRejection, count: int, rows: Sequence[RejectedRow]) -> None:
        """`rows` are the first LISTED_ROWS of the `count` rows, and the last of them."""
        self.counts[reason] += count
        listed = self.first.setdefault(reason, [])
        listed.extend(rows[: LISTED_ROWS - len(listed)])
        self.last[reason] = rows[-1]

    def add_all(self, others: Excluded) -> None:
        """Those of a later part."""
        for reason, rows in others.first.items():
            more = [others.last[reason]] if others.counts[reason] > len(rows) else []
            self.add_many(reason, others.counts[reason], [*rows, *more])

    @property
    def bad(self) -> int:
        """Rows that are nobody."""
        return self.counts[RowRejection.BAD_ADDRESS] + self.counts[RowRejection.BAD_ROW]

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Each row with its line, until there are too many to read."""
        for reason, rows in self.first.items():
            for row in rows:
                yield Diagnostic(reason.value, SEVERITIES[reason], row.detail, row.location)
            more = self.counts[reason] - len(rows)
            if more > 0:
                message = f"{more} more rows like these"
                yield Diagnostic(reason.value, SEVERITIES[reason], message, self.last[reason].location)
