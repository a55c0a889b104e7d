"""The send protocol: PLAN all batches; then for each RESERVE a place in the rate, ARM durably, POST once, record the RESULT.

One thread does all but the POST: it alone speaks to the ledger, the clock and the caller. What is in flight when this
process dies is in the ledger as begun, so it is uncertain and nobody gets it twice.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from random import Random

from notifyctl.apply.batches import Slice
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.pacing import Pacer
from notifyctl.apply.report import Event, Planned, Report, Sent, Settled, Waiting
from notifyctl.apply.senders import SEND_BY, Attempt, Ready, Senders, Since
from notifyctl.apply.tally import OPTED_OUT, TOO_LATE, Tally
from notifyctl.delivery import (
    MEMBER_BYTES,
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

__all__ = [
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

PLANNED_AT_ONCE = 64
"""Batches recorded in one commit: at 1,000 recipients each, less than 2 MB."""
MAX_ATTEMPTS = 5
"""Of one batch within a run, each after a certain rejection that may be tried again."""
BACK_OFF, BACK_OFF_CAP = 0.5, 30.0
"""Seconds: the first retry comes within half a second, each later one within twice the time of the one before."""
RETRY_AFTER_CAP = 60.0
"""Seconds that the provider may ask us to wait."""
STEP = 0.05
"""Seconds after which a wait looks whether it was told to stop. An answer ends it at once."""
INSTANT = 1e-6
"""Seconds too short to wait for."""
SETTLE_PAUSES = (0.1, 0.5, 2.0)
"""Seconds between attempts to record an outcome in a ledger that fails."""
Keep = Callable[[int, int, Outcome, datetime], None]
"""Batch, attempt, outcome and time → kept durably for the next run. Raises OSError."""


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
        self._keep = keep
        self._chance = chance
        self._pacer = Pacer(job.limits, clock)
        self._senders = Senders(provider, clock)
        self._tally = Tally()
        self._numbers, self._prints = array("q"), array("q")
        self._fresh: Iterator[Attempt] = iter(())
        self._ready: Ready | None = None
        self._retries: list[Attempt] = []
        self._refused: str | None = None
        self._unreachable = False
        self._error: BaseException | None = None

    def plan(self) -> None:
        """PLAN: record every batch, then open the scopes; a run that breaks off between has opened nothing by halves."""
        batches = self._job.members()
        while chunk := list(islice(batches, PLANNED_AT_ONCE)):
            self._plan_chunk(chunk)
        for opening in self._job.openings:
            self._writer.open_scope(opening.scope, opening.held, at=self._clock.now())
            point(Point.OPEN_COMMITTED)
        self._fresh = self._recorded()
        self._tell(Planned(self._tally.batches, self._tally.recipients))

    def _plan_chunk(self, chunk: Sequence[tuple[Scope, bytes]]) -> None:
        for scope, grouped in groupby(chunk, key=itemgetter(0)):
            members = [packed for _, packed in grouped]
            numbers = self._writer.plan_batches(scope, members, at=self._clock.now())
            point(Point.PLAN_COMMITTED)
            self._numbers.extend(numbers)
            self._prints.extend(map(hash, members))
            for packed in members:
                self._tally.planned(scope, len(packed) // MEMBER_BYTES)

    def _recorded(self) -> Iterator[Attempt]:
        """The batches as a whole, which nobody could hold: each must be what the ledger has of it."""
        parts = self._job.slices()
        for number, print_, part in zip(self._numbers, self._prints, parts, strict=True):
            if hash(part.members) != print_:
                raise RuntimeError(f"batch {number} is not made of the people who are recorded in it")
            yield Attempt(0.0, number, 1, part)

    def send_all(self) -> None:
        """Begin what may be begun, record what comes back, until neither is left. Raises what ended the run early."""
        while True:
            self._take_answers(block=False)
            free = self._open and self._senders.in_flight < self._job.limits.concurrency
            ready = self._next() if free else None
            if ready is not None:
                self._begin(ready)
            elif free and self._retries:
                self._pause(self._retries[0].due - self._clock.monotonic(), "before trying again")
            elif self._senders.in_flight:
                self._look_ahead()
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

    def _next(self) -> Ready | None:
        """A retry when its time has come; a batch that was never begun only when no retry waits."""
        if not self._retries:
            self._look_ahead()
            ready, self._ready = self._ready, None
            return ready
        due = self._retries[0].due - self._clock.monotonic() < INSTANT
        return self._prepared(heapq.heappop(self._retries)) if due else None

    def _look_ahead(self) -> None:
        """Have the next batch that was never begun at hand, while others are in flight."""
        if self._ready is None and self._open:
            try:
                attempt = next(self._fresh, None)
                self._ready = self._prepared(attempt) if attempt is not None else None
            except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
                self._error = self._error or error

    def _prepared(self, attempt: Attempt) -> Ready:
        seal = self._job.seal(attempt.part, attempt.number)
        batch = self._job.batch(attempt.part, attempt.number, attempt.attempt, seal=seal)
        return Ready(attempt, seal, self._provider.prepare(batch))

    def _begin(self, ready: Ready) -> None:
        self._reserve()
        point(Point.RESERVED)
        if not (self._open and self._in_time(ready.attempt.part)):
            return
        still = self._without_opted_out(ready)
        since = Since(self._clock.now(), self._clock.monotonic())
        if still is not None and self._arm(still.attempt, still.seal):
            self._pacer.started(still.attempt.part.size)
            self._post(still, since)

    def _reserve(self) -> None:
        """RESERVE: wait until the account's rate has room."""
        while self._open and (seconds := self._pacer.wait()) > INSTANT:
            self._pause(seconds, "to keep the account's rate")

    def _in_time(self, part: Slice) -> bool:
        """Whether its window is still open: pacing a large audience takes longer than some windows."""
        ends = part.consignment.not_after
        if ends is None or self._clock.now() < ends:
            return True
        self._tally.held_back(part.size, TOO_LATE)
        return False

    def _without_opted_out(self, ready: Ready) -> Ready | None:
        """The batch, if everybody in it still wants it; else one of those who do, recorded anew. None: nobody does, or
        it could not be recorded.
        """
        attempt, ask = ready.attempt, self._job.opted_out
        try:
            gone = ask(attempt.part.scope, attempt.part.units.destinations) if ask is not None else ()
            if not gone:
                return ready
            again = self._planned_without(attempt, gone)
            return self._prepared(again) if again is not None else None
        except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
            self._error = self._error or error
            return None

    def _planned_without(self, attempt: Attempt, gone: Collection[int]) -> Attempt | None:
        """PLAN, for one batch: what was recorded is never changed, so the others get a batch of their own. None: nobody is
        left.
        """
        part = attempt.part.without(gone)
        if attempt.attempt == 1:
            self._tally.held_back(attempt.part.size - part.size, OPTED_OUT)
        if not part.size:
            return None
        (number,) = self._writer.plan_batches(part.scope, [part.members], at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._tally.replanned(attempt.number, attempt.part.size - part.size)
        return Attempt(attempt.due, number, 1, part)

    def _arm(self, attempt: Attempt, seal: bytes) -> bool:
        """ARM: record that the attempt begins. Without that record nothing may leave."""
        try:
            self._writer.arm(attempt.number, attempt.attempt, seal=seal, at=self._clock.now())
            point(Point.ARM_COMMITTED)
        except Exception as error:  # noqa: BLE001 - raised again when what is in flight is recorded
            self._error = self._error or error
            return False
        return True

    def _post(self, ready: Ready, since: Since) -> None:
        """POST, on another thread. `since`: when ARM began."""
        attempt = ready.attempt
        self._senders.post(attempt, ready.request, since)
        self._tally.requests += 1
        self._tell(Sent(attempt.number, attempt.part.size, attempt.attempt))

    def _take_answers(self, *, block: bool) -> None:
        """Record every answer that has come; with `block` wait for the first."""
        for attempt, outcome in self._senders.answers(block=block):
            if isinstance(outcome, BaseException):
                self._error = self._error or outcome
                outcome = Unknown(f"the request broke off in notifyctl itself ({type(outcome).__name__})")  # noqa: PLW2901
            self._result(attempt, outcome)

    def _result(self, attempt: Attempt, outcome: Outcome) -> None:
        """RESULT: record how the attempt ended, and decide what follows."""
        self._tally.ended(attempt.number, attempt.part.scope, attempt.part.size, outcome)
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
        """Wait, and record what comes in meanwhile; not to the end when nothing new may be begun."""
        self._tell(Waiting(seconds, why))
        until = self._clock.monotonic() + seconds
        while self._open and (rest := until - self._clock.monotonic()) > INSTANT:
            self._senders.wait(min(rest, STEP))
            self._take_answers(block=False)

    def end(self) -> None:
        self._senders.end()

    def report(self) -> Report:
        return self._tally.report(refused=self._refused, interrupted=self._stop.requested)
