"""What a worker records: attempts and outcomes of one campaign, under the campaign's epoch and without the lock of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg

from notifyctl.errors import LedgerError
from notifyctl.fault_injection import Point, point
from notifyctl.ledger.postgresql import campaigns
from notifyctl.ledger.postgresql.campaigns import Defer
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.postgresql.failures import translate_error
from notifyctl.ledger.postgresql.pace import AccountPace
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.ledger.reader import Identity, Reader
from notifyctl.ledger.writer import stamp
from notifyctl.model.batch import Outcome, Refused, Rejected
from notifyctl.model.campaign import Campaign, PlannedAgain
from notifyctl.model.project import Limits
from notifyctl.ports import Clock

IS_OVER = "SELECT EXISTS (SELECT 1 FROM campaign_end WHERE epoch = ?) OR EXISTS (SELECT 1 FROM batch_end WHERE batch = ?)"
PLANNED_AGAIN = "planned again without those who opted out"


class PostgresWorkerWriter(PostgresWriter):
    """Implements apply.send_batch.CampaignSession. One thread at a time."""

    def __init__(
        self,
        database: PostgresDatabase,
        identity: Identity,
        *,
        campaign: Campaign,
        worker: int,
        account: bytes,
        limits: Limits,
        defer: Defer,
    ) -> None:
        Reader.__init__(self, database, identity)  # the campaign's run has begun the epoch
        self._mark = None
        self._epoch = campaign.epoch
        self._campaign = campaign
        self._worker = worker
        self._account = account
        self._limits = limits
        self._defer = defer
        self._begun: datetime | None = None

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        with self._writing():
            self._refuse_to_arm(number, attempt)
            if self._database.rows(IS_OVER, self._epoch, number) != [(False,)]:
                raise LedgerError(f"the campaign has ended for batch {number}; it cannot be attempted")
            self._claim(number)
            self._database.run(
                "INSERT INTO attempt (batch, attempt, epoch, at, seal, worker) VALUES (?, ?, ?, ?, ?, ?)",
                *(number, attempt, self._epoch, stamp(at), seal, self._worker),
            )
            point(Point.ARM_COMMIT)
        point(Point.ARM_COMMITTED)

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        """With the end of the batch, if it was rejected for good."""
        if not (isinstance(outcome, Refused) or (isinstance(outcome, Rejected) and not outcome.retryable)):
            super().settle(number, attempt, outcome, at=at)
            return
        with self._database.transaction():
            super().settle(number, attempt, outcome, at=at)
            self._end(number, outcome.reason, at=at)

    def is_ended(self, number: int) -> bool:
        return self._database.row("SELECT 1 FROM batch_end WHERE batch = ?", number) is not None

    def planned_again(self, number: int) -> PlannedAgain | None:
        return campaigns.planned_again(self._database, number)

    def began(self) -> datetime | None:
        if self._begun is None:
            row = self._database.row("SELECT min(at) FROM attempt WHERE epoch = ?", self._epoch)
            self._begun = datetime.fromisoformat(row[0]) if row is not None and row[0] else None
        return self._begun

    def end_batch(self, number: int, reason: str, *, at: datetime) -> None:
        with self._writing():
            self._end(number, reason, at=at)

    def plan_again(
        self, number: int, parts: Sequence[tuple[bytes, str | None]], *, at: datetime
    ) -> Sequence[int]:
        scope = self.find(number)
        assert scope is not None, "it was planned"
        with self._database.transaction():
            # Of two workers that find the same opt-out, one plans.
            self._database.run("SELECT pg_advisory_xact_lock(hashtextextended('batch_end', ?))", number)
            if self.is_ended(number):
                return []
            self._end(number, PLANNED_AGAIN, at=at)
            numbers = self.plan_batches(scope.scope, [members for members, _ in parts], at=at)
            self._database.run_many(
                "INSERT INTO batch_again (batch, of, fallback, epoch) VALUES (?, ?, ?, ?)",
                [
                    (made, number, fallback, self._epoch)
                    for made, (_, fallback) in zip(numbers, parts, strict=True)
                ],
            )
            self._defer(self._database.connection, numbers)
        return numbers

    def end_campaign(self, how: str, *, at: datetime) -> None:
        campaigns.end_campaign(self._database, self._epoch, how, at=at)

    def release(self, number: int, attempt: int, outcome: Rejected, *, at: datetime) -> None:
        with self._database.transaction():
            mine = self._database.row(
                "SELECT 1 FROM attempt WHERE batch = ? AND attempt = ? AND worker = ? AND NOT EXISTS"
                " (SELECT 1 FROM outcome WHERE outcome.batch = attempt.batch AND outcome.attempt = attempt.attempt)",
                *(number, attempt, self._worker),
            )
            if mine is not None:
                super().settle(number, attempt, outcome, at=at)

    def take_turn(self, destinations: int, *, clock: Clock, wait: Callable[[float], bool]) -> float | None:
        with self._translated():
            return self._pace().take_turn(destinations, clock=clock, wait=wait)

    def hold_off(self, seconds: float) -> None:
        with self._translated():
            self._pace().hold_off(seconds)

    def _pace(self) -> AccountPace:
        """Over the connection of now: one that was lost is replaced."""
        return AccountPace(self._database.connection, self._account, self._limits)

    def _end(self, number: int, reason: str, *, at: datetime) -> None:
        self._database.run(
            "INSERT INTO batch_end (batch, reason, epoch, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            *(number, reason, self._epoch, stamp(at)),
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise translate_error(
                error, self._database.name, lost=self._database.connection.closed
            ) from error
