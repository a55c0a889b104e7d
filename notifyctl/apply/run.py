"""The send protocol: PLAN all batches; then for each RESERVE a place in the rate, ARM durably, POST once, record the RESULT.

One thread does all but the POST: it alone speaks to the ledger, the clock and the caller. What is in flight when this
process dies is in the ledger as begun, so it is uncertain and nobody gets it twice.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from queue import Empty, SimpleQueue
from random import Random

from notifyctl.apply.batches import Slice
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.pacing import Pacer
from notifyctl.apply.report import Counts, Event, Planned, Report, Sent, Settled, Waiting
from notifyctl.delivery import (
    Accepted,
    Batch,
    Outcome,
    PreparedRequest,
    Refused,
    Rejected,
    Scope,
    Unknown,
)
from notifyctl.errors import LedgerError, LedgerLockedError, NotifyctlError
from notifyctl.faults import Point, point
from notifyctl.ports import Clock, LedgerWriter, Provider

__all__ = ["Event", "Job", "Planned", "Report", "Sent", "Settled", "Stop", "Waiting", "dry_run", "run"]

PLANNED_AT_ONCE = 64
"""Batches recorded in one commit: at 1,000 recipients each, less than 2 MB."""
MAX_ATTEMPTS = 5
"""Of one batch within a run, each after a certain rejection that may be tried again."""
BACK_OFF, BACK_OFF_CAP = 0.5, 30.0
"""Seconds: the first retry comes within half a second, each later one within twice the time of the one before."""
RETRY_AFTER_CAP = 60.0
"""Seconds that the provider may ask us to wait."""
STEP = 0.05
"""Seconds after which a wait looks whether it was told to stop, or an answer came."""
INSTANT = 1e-6
"""Seconds too short to wait for."""
SETTLE_PAUSES = (0.1, 0.5, 2.0)
"""Seconds between attempts to record an outcome in a ledger that fails."""
REASONS_KEPT = 20
SEND_BY = 60.0
"""Seconds after ARM within which the request must begin; far less than the quarantine before a person may settle it."""

Keep = Callable[[int, int, Outcome, datetime], None]
"""Batch, attempt, outcome and time → kept durably for the next run. Raises OSError."""


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One batch to be sent. Ordered by when: `due` is on the clock's monotonic scale."""

    due: float
    number: int
    attempt: int
    part: Slice = field(compare=False)


def run(
    job: Job,
    *,
    writer: LedgerWriter,
    provider: Provider,
    clock: Clock,
    on_event: Callable[[Event], None],
    stop: Stop,
    keep: Keep | None = None,
    chance: Random | None = None,
) -> Report:
    """Send everything in the job that can be sent. `on_event` is called on the calling thread; `chance` spreads retries.
    `keep` is given what cannot be committed, for the next run.

    Raises LedgerError or LedgerLockedError when the ledger cannot record any more: then nothing further was begun, and
    what was in flight was recorded as far as possible.
    """
    sending = Sending(job, writer, provider, clock, on_event, stop, keep, chance or Random())  # noqa: S311 - spreads retries
    sending.plan()
    sending.send_all()
    return sending.report()


def dry_run(job: Job, *, next_batch: int, provider: Provider) -> Iterator[tuple[Batch, PreparedRequest]]:
    """The batches that `run` would make and the requests it would post. `next_batch`: the number the first one gets."""
    for number, part in enumerate(job.slices(), next_batch):
        batch = job.batch(part, number, 1, seal=job.seal(part, number))
        yield batch, provider.prepare(batch)


