"""Rows of an audience that are no recipients: all are counted, the first few of each reason are kept to be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from notifyctl.delivery import ExcludedRow, Exclusion
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.records import dataclass, field

LISTED_ROWS = 20
"""Rows listed for each notification and reason; the rest is counted."""

SEVERITIES = {
    Exclusion.BAD_ADDRESS: Severity.WARNING,
    Exclusion.BAD_ROW: Severity.WARNING,
    Exclusion.NO_ADDRESS: Severity.INFO,
    Exclusion.DUPLICATE: Severity.INFO,
}


@dataclass(slots=True)
class Excluded:
    """The excluded rows of one audience on one channel, in constant memory."""

    counts: Counter[Exclusion] = field(default_factory=Counter)
    first: dict[Exclusion, list[ExcludedRow]] = field(default_factory=dict)
    last: dict[Exclusion, ExcludedRow] = field(default_factory=dict)

    def add(self, row: ExcludedRow) -> None:
        self.add_many(row.reason, 1, [row])

    def add_many(self, reason: Exclusion, count: int, rows: Sequence[ExcludedRow]) -> None:
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
        return self.counts[Exclusion.BAD_ADDRESS] + self.counts[Exclusion.BAD_ROW]

    def diagnostics(self) -> Iterator[Diagnostic]:
        """Each row with its line, until there are too many to read."""
        for reason, rows in self.first.items():
            for row in rows:
                yield Diagnostic(reason.value, SEVERITIES[reason], row.detail, row.location)
            more = self.counts[reason] - len(rows)
            if more > 0:
                message = f"{more} more rows like these"
                yield Diagnostic(reason.value, SEVERITIES[reason], message, self.last[reason].location)
