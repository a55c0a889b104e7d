"""How far sending has come, as numbers that are cheap to read: no recipient is looked at. For `status --watch` and `/metrics`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from notifyctl.model.ledger import BatchState


class Totals(Struct, frozen=True):
    """Of the whole ledger. Each number only grows, because records are never changed."""

    attempts: int
    """Requests that were about to leave."""
    outcomes: Mapping[BatchState, int]
    """Recorded outcomes by kind. What is learnt later of the same request is one more."""
    accepted: int
    """Recipients in accepted requests."""
    receipts: int
    records: int


class RunProgress(Struct, frozen=True):
    """The latest run. `how`: as it was recorded at its end; None: it has not ended, or broke off."""

    epoch: int
    started: datetime
    ended: datetime | None
    how: str | None
    batches: Mapping[BatchState, int]
    recipients: Mapping[BatchState, int]
    first_batch: int
    in_flight_since: datetime | None
    """When the oldest request without an outcome was about to leave."""

    @property
    def in_flight(self) -> int:
        """Requests without an outcome; those of a process that died too, until they are recorded as unknown."""
        return self.batches.get(BatchState.ARMED, 0)


class LedgerProgress(Struct, frozen=True):
    totals: Totals
    run: RunProgress | None
    """None: nothing was ever sent."""


class CampaignProgress(Struct, frozen=True):
    """An apply whose batches workers send. `done`: batches that were accepted, are unknown, or were given up."""

    epoch: int
    at: datetime
    batches: int
    recipients: int
    done: int
    ended: datetime | None
    how: str | None


class WorkerProgress(Struct, frozen=True):
    """A living worker in the latest campaign. `recipients`: in its requests with an outcome. `last`: when it began a request."""

    id: int
    name: str
    started: datetime
    requests: int
    in_flight: int
    recipients: int
    last: datetime | None


class Backlog(Struct, frozen=True):
    """What waits. `job_seconds`: for how long the oldest job could have been taken; `receipt_seconds`: since the oldest came."""

    jobs: Mapping[str, int]
    """By status of the queue: todo, doing, failed and others."""
    job_seconds: float
    receipts: int
    receipt_seconds: float
    pace_seconds: float
    """How far ahead starts are reserved by the account's pace."""
    halted: bool


class WorkersProgress(Struct, frozen=True):
    campaign: CampaignProgress | None
    workers: tuple[WorkerProgress, ...]
    backlog: Backlog


class Look(Struct, frozen=True):
    """What was seen at `at`. `active`: something is being sent. `workers`: None for a ledger in SQLite."""

    at: datetime
    monotonic: float
    active: bool
    ledger: LedgerProgress
    workers: WorkersProgress | None = None

    @property
    def run(self) -> RunProgress | None:
        return self.ledger.run

    @property
    def recipients(self) -> int:
        """Of the latest run, whatever became of them. Who was planned again within it counts once where workers send."""
        campaign = self.workers.campaign if self.workers is not None else None
        if self.run is None:
            return 0
        if campaign is not None and campaign.epoch == self.run.epoch:
            return campaign.recipients
        return sum(self.run.recipients.values())

    def count(self, state: BatchState) -> int:
        return self.run.recipients.get(state, 0) if self.run is not None else 0


class Rates(Struct, frozen=True):
    """A second, since the look before."""

    recipients: float = 0.0
    """Accepted."""
    requests: float = 0.0
    receipts: float = 0.0
    workers: Mapping[int, float] = {}
    """Worker → recipients a second."""
