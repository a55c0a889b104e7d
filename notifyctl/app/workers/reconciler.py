"""Completes a campaign whatever the queue lost, doubled or reordered: a plain loop over the ledger, by one worker at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.apply.workers import SEND_BY
from notifyctl.engine.queue import Queue
from notifyctl.model.campaign import Campaign
from notifyctl.model.ledger import BatchState
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase

LONGEST_REQUEST = 60.0
"""Seconds that a request can take in all."""
LEEWAY = 60.0
LONGEST_ARMED = timedelta(seconds=SEND_BY + LONGEST_REQUEST + LEEWAY)
"""What was armed longer ago than this has an unknown outcome, though its worker seems to live."""


class Reconciled(Struct, frozen=True):
    """What was put right: attempts left behind, jobs of the dead, batches without a job; and whether the campaign was ended."""

    swept: int = 0
    revived: int = 0
    deferred: int = 0
    ended: bool = False


class Reconciler:
    """Remembers from where on batches are unfinished, so that a look at a large campaign is short."""

    def __init__(self, queue: Queue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._epoch = 0
        self._from = 0

    def look(self, database: PostgresDatabase, campaign: Campaign) -> Reconciled | None:
        """One look. None if another worker is looking. Raises LedgerError."""
        from notifyctl.ledger.postgresql import campaigns, locks

        if campaign.epoch != self._epoch:
            self._epoch, self._from = campaign.epoch, campaign.first_batch
        with database.transaction():
            if not locks.try_take(database.connection, locks.Lock.RECONCILE):
                return None
            if campaigns.how_ended(database, campaign.epoch) is not None:
                return Reconciled()
            last = campaigns.last_batch(database, campaign)
            swept = self._sweep(database, campaign, last)
            revived = self._queue.revive(database.connection)
            unended = campaigns.unended(database, self._from, last, limit=campaigns.WINDOW)
            if not unended and self._from > campaign.first_batch:
                # Late news of a batch before can make it unfinished again.
                unended = campaigns.unended(database, campaign.first_batch, last, limit=campaigns.WINDOW)
            if unended:
                self._from = unended[0][0]
                waiting = [number for number, state in unended if state is not BatchState.ARMED]
                live = self._queue.live_batches(database.connection)
                missing = [number for number in waiting if number not in live]
                missing = missing[: max(0, campaigns.WINDOW - len(live))]
                self._queue.defer(database.connection, missing)
                return Reconciled(swept, revived, len(missing))
        ended = campaigns.end_if_done(database, campaign, at=self._clock.now())
        return Reconciled(swept, revived, ended=ended)

    def _sweep(self, database: PostgresDatabase, campaign: Campaign, last: int) -> int:
        from notifyctl.ledger.postgresql import campaigns, locks

        armed = campaigns.armed(database, campaign, last)
        if not armed:
            return 0
        now = self._clock.now()
        living = sorted(locks.living_workers(database.connection))
        return campaigns.sweep(
            database, campaign, living=living, armed=armed, before=now - LONGEST_ARMED, at=now
        )