class Sending:
    """The state of one run."""

    def __init__(
        self,
        job: Job,
        writer: LedgerWriter,
        provider: Provider,
        clock: Clock,
        on_event: Callable[[Event], None],
        stop: Stop,
        keep: Keep | None,
        chance: Random,
    ) -> None:
        self._job = job
        self._writer = writer
        self._provider = provider
        self._clock = clock
        self._tell = on_event
        self._stop = stop
        self._keep = keep
        self._chance = chance
        self._pacer = Pacer(job.limits, clock)
        self._planned: dict[int, tuple[Scope, int]] = {}
        self._fresh: Iterator[Attempt] = iter(())
        self._retries: list[Attempt] = []
        self._in_flight = 0
        self._answers: SimpleQueue[tuple[Attempt, Outcome | BaseException]] = SimpleQueue()
        self._outcomes: dict[int, Outcome] = {}
        self._requests = 0
        self._late = 0
        self._refused: str | None = None
        self._unreachable = False
        self._error: BaseException | None = None

    def plan(self) -> None:
        """PLAN: record every batch, then open the scopes; a run that breaks off between has opened nothing by halves."""
        parts = self._job.slices()
        while chunk := list(islice(parts, PLANNED_AT_ONCE)):
            self._plan_chunk(chunk)
        for opening in self._job.openings:
            self._writer.open_scope(opening.scope, opening.held, at=self._clock.now())
            point(Point.OPEN_COMMITTED)
        self._fresh = (
            Attempt(0.0, number, 1, part)
            for number, part in zip(self._planned, self._job.slices(), strict=True)
        )
        self._tell(Planned(len(self._planned), sum(size for _, size in self._planned.values())))

    def _plan_chunk(self, chunk: list[Slice]) -> None:
        for scope, grouped in groupby(chunk, key=lambda part: part.scope):
            parts = list(grouped)
            members = [part.members for part in parts]
            numbers = self._writer.plan_batches(scope, members, at=self._clock.now())
            point(Point.PLAN_COMMITTED)
            for number, part in zip(numbers, parts, strict=True):
                self._planned[number] = (scope, part.size)

    def send_all(self) -> None:
        """Begin what may be begun, record what comes back, until neither is left. Raises what ended the run early."""
        while True:
            self._take_answers(block=False)
            free = self._open and self._in_flight < self._job.limits.concurrency
            attempt = self._next() if free else None
            if attempt is not None:
                self._begin(attempt)
            elif free and self._retries:
                self._pause(self._retries[0].due - self._clock.monotonic(), "before trying again")
            elif self._in_flight:
                self._take_answers(block=True)
            else:
                break
        if self._error is not None:
            raise self._error

    @property
    def _open(self) -> bool:
        """Whether anything new may be begun."""
        ended = self._refused is not None or self._unreachable or self._error is not None
        return not (ended or self._stop.requested)

    def _next(self) -> Attempt | None:
        """A retry when its time has come; a batch that was never begun only when no retry waits."""
        if not self._retries:
            return next(self._fresh, None)
        due = self._retries[0].due - self._clock.monotonic() < INSTANT
        return heapq.heappop(self._retries) if due else None

    def _begin(self, attempt: Attempt) -> None:
        seal = self._job.seal(attempt.part, attempt.number)
        batch = self._job.batch(attempt.part, attempt.number, attempt.attempt, seal=seal)
        request = self._provider.prepare(batch)
        self._reserve()
        point(Point.RESERVED)
        since = self._clock.now(), self._clock.monotonic()
        if self._open and self._in_time(attempt.part) and self._arm(attempt, seal):
            self._pacer.started(batch.size)
            self._post(attempt, request, since)

    def _reserve(self) -> None:
        """RESERVE: wait until the account's rate has room."""
        while self._open and (seconds := self._pacer.wait()) > INSTANT:
            self._pause(seconds, "to keep the account's rate")

    def _in_time(self, part: Slice) -> bool:
        """Whether its window is still open: pacing a large audience takes longer than some windows."""
        ends = part.consignment.not_after
        if ends is None or self._clock.now() < ends:
            return True
        self._late += part.size
        return False

    def _arm(self, attempt: Attempt, seal: bytes) -> bool:
        """ARM: record that the attempt begins. Without that record nothing may leave."""
        try:
            self._writer.arm(attempt.number, attempt.attempt, seal=seal, at=self._clock.now())
            point(Point.ARM_COMMITTED)
        except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
            self._error = self._error or error
            return False
        return True

    def _slept(self, since: tuple[datetime, float]) -> bool:
        """Whether more than SEND_BY has passed, by either clock: one stands still while the machine sleeps, the other can be
        set.
        """
        now, monotonic = since
        passed = max((self._clock.now() - now).total_seconds(), self._clock.monotonic() - monotonic)
        return passed > SEND_BY

    def _post(self, attempt: Attempt, request: PreparedRequest, since: tuple[datetime, float]) -> None:
        """POST, on a thread of its own. It is a daemon, so that a second Ctrl-C need not wait for a slow provider. `since`:
        when ARM began.
        """

        def post() -> None:
            try:
                if self._slept(since):
                    # Stopped for long between the record and the request: others may have taken it for lost by now.
                    late = Rejected(
                        "it was not sent in time after it was recorded, and never left", retryable=True
                    )
                    self._answers.put((attempt, late))
                    return
                point(Point.POST_BEGUN)
                self._answers.put((attempt, self._provider.send(request)))
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that may speak to the ledger
                self._answers.put((attempt, error))

        threading.Thread(target=post, name=f"batch {attempt.number}", daemon=True).start()
        self._in_flight += 1
        self._requests += 1
        self._tell(Sent(attempt.number, attempt.part.size, attempt.attempt))

    def _take_answers(self, *, block: bool) -> None:
        """Record every answer that has come; with `block` wait for the first."""
        while self._in_flight:
            try:
                attempt, outcome = self._answers.get(block)
            except Empty:
                return
            self._in_flight -= 1
            block = False
            if isinstance(outcome, BaseException):
                self._error = self._error or outcome
                outcome = Unknown(f"the request broke off in notifyctl itself ({type(outcome).__name__})")
            self._result(attempt, outcome)

    def _result(self, attempt: Attempt, outcome: Outcome) -> None:
        """RESULT: record how the attempt ended, and decide what follows."""
        self._outcomes[attempt.number] = outcome
        try:
            point(Point.RESULT_HEARD)
            self._record(attempt, outcome)
            point(Point.RESULT_COMMITTED)
        except Exception as error:  # noqa: BLE001 - raised again when the rest is recorded
            self._error = self._error or error
            return
        again = False
        if isinstance(outcome, Refused):
            self._refused = self._refused or outcome.reason
        elif isinstance(outcome, Rejected) and outcome.retryable:
            again = self._try_again(attempt, outcome)
        self._tell(Settled(attempt.number, attempt.part.size, outcome, again, attempt.attempt))

    def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        for pause in (*SETTLE_PAUSES, None):
            try:
                self._writer.settle(attempt.number, attempt.attempt, outcome, at=self._clock.now())
            except (LedgerError, LedgerLockedError) as error:
                if pause is None or isinstance(error, LedgerLockedError):
                    raise self._kept(attempt, outcome, error) from error
                self._clock.sleep(pause)
            else:
                return

    def _kept(self, attempt: Attempt, outcome: Outcome, error: NotifyctlError) -> NotifyctlError:
        """Put a result that cannot be committed where the next run finds it, and say so."""
        kind = LedgerLockedError if isinstance(error, LedgerLockedError) else LedgerError
        said = f"batch {attempt.number} was sent, and how it ended could not be recorded: {error.message}"
        if self._keep is not None:
            try:
                self._keep(attempt.number, attempt.attempt, outcome, self._clock.now())
            except OSError as worse:
                said += f"; nor could it be kept beside the ledger: {worse.strerror}"
            else:
                hint = "it is kept beside the ledger, and the next apply reads it in; mend the ledger's disk first"
                return kind(said, hint=hint)
        return kind(
            f"{said}\n  the answer was: {outcome}",
            hint="its recipients are uncertain and are not sent to again; mend the ledger's disk, then `notifyctl plan`"
            " shows them, and `notifyctl resolve` settles them",
        )

    def _try_again(self, attempt: Attempt, rejected: Rejected) -> bool:
        """Put the batch back after a rejection that may pass. Others wait as long: what it met, they would meet too."""
        if attempt.attempt == MAX_ATTEMPTS:
            # Nobody is there: the other batches stay not begun, rather than fail one by one.
            self._unreachable = self._unreachable or rejected.status is None
            return False
        delay = self._chance.uniform(0, min(BACK_OFF_CAP, BACK_OFF * 2 ** (attempt.attempt - 1)))
        delay = max(delay, min(rejected.retry_after or 0.0, RETRY_AFTER_CAP))
        self._pacer.hold_off(delay)
        due = self._clock.monotonic() + delay
        heapq.heappush(self._retries, Attempt(due, attempt.number, attempt.attempt + 1, attempt.part))
        return self._open

    def _pause(self, seconds: float, why: str) -> None:
        """Wait in small steps and record what comes in meanwhile; not to the end when nothing new may be begun."""
        self._tell(Waiting(seconds, why))
        until = self._clock.monotonic() + seconds
        while self._open and (rest := until - self._clock.monotonic()) > INSTANT:
            self._clock.sleep(min(rest, STEP))
            self._take_answers(block=False)

    def report(self) -> Report:
        scopes: defaultdict[Scope, Counts] = defaultdict(Counts)
        batches, reasons = Counts(), Counter[str]()
        for number, (scope, size) in self._planned.items():
            outcome = self._outcomes.get(number)
            scopes[scope] += counted(outcome, size)
            batches += Counts(accepted=1) if isinstance(outcome, Accepted) else counted(outcome, 1)
            if isinstance(outcome, Accepted):
                reasons.update(outcome.refused.values())
                if outcome.unheard:
                    reasons["the answer lists its recipients and does not name them"] += len(outcome.unheard)
            if isinstance(outcome, Rejected | Unknown):
                reasons[outcome.reason] += size
        if self._late:
            reasons["the window shut, or the message lapsed, before its turn came"] = self._late
        return Report(
            recipients=sum(scopes.values(), Counts()),
            batches=batches,
            scopes=dict(scopes),
            requests=self._requests,
            reasons=dict(reasons.most_common(REASONS_KEPT)),
            refused=self._refused,
            interrupted=self._stop.requested,
        )


def counted(outcome: Outcome | None, size: int) -> Counts:
    if outcome is None:
        return Counts(not_begun=size)
    if isinstance(outcome, Accepted):
        rejected, unknown = len(outcome.refused), len(outcome.unheard)
        return Counts(accepted=size - rejected - unknown, rejected=rejected, unknown=unknown)
    return Counts(unknown=size) if isinstance(outcome, Unknown) else Counts(rejected=size)
