"""Writes receipts into a ledger while a run may be under way.

A receipt can only confirm that the provider had a message; it never makes anybody eligible again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from notifyctl.errors import LedgerError
from notifyctl.ledger.database import Database
from notifyctl.ledger.reader import Identity, Reader
from notifyctl.ledger.writer import Mark, stamp
from notifyctl.model.events import UNSETTLED, UNSUBSCRIBED, Receipt, VerdictSource
from notifyctl.model.ledger import BatchState

CONFIRMED_BY_RECEIPT = frozenset({*UNSETTLED, BatchState.REJECTED})
"""States of a member that a receipt turns into accepted."""


class ReceiptInbox(Reader):
    """Implements ports.ReceiptInbox. Not fenced by the epoch, because a receipt is true whoever holds the lock."""

    def __init__(self, database: Database, identity: Identity, *, mark: Mark | None = None) -> None:
        super().__init__(database, identity)
        self._mark = mark

    def add(self, receipts: Sequence[Receipt]) -> int:
        with self._database.transaction():
            new = sum(self._add(receipt) for receipt in receipts)
        if new and self._mark is not None:
            # A backup from before a complaint must be noticed too. The receipt itself is recorded, whatever the mark does.
            with suppress(LedgerError):
                self._mark(self.serial)
        return new

    def _add(self, receipt: Receipt) -> bool:
        """Records a receipt; False if it was recorded before."""
        if self._database.row("SELECT 1 FROM receipt WHERE digest = ?", receipt.digest):
            return False
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
        self._confirm(receipt)
        return True

    def _confirm(self, receipt: Receipt) -> None:
        """Whatever its status, a receipt proves that the provider accepted the message; an event about a person does not."""
        if receipt.batch is None or receipt.position is None or receipt.status == UNSUBSCRIBED:
            return
        batch = self.find(receipt.batch)
        assert batch is not None
        if batch.others.get(receipt.position, batch.state) in CONFIRMED_BY_RECEIPT:
            self._database.run(
                "INSERT INTO word (batch, position, kind, source, reason, who, at) VALUES (?, ?, ?, ?, ?, NULL, ?)",
                receipt.batch,
                receipt.position,
                BatchState.ACCEPTED.value,
                VerdictSource.RECEIPT.value,
                f"a receipt says {receipt.status}",
                stamp(receipt.at),
            )
