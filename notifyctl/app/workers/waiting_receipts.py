"""What a worker does with receipts: it records those that wait, and notices those by which recipients opted out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifyctl.model.events import OPT_OUT_CODES

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase

PAGES = 20
"""Pages of receipts that are recorded at a look, so that the next look is not late."""
OVERLAP = 10_000
"""Receipts are not committed in the order of their numbers: so many before the last one are looked at again."""


class WorkerReceipts:
    """`ledger`: project/environment."""

    def __init__(self, ledger: str) -> None:
        self._ledger = ledger
        self._seen: frozenset[int] | None = None

    def fold(self, database: PostgresDatabase) -> bool:
        """Records receipts that wait. Returns whether as many were recorded as one look may."""
        from notifyctl.ledger.postgresql.receipt_inbox import PAGE, fold_receipts

        return fold_receipts(database, self._ledger, pages=PAGES).total() >= PAGE * PAGES

    def find_opt_outs(self, database: PostgresDatabase) -> bool:
        """Whether receipts have reported opt-outs since the last time; at the first time there are none before."""
        from_number = database.number("SELECT coalesce(max(id), 0) FROM receipt") - OVERLAP
        rows = database.rows(
            "SELECT id FROM receipt WHERE id > ? AND code = ANY (?::text[])",
            from_number,
            sorted(OPT_OUT_CODES),
        )
        before, self._seen = self._seen, frozenset(number for (number,) in rows)
        return before is not None and not self._seen <= before
