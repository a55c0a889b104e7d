"""The send protocol: PLAN all batches; then for each RESERVE a place in the rate, ARM durably, POST once, record the RESULT.

Small batches are armed several in one commit, and leave in their turn, some at once. One thread does all but the POST: it alone
speaks to the ledger, the clock and the caller. What is in flight when this process dies is in the ledger as begun, so it is uncertain and
nobody gets it twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from random import Random

from notifyctl.apply.intents import Fresh, Intents
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.pacing import CATCH_UP, Pacer
from notifyctl.apply.report import Event, Planned, Report, Sent, Settled, Waiting
from notifyctl.apply.results import Keep, Results
from notifyctl.apply.retries import MAX_ATTEMPTS, RETRY_AFTER_CAP, Retries
from notifyctl.apply.senders import (
    LAPSED,
    NEVER_LEFT,
    SEND_BY,
    TOO_LATE,
    Attempt,
    Ready,
    Senders,
    Since,
    Work,
    left,
)
from notifyctl.apply.tally import Tally
from notifyctl.apply.together import Together
from notifyctl.faults import Point, point
from notifyctl.model.batch import AttemptStart, Batch, Outcome, PreparedRequest, Refused, Rejected, Unknown
from notifyctl.ports import Clock, LedgerWriter, Provider
from notifyctl.records import replace

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
"""Seconds after which a wait looks whether it was told to stop. In a longer one an answer is heard at once, and told of."""
INSTANT = 1e-6
"""Seconds too short to wait for."""
LATE = 0.09
"""Seconds by which one of several small requests may leave late, so that some leave at once: less than pacing.CATCH_UP."""
ARMED_FOR = 1.0
"""Seconds that what is begun may have to wait for its turn; where it is longer, it is taken back."""


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
    try:
        sending.send_all()
    finally:
        sending.end()
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
        self._pacer = Pacer(job.limits, clock)
        self._together = Together(self._pacer, clock)
        self._senders = Senders(provider, clock, most=job.limits.concurrency, stop=stop)
        self._results = Results(writer, clock, keep)
        self._tally = Tally()
        self._intents = Intents(job, writer, clock, self._tally)
        self._fresh = Fresh(iter(()))
        self._ready: Sequence[Ready] = ()
        self._armed: deque[Work] = deque()
        self._retries = Retries(clock, chance)
        self._refused: str | None = None
        self._unreachable = False
        self._error: BaseException | None = None

    def plan(self) -> None:
        """PLAN, then open the scopes; a run that breaks off between has opened nothing by halves."""
        self._intents.record()
        for opening in self._job.openings:
            self._writer.open_scope(opening.scope, opening.held, at=self._clock.now())
            point(Point.OPEN_COMMITTED)
        self._fresh = Fresh(self._intents.attempts())
        self._tell(Planned(self._tally.batches, self._tally.recipients))

    def send_all(self) -> None:
        """Begin what may be begun, record what comes back, until neither is left. Raises what ended the run early."""
        while True:
            self._take_answers(block=False)
            self._take_back()
            free = self._open and self._senders.in_flight < self._job.limits.concurrency
            if self._armed and (free or self._may_wait_behind):
                self._post_due()
            elif free and (group := self._next()):
                self._begin(group)
            elif free and self._retries:
                self._pause(self._retries.rest, "before trying again")
            elif self._senders.in_flight:
                self._look_ahead()
                self._wait_for_answers()
            elif self._results:
                self._record()
            else:
                break
        if self._error is not None:
            raise self._error

    @property
    def _open(self) -> bool:
        """Whether anything new may be begun."""
        ended = self._refused is not None or self._unreachable or self._error is not None
        return not (ended or self._stop.requested)

    @property
    def _may_wait_behind(self) -> bool:
        """Whether what was begun may be handed over behind those in flight, where it leaves without waking us: no more than is
        made good when it leaves late.
        """
        waiting, part = self._senders.waiting + 1, self._armed[0][0].attempt.part
        return self._open and self._pacer.takes(part.size * waiting, waiting) <= CATCH_UP

    def _next(self) -> Sequence[Ready]:
        """A retry when its time has come; batches that were never begun only when no retry waits."""
        if not self._retries:
            self._look_ahead()
            ready, self._ready = self._ready, ()
            return ready
        due = self._retries.rest < INSTANT
        return (self._prepared(self._retries.pop()),) if due else ()

    def _look_ahead(self) -> None:
        """Have the next batches that were never begun at hand, while others are in flight."""
        if not self._ready and self._open:
            try:
                self._ready = [self._prepared(attempt) for attempt in self._fresh.group(self._together)]
            except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
                self._error = self._error or error

    def _prepared(self, attempt: Attempt) -> Ready:
        seal = self._job.seal(attempt.part, attempt.number)
        batch = self._job.batch(attempt.part, attempt.number, attempt.attempt, seal=seal)
        return Ready(attempt, seal, self._provider.prepare(batch))

    def _begin(self, group: Sequence[Ready]) -> None:
        """Begin those of a group that can be begun still, once the first of them has its turn."""
        self._reserve(len(group))
        if not self._open:
            return
        found = [still for ready in group if (still := self._still(ready)) is not None]
        since = Since(self._clock.now(), self._clock.monotonic())
        if found and self._error is None and self._arm(found):
            self._results.lingers = len(found) > 1
            self._armed.extend((ready, since) for ready in found)
            self._post()

    def _reserve(self, many: int) -> None:
        """RESERVE: wait until the account's rate has room for the next of so many."""
        while self._open and (seconds := self._pacer.wait()) > INSTANT:
            if seconds > STEP:
                self._pause(seconds, "to keep the account's rate")
            else:
                # Not woken by each answer, and for more than one request at a time: to wake up costs as much as to send one.
                self._senders.help()
                self._clock.sleep(seconds + (LATE if many > 1 else 0.0))
        point(Point.RESERVED)

    def _still(self, ready: Ready) -> Ready | None:
        """The batch, or what is left of it by now. None: nothing is, or it could not be recorded."""
        part = ready.attempt.part
        if part.lapsed(self._clock):
            self._tally.held_back(part.size, TOO_LATE)
            return None
        try:
            again = self._intents.without_opted_out(ready.attempt)
            if again is ready.attempt:
                return ready
            return self._prepared(again) if again is not None else None
        except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
            self._error = self._error or error
            return None

    def _arm(self, group: Sequence[Ready]) -> bool:
        """ARM: record that the attempts begin. Without that record nothing may leave."""
        beginnings = [AttemptStart(each.attempt.number, each.attempt.attempt, each.seal) for each in group]
        try:
            self._writer.arm_all(beginnings, at=self._clock.now())
            point(Point.ARM_COMMITTED)
        except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
            self._error = self._error or error
            return False
        return True

    def _post_due(self) -> None:
        """Hand over what was begun with others, once the first of it has its turn, and what has it by then."""
        self._reserve(len(self._armed))
        while self._open:
            self._post()
            if not self._armed or self._pacer.wait() > INSTANT or not self._may_wait_behind:
                self._senders.help()
                return
            point(Point.RESERVED)

    def _post(self) -> None:
        """POST, on another thread, what was begun first."""
        ready, since = self._armed.popleft()
        attempt = ready.attempt
        if attempt.part.lapsed(self._clock):
            self._hear(attempt, Rejected(LAPSED))
            return
        self._pacer.started(attempt.part.size)
        self._senders.post(ready, since, together=self._results.lingers)
        if not self._armed:
            self._together.gone(self._clock.monotonic() - since.monotonic)
        self._tell(Sent(attempt.number, attempt.part.size, attempt.attempt))

    def _take_back(self) -> None:
        """Whatever was not accepted may keep back what waits behind it; what must wait for long does not wait begun."""
        if self._senders.halted or not self._open:
            self._armed.extendleft(reversed(self._senders.back()))
        if self._armed and not (self._open and self._pacer.wait() < ARMED_FOR):
            self._recall()

    def _recall(self) -> None:
        """Record of what was begun and not handed over that it never left, so that nobody is uncertain for nothing."""
        while self._armed:
            attempt = self._armed.popleft()[0].attempt
            self._hear(replace(attempt, tries=attempt.tries - 1), Rejected(NEVER_LEFT, retryable=True))
        self._record()

    def _wait_for_answers(self) -> None:
        """Until one comes, or those that came have waited long enough to be recorded."""
        if self._results:
            self._senders.wait(self._results.rest)
        self._take_answers(block=not self._results)

    def _take_answers(self, *, block: bool) -> None:
        """Hear every answer that has come, and record what is due; with `block` wait for the first."""
        for attempt, outcome in self._senders.answers(block=block):
            if isinstance(outcome, BaseException):
                self._error = self._error or outcome
                outcome = Unknown(f"the request broke off in notifyctl itself ({type(outcome).__name__})")  # noqa: PLW2901
            self._tally.requests += left(outcome)
            self._hear(attempt, outcome)
            if self._results.full:
                self._record()
        if self._results and not self._results.rest:
            self._record()

    def _hear(self, attempt: Attempt, outcome: Outcome) -> None:
        self._together.heard(outcome)
        try:
            point(Point.RESULT_HEARD)
        except Exception as error:  # noqa: BLE001 - raised again when the rest is recorded
            self._error = self._error or error
            self._tally.ended(attempt.number, attempt.part.scope, attempt.part.size, outcome)
        else:
            self._results.hear(attempt, outcome)

    def _record(self) -> None:
        """RESULT: record how attempts ended, and decide what follows."""
        for attempt, outcome in self._results.heard:
            self._tally.ended(attempt.number, attempt.part.scope, attempt.part.size, outcome)
        recorded = self._results.record()
        self._error = self._error or self._results.error
        for attempt, outcome in recorded:
            again = False
            if isinstance(outcome, Refused):
                self._refused = self._refused or outcome.reason
            elif isinstance(outcome, Rejected) and outcome.retryable:
                again = self._try_again(attempt, outcome)
            self._tell(Settled(attempt.number, attempt.part.size, outcome, again, attempt.attempt))

    def _try_again(self, attempt: Attempt, rejected: Rejected) -> bool:
        """Put the batch back after a rejection that may pass. Others wait as long: what it met, they would meet too."""
        if attempt.tries == MAX_ATTEMPTS:
            # Nobody is there: the other batches stay not begun, rather than fail one by one.
            self._unreachable = self._unreachable or rejected.status is None
            return False
        self._pacer.hold_off(self._retries.put(attempt, rejected))
        return self._open

    def _pause(self, seconds: float, why: str) -> None:
        """Wait, and record what comes in meanwhile; not to the end when nothing new may be begun."""
        self._tell(Waiting(seconds, why))
        until = self._clock.monotonic() + seconds
        while self._open and (rest := until - self._clock.monotonic()) > INSTANT:
            self._senders.wait(min(rest, STEP))
            self._take_answers(block=False)

    def end(self) -> None:
        """Nothing more leaves; what was heard meanwhile is recorded, and of what has not left that it never did."""
        self._armed.extendleft(reversed(self._senders.back()))
        self._take_answers(block=False)
        self._recall()
        self._senders.end()

    def report(self) -> Report:
        return self._tally.report(refused=self._refused, interrupted=self._stop.requested)
