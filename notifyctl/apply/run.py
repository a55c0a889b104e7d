"""The send protocol. One thread keeps the ledger and decides; a few others only post.

MATERIALISE  record every batch, then open the scopes, before anything is sent
RESERVE      wait for the account's rate
ARM          record durably that the attempt begins: the point of no return
POST         once
RESULT       record durably how it ended

A crash before ARM leaves a batch that was never begun, a crash after it one that is uncertain. Nothing in between.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from notifyctl.apply.batches import Cut, batch_size, cut
from notifyctl.apply.pacing import Pacer
from notifyctl.delivery import (
    Accepted,
    Batch,
    Consignment,
    Opening,
    Outcome,
    PreparedRequest,
    Refused,
    Rejected,
    Unknown,
)
from notifyctl.errors import LedgerError
from notifyctl.model import Limits
from notifyctl.ports import Clock, LedgerWriter, Provider

MAX_ATTEMPTS = 5
BACKOFF_BASE, BACKOFF_CAP = 0.5, 30.0  # seconds
RETRY_AFTER_CAP = 60.0  # seconds: a provider that asks for more gets no more of this run's patience
POLL = 0.1  # seconds between looks at the stop flag
RECORD_TRIES = 3
PLANNED_AT_ONCE = 500  # batches in one commit


class Stop:
    """Asked for by Ctrl-C or SIGTERM: begin nothing new, finish and record what is in flight."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        self._event.set()

    @property
    def requested(self) -> bool:
        return self._event.is_set()


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be sent, and how. `ledger_name` goes into callback data; `seal_secret` may be empty."""

    openings: Sequence[Opening]
    consignments: Sequence[Consignment]
    limits: Limits
    ledger_name: str
    seal_secret: bytes = b""


@dataclass(frozen=True, slots=True)
class Planned:
    batches: int
    recipients: int


@dataclass(frozen=True, slots=True)
class Settled:
    number: int
    recipients: int
    outcome: Outcome
    again: bool
    """Whether the same batch will be tried again within this run."""


@dataclass(frozen=True, slots=True)
class Waiting:
    seconds: float
    why: str


Event = Planned | Settled | Waiting


@dataclass(slots=True)
class Report:
    """Recipients by how their batch ended, requests posted, and why what did not go did not."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    not_begun: int = 0
    requests: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    refused: str | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """A batch that is to be posted, not before a moment on the monotonic clock."""

    cut: Cut
    number: int
    attempt: int = 1
    not_before: float = 0.0


def cuts(job: Job) -> Iterator[Cut]:
    size = batch_size(job.limits)
    return (piece for consignment in job.consignments for piece in cut(consignment, size))


def batch_of(job: Job, piece: Cut, number: int, attempt: int = 1) -> Batch:
    return piece.numbered(number, attempt, ledger=job.ledger_name, secret=job.seal_secret)


def dry_run(job: Job, *, next_batch: int, provider: Provider) -> Iterator[tuple[Batch, PreparedRequest]]:
    """The requests that `run` would post now, in its order and with its numbers."""
    for number, piece in enumerate(cuts(job), start=next_batch):
        batch = batch_of(job, piece, number)
        yield batch, provider.prepare(batch)


def run(
    job: Job,
    *,
    writer: LedgerWriter,
    provider: Provider,
    clock: Clock,
    on_event: Callable[[Event], None],
    stop: Stop,
    chance: random.Random | None = None,
) -> Report:
    """Send everything in the job, or as much as the provider, the ledger and `stop` allow.

    Raises LedgerError when the ledger cannot be written: before anything of a batch is sent, or after, when the batch is
    then uncertain. Whatever was in flight is settled first.
    """
    with ThreadPoolExecutor(job.limits.concurrency, thread_name_prefix="post") as pool:
        return Run(job, writer, provider, clock, on_event, stop, chance or random.Random(), pool).go()  # noqa: S311


