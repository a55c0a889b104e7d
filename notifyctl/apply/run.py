"""The send protocol: PLAN all batches; then for each RESERVE a place in the rate, ARM durably, POST once, record the RESULT.

One thread does everything but the POST: it alone uses the ledger, the clock and the caller's callback. A request is armed
right before it is posted, so that after a crash only requests in flight have an unknown outcome.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random

from msgspec.structs import replace

from notifyctl.apply import turn
from notifyctl.apply.attempts import TOO_LATE, Attempt, PreparedAttempt
from notifyctl.apply.counters import Counters
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.outcomes import Keep, OutcomeRecorder
from notifyctl.apply.pacing import Pacer
from notifyctl.apply.report import Event, Planned, Report, Sent, Settled, Waiting
from notifyctl.apply.retries import MAX_ATTEMPTS, RETRY_AFTER_CAP, RetryQueue
from notifyctl.apply.workers import SEND_BY, ArmedAt, Workers
from notifyctl.apply.write_ahead import WriteAhead
from notifyctl.fault_injection import Point, point
from notifyctl.model.batch import Batch, Outcome, PreparedRequest, Refused, Rejected, Unknown
from notifyctl.ports import Clock, LedgerWriter, Provider

__all__ = [
    "MAX_ATTEMPTS",
    "RETRY_AFTER_CAP",
    "SEND_BY",
    "Event",
    "Job",
    "Planned",
    "Report",
    "Sent",
    "Settled",
    "Stop",
    "Waiting",
    "dry_run",
    "run",
]

STEP = 0.05
"""Seconds between checks for a request to stop. Longer waits are reported."""
INSTANT = 1e-6
"""Seconds too short to wait for."""


def run(
    job: Job,
    *,
    writer: LedgerWriter,
    provider: Provider,
    clock: Clock,
    on_event: Callable[[Event], None],
    stop: Stop,
    keep: Keep | None = None,
    random: Random | None = None,
) -> Report:
    """Send everything in the job that can be sent.

    `on_event` is called on the calling thread. `keep` stores outcomes that cannot be committed, for the next run.
    `random` spreads retries.

    Raises LedgerError or LedgerLockedError if the ledger cannot record any more: then no further request was started, and
    the outcomes of those in flight were recorded as far as possible.
    """
    sending = SendRun(job, writer, provider, clock, on_event, stop, keep, random or Random())  # noqa: S311 - spreads retries
    sending.plan()
    try:
        sending.send_all()
    finally:
        sending.finish()
    return sending.report()


def dry_run(job: Job, *, next_batch: int, provider: Provider) -> Iterator[tuple[Batch, PreparedRequest]]:
    """The batches that `run` would make and the requests it would post. `next_batch`: the number of the first one."""
    for number, piece in enumerate(job.slices(), next_batch):
        batch = job.batch(piece, number, 1, seal=job.seal(piece, number))
        yield batch, provider.prepare(batch)


class SendRun:
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
        random: Random,
    ) -> None:
        self._job = job
        self._writer = writer
        self._provider = provider
        self._clock = clock
        self._on_event = on_event
        self._stop = stop
        self._pacer = Pacer(job.limits, clock)
        self._workers = Workers(provider, clock)
        self._recorder = OutcomeRecorder(writer, clock, keep)
        self._counters = Counters()
        self._write_ahead = WriteAhead(job, writer, clock, self._counters)
        self._first_attempts: Iterator[Attempt] = iter(())
        self._prepared: PreparedAttempt | None = None
        self._split: deque[PreparedAttempt] = deque()
        """The rest of an attempt that became several."""
        self._retries = RetryQueue(clock, random)
        self._began: datetime | None = None
        """When the turn of the first attempt came."""
        self._expired = 0
        self._refused: str | None = None
        self._unreachable = False
        self._error: BaseException | None = None

    def plan(self) -> None:
        """PLAN, then open the scopes: a run that breaks off in between has opened none of them partly."""
        self._write_ahead.record()
        for opening in self._job.openings:
            self._writer.open_scope(
                opening.scope, opening.held, at=self._clock.now(), likeness=opening.likeness
            )
            point(Point.OPEN_COMMITTED)
        self._first_attempts = self._write_ahead.attempts()
        self._on_event(Planned(self._counters.batches, self._counters.recipients))

    def send_all(self) -> None:
        """Start attempts and record their outcomes until neither is left. Raises what ended the run early."""
        while True:
            self._record_outcomes(block=False)
            can_start = self._open and self._workers.in_flight < self._job.limits.concurrency
            if can_start and (prepared := self._next()) is not None:
                self._start(prepared)
            elif can_start and self._retries:
                self._pause(self._retries.wait, "before retrying")
            elif self._workers.in_flight:
                self._prepare_next()
                self._record_outcomes(block=True)
            else:
                break
        if self._error is not None:
            raise self._error

    @property
    def _open(self) -> bool:
        """Whether another attempt can start."""
        ended = self._refused is not None or self._unreachable or self._error is not None
        return not (ended or self._stop.requested)

    def _next(self) -> PreparedAttempt | None:
        """The next attempt: a retry once it is due; a first attempt only while no retry waits."""
        if self._split:
            return self._split.popleft()
        if self._retries:
            return self._prepare(self._retries.pop()) if self._retries.wait < INSTANT else None
        self._prepare_next()
        prepared, self._prepared = self._prepared, None
        return prepared

    def _prepare_next(self) -> None:
        """Prepare the next first attempt while others are in flight."""
        if self._prepared is None and self._open:
            try:
                attempt = next(self._first_attempts, None)
                self._prepared = self._prepare(attempt) if attempt is not None else None
            except Exception as error:  # noqa: BLE001 - raised again once what is in flight is recorded
                self._error = self._error or error

    def _prepare(self, attempt: Attempt) -> PreparedAttempt:
        seal = self._job.seal(attempt.slice, attempt.number)
        batch = self._job.batch(attempt.slice, attempt.number, attempt.attempt, seal=seal)
        return PreparedAttempt(attempt, seal, self._provider.prepare(batch))

    def _start(self, prepared: PreparedAttempt) -> None:
        """RESERVE, ARM and POST one attempt, if it can still be sent when its turn comes."""
        self._reserve()
        current = self._still_sendable(prepared) if self._open else None
        if current is None:
            return
        armed_at = ArmedAt(self._clock.now(), self._clock.monotonic())
        if self._arm(current):
            self._post(current, armed_at)

    def _reserve(self) -> None:
        """RESERVE: wait until the account's rate allows the next request."""
        while self._open and (seconds := self._pacer.wait()) > INSTANT:
            if seconds > STEP:
                self._pause(seconds, "to keep to the account's rate")
            else:
                self._workers.wait(seconds)
                self._record_outcomes(block=False)
        point(Point.RESERVED)

    def _still_sendable(self, prepared: PreparedAttempt) -> PreparedAttempt | None:
        """The attempt, or the first of what is left of it now: without those who opted out, or None."""
        attempt = prepared.attempt
        self._began = self._began or self._clock.now()
        if turn.is_too_late(attempt.slice, self._began, self._clock):
            self._counters.held_back(attempt.slice.size, TOO_LATE)
            self._expired += self._expires(attempt)
            return None
        try:
            current = self._write_ahead.still_wanted(attempt)
            if len(current) == 1 and current[0] is attempt:
                return self._due_now(prepared)
            self._split.extend(map(self._prepare, current))
            return self._due_now(self._split.popleft()) if self._split else None
        except Exception as error:  # noqa: BLE001 - raised again once what is in flight is recorded
            self._error = self._error or error
            return None

    def _expires(self, attempt: Attempt) -> int:
        """How many of an attempt that is too late no later apply goes on with."""
        is_first = attempt.tries == 1
        return attempt.slice.size if is_first and turn.is_over(attempt.slice, self._began) else 0

    def _due_now(self, prepared: PreparedAttempt) -> PreparedAttempt:
        """The attempt without a `sendAt` that has passed while it waited for its turn."""
        attempt = prepared.attempt
        piece = turn.due_now(attempt.slice, self._clock)
        return prepared if piece is attempt.slice else self._prepare(replace(attempt, slice=piece))

    def _arm(self, prepared: PreparedAttempt) -> bool:
        """ARM: record that the attempt starts. Without that record nothing is posted."""
        attempt = prepared.attempt
        try:
            self._writer.arm(attempt.number, attempt.attempt, seal=prepared.seal, at=self._clock.now())
        except Exception as error:  # noqa: BLE001 - raised again once what is in flight is recorded
            self._error = self._error or error
            return False
        return True

    def _post(self, prepared: PreparedAttempt, armed_at: ArmedAt) -> None:
        """POST on a worker thread."""
        attempt = prepared.attempt
        self._pacer.started(attempt.slice.size)
        self._workers.submit(prepared, armed_at)
        self._on_event(Sent(attempt.number, attempt.slice.size, attempt.attempt))

    def _record_outcomes(self, *, block: bool) -> None:
        """Record every outcome that has arrived; with `block`, wait for the first."""
        for attempt, outcome in self._workers.outcomes(block=block):
            if isinstance(outcome, BaseException):
                self._error = self._error or outcome
                outcome = Unknown(f"notifyctl failed during the request ({type(outcome).__name__})")  # noqa: PLW2901
            self._record(attempt, outcome)

    def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        """RESULT: record how the attempt ended, and decide what follows."""
        size = attempt.slice.size
        outcome = turn.outcome_to_keep(attempt.slice, outcome)
        self._counters.requests += outcome.posted
        self._counters.ended(attempt.number, attempt.slice.scope, size, outcome)
        try:
            point(Point.RESULT_HEARD)
            self._recorder.record(attempt, outcome)
        except Exception as error:  # noqa: BLE001 - raised again once what is in flight is recorded
            self._error = self._error or error
            return
        again = False
        if isinstance(outcome, Refused):
            self._refused = self._refused or outcome.reason
        elif isinstance(outcome, Rejected) and outcome.retryable:
            again = self._retry(attempt, outcome)
        self._on_event(Settled(attempt.number, size, outcome, again, attempt.attempt))

    def _retry(self, attempt: Attempt, rejected: Rejected) -> bool:
        """Queue the batch again after a retryable rejection. Others wait as long: they would meet the same."""
        if attempt.tries == MAX_ATTEMPTS:
            # The provider cannot be reached: leave the other batches unattempted rather than fail one by one.
            self._unreachable = self._unreachable or rejected.status is None
            return False
        self._pacer.hold_off(self._retries.put(attempt, rejected))
        return self._open

    def _pause(self, seconds: float, why: str) -> None:
        """Wait, and record outcomes meanwhile. Ends early once no further attempt can start."""
        self._on_event(Waiting(seconds, why))
        until = self._clock.monotonic() + seconds
        while self._open and (left := until - self._clock.monotonic()) > INSTANT:
            self._workers.wait(min(left, STEP))
            self._record_outcomes(block=False)

    def finish(self) -> None:
        """Record outcomes that have arrived, and let the workers go."""
        self._record_outcomes(block=False)
        self._workers.stop()

    def report(self) -> Report:
        """The report of what was done so far."""
        report = self._counters.report(refused=self._refused, interrupted=self._stop.requested)
        expired, until = self._expired, None
        for attempt in self._never_begun():
            group = attempt.slice.group
            if attempt.slice.has_lapsed(self._clock):
                expired += self._expires(attempt)
            elif group.final and group.not_after is not None:
                until = min(until or group.not_after, group.not_after)
        return replace(report, expired=expired, goes_on_until=until)

    def _never_begun(self) -> Iterator[Attempt]:
        """First attempts whose turn did not come."""
        yield from (each.attempt for each in (self._prepared, *self._split) if each is not None)
        if self._error is None and any(each.not_after for each in self._job.groups):
            yield from self._first_attempts
