"""Writes a ledger in PostgreSQL. What is not said here is as in SQLite: one commit for each method, fenced by the epoch.

Beyond it, ARM claims each member of a batch for its scope: PostgreSQL itself keeps a person from being in two requests, whatever
planned them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.postgresql import campaigns, halting, locks, migrations
from notifyctl.ledger.postgresql.campaigns import Defer
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.reader import recipient_ids_of
from notifyctl.ledger.writer import ARMING, Writer
from notifyctl.model.batch import Rejected, ScopeOpening
from notifyctl.model.campaign import Campaign
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.recipients import ID_BYTES

CLAIM = (
    "INSERT INTO claim (scope, batch, recipient) SELECT ?, ?, recipient FROM unnest(?::bytea[]) AS recipient"
    " ON CONFLICT DO NOTHING"
)
LOCK = (
    "SELECT recipient, batch FROM claim WHERE scope = ? AND recipient = ANY (?) ORDER BY recipient FOR UPDATE"
)
ASKING = (
    "SELECT planned.*, (SELECT coalesce(max(writes_since), 0) FROM migration) <= ?"  # noqa: S608 - our own query
    f" AND NOT coalesce((SELECT halted FROM halt ORDER BY id DESC LIMIT 1), false) FROM ({ARMING}) AS planned"
)
"""What ARMING asks, and whether this version may write still and nothing is halted."""
TAKE_OVER = "UPDATE claim SET batch = ? WHERE scope = ? AND recipient = ANY (?)"
IN_DOUBT = "the connection was lost while it was recorded, and it never left"
SCOPE_OF = "SELECT scope, members FROM batch WHERE number = ?"


class PostgresWriter(Writer):
    """Implements ports.LedgerWriter."""

    _database: PostgresDatabase
    is_campaign = False
    """Whether workers send what this run planned, so that it has not ended when the lock is released."""

    def begin_campaign(
        self, campaign: Campaign, openings: Sequence[ScopeOpening], *, defer: Defer, at: datetime
    ) -> None:
        """Hands the batches of this run over to workers: opens their scopes and adds the first jobs, in one commit."""
        with self._writing():
            for opening in openings:
                self.open_scope(opening.scope, opening.held, at=at, likeness=opening.likeness)
            campaigns.record_campaign(self._database, campaign)
            defer(self._database.connection, campaign.numbers[: campaigns.WINDOW])
        self.is_campaign = True

    def _refuse_to_begin(self, now: datetime) -> None:
        campaigns.refuse_or_take_over(self._database, at=now)

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        """If it is in doubt whether this was committed, nothing is sent, and that is recorded where it can be."""
        try:
            super().arm(number, attempt, seal=seal, at=at)
        except LedgerError:
            if self._database.connection.closed:
                with suppress(
                    LedgerError, LedgerLockedError
                ):  # it says that the attempt was not recorded, or cannot be asked
                    self.settle(number, attempt, Rejected(IN_DOUBT, posted=False), at=at)
            raise

    def _first_number(self) -> int:
        locks.take(self._database.connection, locks.Lock.NUMBERS)
        return self.next_batch()

    def _refuse_to_arm(self, number: int, attempt: int) -> None:
        *planned, may_arm = self._database.row(ASKING, migrations.latest(), number) or (None,)
        if not may_arm:  # asked in one query, explained by others
            migrations.refuse_newer(self._database.connection)
            halting.refuse_halted(self._database.connection)
        self._refuse_planned(number, attempt, tuple(planned) or None)

    def _claim(self, number: int) -> None:
        """Claims the members of a batch. Raises LedgerError if any is in another request that may have been accepted."""
        if self._database.rows("SELECT claim_members(?)", number) == [(True,)]:
            return
        row = self._database.row(SCOPE_OF, number)
        assert row is not None, "it was planned"
        scope, members = row
        # In order: two that claim the same people wait for each other in one direction only.
        people = sorted(split(recipient_ids_of(members)))
        if len(set(people)) != len(people):
            raise LedgerError(f"batch {number} has the same recipient twice; it cannot be attempted")
        self._database.run(CLAIM, scope, number, people)
        # An earlier attempt of this batch has claims, or another batch. They are locked first: until this commit nobody is
        # armed by them, and nobody takes them.
        claims = self._database.rows(LOCK, scope, people)
        assert len(claims) == len(people), "claims are never removed"
        taken = [(recipient, other) for recipient, other in claims if other != number]
        for other in sorted({other for _, other in taken}):
            self._refuse_claimed(number, other, {recipient for recipient, each in taken if each == other})
        self._database.run(TAKE_OVER, number, scope, [recipient for recipient, _ in taken])

    def _refuse_claimed(self, number: int, other: int, people: Collection[bytes]) -> None:
        batch = self.find(other)
        assert batch is not None, "it was armed"
        for state in states_of(batch, people) - self._given_up(batch):
            raise LedgerError(
                f"recipients of batch {number} are in batch {other} too, which is {state} for them: batch {number} was not sent"
            )

    def _given_up(self, batch: BatchRecord) -> set[BatchState]:
        """The states in which people of this batch may be in another one: it was certainly not accepted for them, or it is unknown
        since an earlier run, and the plan, which saw that, lets them be sent it again (`onUnknown: resend`).
        """
        return {BatchState.REJECTED} | ({BatchState.UNKNOWN} if batch.epoch < self._epoch else set())


def states_of(batch: BatchRecord, people: Collection[bytes]) -> set[BatchState]:
    """The states of these members."""
    ids = split(recipient_ids_of(batch.members))
    return {
        batch.others.get(position, batch.state)
        for position, recipient in enumerate(ids)
        if recipient in people
    }


def split(ids: bytes) -> list[bytes]:
    return [ids[start : start + ID_BYTES] for start in range(0, len(ids), ID_BYTES)]