class Run:
    """One run of the protocol; its methods bear the names of the steps."""

    def __init__(
        self,
        job: Job,
        writer: LedgerWriter,
        provider: Provider,
        clock: Clock,
        on_event: Callable[[Event], None],
        stop: Stop,
        chance: random.Random,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.job, self.writer, self.provider, self.clock = job, writer, provider, clock
        self.tell, self.stop, self.chance, self.pool = on_event, stop, chance, pool
        self.pacer = Pacer(job.limits, clock)
        self.queue: deque[Attempt] = deque()
        self.flying: dict[Future[Outcome], Attempt] = {}
        self.report = Report()
        self.broken: LedgerError | None = None

    def go(self) -> Report:
        self.materialise()
        try:
            while self.step():
                pass
        except BaseException:
            # Interrupted for a second time, or a defect: what is in flight stays armed, and so uncertain.
            self.pool.shutdown(wait=False, cancel_futures=True)
            raise
        if self.broken is not None:
            raise self.broken
        self.report.not_begun = sum(attempt.cut.size for attempt in self.queue)
        self.report.interrupted = self.stop.requested
        return self.report

    @property
    def ending(self) -> bool:
        return self.stop.requested or self.broken is not None or self.report.refused is not None

    def step(self) -> bool:
        """Do the next thing that can be done; False when there is nothing left to do."""
        for future in [future for future in self.flying if future.done()]:
            self.result(future)
        if self.ending or not self.queue:
            if not self.flying:
                return False
            self.rest(POLL)
            return True
        if len(self.flying) >= self.job.limits.concurrency:
            self.rest(POLL)
            return True
        delay = self.reserve(self.queue[0])
        if delay > 0:
            self.rest(min(delay, POLL))
            return True
        self.begin(self.queue.popleft())
        return True

    def rest(self, seconds: float) -> None:
        """Wait, but not past the end of a request in flight."""
        if self.flying:
            wait(self.flying, timeout=seconds, return_when=FIRST_COMPLETED)
        else:
            self.clock.sleep(seconds)

    def materialise(self) -> None:
        now = self.clock.now()
        for consignment in self.job.consignments:
            pieces = list(cut(consignment, batch_size(self.job.limits)))
            for start in range(0, len(pieces), PLANNED_AT_ONCE):
                some = pieces[start : start + PLANNED_AT_ONCE]
                numbers = self.writer.plan_batches(
                    consignment.scope, [piece.members for piece in some], at=now
                )
                self.queue.extend(map(Attempt, some, numbers))
        # Opened last: a crash before this leaves the scope unopened, and nobody in it is mistaken for a joiner.
        for opening in self.job.openings:
            self.writer.open_scope(opening.scope, opening.held, at=now)
        self.tell(Planned(len(self.queue), sum(attempt.cut.size for attempt in self.queue)))

    def reserve(self, attempt: Attempt) -> float:
        return max(self.pacer.wait(), attempt.not_before - self.clock.monotonic())

    def begin(self, attempt: Attempt) -> None:
        """ARM, then POST. What can fail without a trace is done before ARM."""
        batch = batch_of(self.job, attempt.cut, attempt.number, attempt.attempt)
        request = self.provider.prepare(batch)
        seal = attempt.cut.seal(attempt.number, ledger=self.job.ledger_name, secret=self.job.seal_secret)
        try:
            self.writer.arm(attempt.number, attempt.attempt, seal=seal, at=self.clock.now())
        except LedgerError as error:
            # Whether the commit reached the disk is not known; either way nothing was sent and nothing will be.
            self.queue.appendleft(attempt)
            self.broken = error
            return
        self.pacer.take(attempt.cut.size)
        self.flying[self.pool.submit(self.provider.send, request)] = attempt
        self.report.requests += 1

    def result(self, future: Future[Outcome]) -> None:
        attempt = self.flying.pop(future)
        error = future.exception()
        outcome = (
            future.result()
            if error is None
            else Unknown(f"sending failed unexpectedly: {type(error).__name__}")
        )
        recorded = self.record(attempt, outcome)
        again = recorded and self.again(attempt, outcome)
        if not again:
            self.count(attempt, outcome)
        self.tell(Settled(attempt.number, attempt.cut.size, outcome, again))

    def record(self, attempt: Attempt, outcome: Outcome) -> bool:
        for tried in range(1, RECORD_TRIES + 1):
            try:
                self.writer.settle(attempt.number, attempt.attempt, outcome, at=self.clock.now())
            except LedgerError as error:
                self.broken = LedgerError(
                    f"the answer for batch {attempt.number} could not be recorded: {error.message}",
                    hint="its recipients are uncertain until the next apply; mend the ledger first",
                )
                if tried < RECORD_TRIES:
                    self.clock.sleep(POLL * tried)
            else:
                return True
        return False

    def again(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Queue another attempt where the last one was certainly not accepted and more may help."""
        if (
            not isinstance(outcome, Rejected)
            or not outcome.retryable
            or attempt.attempt >= MAX_ATTEMPTS
            or self.ending
        ):
            return False
        delay = self.backoff(attempt.attempt, outcome.retry_after)
        if outcome.status is not None:
            self.pacer.hold_off(delay)  # the whole account is over its rate, not this batch alone
        self.tell(Waiting(delay, outcome.reason))
        ready = self.clock.monotonic() + delay
        self.queue.appendleft(Attempt(attempt.cut, attempt.number, attempt.attempt + 1, ready))
        return True

    def backoff(self, attempt: int, asked: float | None) -> float:
        """Full jitter over an exponential bound, or what the provider asks for, within reason."""
        if asked is not None:
            return min(max(asked, 0.0), RETRY_AFTER_CAP)
        return self.chance.uniform(0.0, min(BACKOFF_CAP, BACKOFF_BASE * 2.0**attempt))

    def count(self, attempt: Attempt, outcome: Outcome) -> None:
        size = attempt.cut.size
        match outcome:
            case Accepted():
                self.report.accepted += size
                return
            case Unknown():
                self.report.unknown += size
            case Refused():
                self.report.rejected += size
                self.report.refused = outcome.reason
            case Rejected():
                self.report.rejected += size
        self.report.reasons[outcome.reason] += size
