"""Receipts into a ledger, beside a run that may be under way. They can only settle: nothing here makes anybody eligible."""

from __future__ import annotations

from collections.abc import Sequence

from notifyctl.ledger.reader import SqliteReader
from notifyctl.ledger.writer import stamp
from notifyctl.model.events import UNSETTLED, Receipt, VerdictSource
from notifyctl.model.ledger import BatchState


class SqliteInbox(SqliteReader):
    """Implements ports.ReceiptInbox. Not fenced by the epoch, because a receipt is true whoever holds the lock."""

    def add(self, receipts: Sequence[Receipt]) -> int:
        new = 0
        with self._database.transaction():
            for receipt in receipts:
                if self._database.row("SELECT 1 FROM receipt WHERE digest = ?", receipt.digest):
                    continue
                new += 1
                self._database.run(
                    "INSERT INTO receipt (digest, at, batch, position, status, code, provider_id, said_at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    receipt.digest,
                    stamp(receipt.at),
                    receipt.batch,
                    receipt.position,
                    receipt.status,
                    receipt.code,
                    receipt.provider_id,
                    receipt.said_at,
                )
                self._settle(receipt)
        return new

    def _settle(self, receipt: Receipt) -> None:
        """Whatever a receipt says, the provider has accepted the message that it speaks of."""
        if receipt.batch is None or receipt.position is None:
            return
        batch = self.find(receipt.batch)
        assert batch is not None
        if batch.others.get(receipt.position, batch.state) in {*UNSETTLED, BatchState.REJECTED}:
            self._database.run(
                "INSERT INTO word (batch, position, kind, source, reason, who, at) VALUES (?, ?, ?, ?, ?, NULL, ?)",
                receipt.batch,
                receipt.position,
                BatchState.ACCEPTED.value,
                VerdictSource.RECEIPT.value,
                f"a receipt says {receipt.status}",
                stamp(receipt.at),
            )
