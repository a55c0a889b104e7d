"""The send protocol of one batch, as a worker carries it out for a job: what the ledger decides, RESERVE, ARM, POST, RESULT.

Safe for several threads, each with a session of its own. What is sent, and when it is too late, is decided by the rules of a run
(`turn`). A job can come twice, late or never: the ledger alone says what is still to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from random import Random
from threading import Lock
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.apply import turn
from notifyctl.apply.attempts import TOO_LATE, Attempt
from notifyctl.apply.batches import BatchSlice
from notifyctl.apply.counters import OPTED_OUT
from notifyctl.apply.job import Job, Stop
from notifyctl.apply.outcomes import Keep, OutcomeRecorder
from notifyctl.apply.report import Event, Sent, Settled
from notifyctl.apply.retries import MAX_ATTEMPTS, retry_delay
from notifyctl.apply.workers import ArmedAt, refuse_late
from notifyctl.errors import HaltedError, LedgerError, LedgerLockedError
from notifyctl.fault_injection import Point, point
from notifyctl.model.batch import Outcome, Refused, Rejected, Unknown
from notifyctl.model.campaign import PlannedAgain
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.left_out import SMS_FALLBACK
from notifyctl.model.message import LeftOut
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.ports import Clock, LedgerWriter, Provider

AT_ONCE, SOON, AWAY = 0.0, 1.0, 2.0
"""Seconds until a job comes again: whose turn was lost, that was halted, and whose database cannot be reached."""
WAIT_STEP = 0.1
"""Seconds between two looks whether to stop."""
MAX_REFUSALS = 5
"""Times that the ledger refuses to arm a batch before the campaign gives it up."""
RECORD_PAUSES = (0.1, 0.5, *[2.0] * 15)
"""Seconds between attempts to record an outcome: a database is started again within half a minute."""
CANNOT_BE_REACHED = "the provider cannot be reached"
SETTLED_ELSEWHERE = "receipts show that some of its recipients were sent it"


class CampaignSession(LedgerWriter, Protocol):
    """A worker's session with the ledger, for one campaign: a writer under the campaign's epoch."""

    def is_ended(self, number: int) -> bool:
        """Whether the campaign is done with a batch that was neither accepted nor left with an unknown outcome."""

    def planned_again(self, number: int) -> PlannedAgain | None:
        """Which batch of the campaign this one was made of; None for one that was planned with it."""

    def began(self) -> datetime | None:
        """When the campaign's first attempt began; None if none has."""

    def end_batch(self, number: int, reason: str, *, at: datetime) -> None:
        """Records that the campaign is done with a batch."""

    def plan_again(
        self, number: int, parts: Sequence[tuple[bytes, str | None]], *, at: datetime
    ) -> Sequence[int]:
        """Records what is left of a batch as batches of their own, with their jobs, in one commit. `parts`: packed members, and why
        the SMS fallback is left out.
        """

    def end_campaign(self, how: str, *, at: datetime) -> None:
        """Ends the campaign: no batch of it is armed any more."""

    def release(self, number: int, attempt: int, outcome: Rejected, *, at: datetime) -> None:
        """Records that an attempt of this worker never left, if its ARM was committed and nothing else was recorded."""

    def take_turn(self, destinations: int, *, clock: Clock, wait: Callable[[float], bool]) -> float | None:
        """RESERVE: waits until shortly before the account's next start, and returns it, by `clock.monotonic`. None if `wait` returned
        False.
        """

    def hold_off(self, seconds: float) -> None:
        """Lets no worker start anything for so many seconds."""


class Turn(Struct, frozen=True):
    """One try of a batch: as it is recorded, and as it is sent."""

    record: BatchRecord
    piece: BatchSlice

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def attempt(self) -> int:
        return self.record.attempt + 1


class BatchSender:
    """Sends the batches of one campaign. `sessions`: opens a session for one job. `slices`: its batches by number."""

    def __init__(
        self,
        job: Job,
        slices: Mapping[int, BatchSlice],
        *,
        epoch: int,
        sessions: Callable[[], AbstractContextManager[CampaignSession]],
        provider: Provider,
        clock: Clock,
        stop: Stop,
        on_event: Callable[[Event], None],
        keep: Keep | None = None,
        random: Random | None = None,
    ) -> None:
        self._job = job
        self._slices = slices
        self._epoch = epoch
        self._sessions = sessions
        self._provider = provider
        self._clock = clock
        self._stop = stop
        self._on_event = on_event
        self._keep = keep
        self._random = random or Random()  # noqa: S311 - spreads retries
        self._asking, self._taking = Lock(), Lock()
        self._in_hand: set[int] = set()
        """Batches that a thread of this worker has: of one whose job came twice, the second is of no use."""
        self._doubts: dict[int, int] = {}
        """Batch → the attempt of which it is not known whether its ARM was committed. Nothing of it was sent."""
        self._refusals: Counter[int] = Counter()
        self.halted: HaltedError | None = None
        self.over: str | None = None
        """Why nothing more of the campaign can be sent; None while something can."""

    def send(self, number: int) -> float | None:
        """Handles the job of a batch. Returns when it is to come again, in seconds, or None: it is done."""
        if self.over is not None:
            return None
        if self._stop.requested or self.halted is not None:
            return SOON
        try:
            return self._handle(number)
        except HaltedError as error:
            self.halted = error
            return SOON
        except LedgerLockedError as error:
            self._give_up(error.message)
            return None
        except LedgerError:
            return AWAY

    def _handle(self, number: int) -> float | None:
        with self._hold(number) as held, self._sessions() as session:
            return self._send(session, number) if held else None

    def release_doubts(self) -> None:
        """Records of attempts that may have been armed and never left that they did not. Raises LedgerError while that is impossible."""
        for number in tuple(self._doubts):
            with self._hold(number) as held:
                if held:
                    with self._sessions() as session:
                        self._release(session, number)

    @contextmanager
    def _hold(self, number: int) -> Iterator[bool]:
        """Takes a batch in hand; False if a thread of this worker has it already."""
        with self._taking:
            held = number not in self._in_hand
            self._in_hand.add(number)
        try:
            yield held
        finally:
            if held:
                with self._taking:
                    self._in_hand.discard(number)

    def _send(self, session: CampaignSession, number: int) -> float | None:
        self._release(session, number)
        found = self._find(session, number)
        if found is None or not (found := self._still_sendable(session, found)):
            return None
        start = session.take_turn(found.piece.size, clock=self._clock, wait=self._wait)
        if start is None:
            return AT_ONCE
        point(Point.RESERVED)
        # As the wait can have been long: what has closed or opted out meanwhile is found by the job when it comes again.
        closed = turn.is_too_late(found.piece, self._began(session), self._clock)
        if closed or not self._is_still_wanted(found.piece):
            return AT_ONCE
        return self._attempt(session, replace(found, piece=turn.due_now(found.piece, self._clock)), start)

    # What the ledger decides

    def _find(self, session: CampaignSession, number: int) -> Turn | None:
        """The batch, if it can be attempted."""
        record = session.find(number)
        if record is None or record.epoch != self._epoch or session.is_ended(number):
            return None
        if record.state not in {BatchState.PLANNED, BatchState.REJECTED}:
            return None
        if BatchState.ACCEPTED in record.others.values():
            session.end_batch(number, SETTLED_ELSEWHERE, at=self._clock.now())
            return None
        return Turn(record, self._slice(session, record))

    def _slice(self, session: CampaignSession, record: BatchRecord) -> BatchSlice:
        """The recipients of a recorded batch with their values, checked byte by byte."""
        if record.number in self._slices:
            piece = self._slices[record.number]
        else:
            origin, fallback = record.number, None
            while (again := session.planned_again(origin)) is not None:
                origin, fallback = again.of, fallback or again.fallback
            piece = self._slices[origin]
            wanted = set(split(record.members))
            piece = piece.only([at for at, each in enumerate(split(piece.members)) if each in wanted])
            if fallback is not None:
                piece = piece.leaving_out([LeftOut(SMS_FALLBACK, fallback)])
        if piece.members != record.members:
            raise RuntimeError(f"batch {record.number} does not consist of the recipients recorded in it")
        return piece

    def _began(self, session: CampaignSession) -> datetime:
        """When the campaign began to send: now, if nothing of it was attempted."""
        return session.began() or self._clock.now()

    def _still_sendable(self, session: CampaignSession, found: Turn) -> Turn | None:
        """The batch without destinations that opted out; None if it is too late, or was planned again without recipients."""
        if turn.is_too_late(found.piece, self._began(session), self._clock):
            session.end_batch(found.number, TOO_LATE, at=self._clock.now())
            return None
        wanted = self._ask(found.piece)
        if wanted.split:
            parts = [(part.members, fallback_of(part)) for part in wanted.parts]
            if parts:
                session.plan_again(found.number, parts, at=self._clock.now())
            else:
                session.end_batch(found.number, OPTED_OUT, at=self._clock.now())
            return None
        return replace(found, piece=wanted.parts[0])

    def _is_still_wanted(self, piece: BatchSlice) -> bool:
        parts = self._ask(piece).parts
        return len(parts) == 1 and parts[0] is piece

    def _ask(self, piece: BatchSlice) -> turn.Wanted:
        with self._asking:
            return turn.still_wanted(piece, self._job.opted_out)

    def _wait(self, seconds: float) -> bool:
        """Waits for a turn. False once nothing may start any more."""
        until = self._clock.monotonic() + seconds
        while not (self._stop.requested or self.over is not None or self.halted is not None):
            left = until - self._clock.monotonic()
            if left <= 0:
                return True
            self._clock.sleep(min(left, WAIT_STEP))
        return False

    # ARM, POST, RESULT

    def _attempt(self, session: CampaignSession, found: Turn, start: float) -> float | None:
        seal = self._job.seal(found.piece, found.number)
        batch = self._job.batch(found.piece, found.number, found.attempt, seal=seal)
        request = self._provider.prepare(batch)
        armed_at = ArmedAt(self._clock.now(), self._clock.monotonic())
        if not self._arm(session, found, seal):
            return AWAY
        self._clock.sleep(start - self._clock.monotonic())
        self._on_event(Sent(found.number, found.piece.size, found.attempt))
        outcome: Outcome | None = refuse_late(found.piece, armed_at, self._clock)
        try:
            if outcome is None:
                point(Point.POST_BEGUN)
                outcome = self._provider.send(request)
        except BaseException as error:
            self._record(
                session, found, Unknown(f"notifyctl failed during the request ({type(error).__name__})")
            )
            raise
        return self._record(session, found, outcome)

    def _arm(self, session: CampaignSession, found: Turn, seal: bytes) -> bool:
        """ARM. Without that record, or while it is not known whether it was made, nothing is posted."""
        try:
            session.arm(found.number, found.attempt, seal=seal, at=self._clock.now())
        except LedgerLockedError:
            raise
        except LedgerError as error:
            self._doubts[found.number] = found.attempt
            self._refusals[found.number] += 1
            self._release(session, found.number)
            if self._refusals[found.number] >= MAX_REFUSALS and self._find(session, found.number) is not None:
                session.end_batch(found.number, error.message, at=self._clock.now())
            return False
        return True

    def _release(self, session: CampaignSession, number: int) -> None:
        """Settles the doubt about a batch in hand, before it can be armed again."""
        attempt = self._doubts.get(number)
        if attempt is not None:
            never_left = Rejected(DOUBTED, retryable=True, posted=False)
            session.release(number, attempt, never_left, at=self._clock.now())
            del self._doubts[number]

    def _record(self, session: CampaignSession, found: Turn, outcome: Outcome) -> float | None:
        """RESULT: records how the attempt ended. Returns when the job comes again."""
        outcome = self._limited(found, turn.outcome_to_keep(found.piece, outcome))
        attempt = Attempt(found.number, found.attempt, found.piece, found.attempt)
        point(Point.RESULT_HEARD)
        OutcomeRecorder(session, self._clock, self._keep, pauses=RECORD_PAUSES).record(attempt, outcome)
        again = isinstance(outcome, Rejected) and outcome.retryable
        self._on_event(Settled(found.number, found.piece.size, outcome, again, found.attempt))
        if isinstance(outcome, Refused):
            self._end(session, outcome.reason)
        elif isinstance(outcome, Rejected) and outcome.retryable:
            # Others wait as long: they would meet the same.
            delay = retry_delay(found.attempt, outcome, self._random)
            session.hold_off(delay)
            return delay
        elif isinstance(outcome, Rejected) and outcome.status is None and found.attempt >= MAX_ATTEMPTS:
            # Leave the other batches unattempted rather than fail one by one.
            self._end(session, f"{CANNOT_BE_REACHED}: {outcome.reason}")
        return None

    def _limited(self, found: Turn, outcome: Outcome) -> Outcome:
        """The outcome; of the last attempt that is allowed, one that is not retried."""
        if isinstance(outcome, Rejected) and found.attempt >= MAX_ATTEMPTS:
            return replace(outcome, retryable=False)
        return outcome

    def _give_up(self, why: str) -> None:
        self.over = self.over or why

    def _end(self, session: CampaignSession, why: str) -> None:
        self._give_up(why)
        session.end_campaign(f"refused: {why}", at=self._clock.now())


DOUBTED = "it could not be recorded for certain that it starts, so it was not sent"


def fallback_of(part: BatchSlice) -> str | None:
    """Why the SMS fallback of a slice is left out; None if it is not."""
    return next((each.reason for each in part.group.left_out if each.what == SMS_FALLBACK), None)


def split(members: bytes) -> list[bytes]:
    return [members[start : start + MEMBER_BYTES] for start in range(0, len(members), MEMBER_BYTES)]
