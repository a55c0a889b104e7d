"""Threads that POST, and the queue where the answers wait for the one thread that may speak to the ledger."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from queue import SimpleQueue

from notifyctl.apply.batches import Slice
from notifyctl.apply.job import Stop
from notifyctl.faults import Point, point
from notifyctl.model.batch import Accepted, Outcome, PreparedRequest, Rejected
from notifyctl.ports import Clock, Provider
from notifyctl.records import dataclass, field

SEND_BY = 60.0
"""Seconds after ARM within which the request must begin; far less than the quarantine before a person may settle it."""
NEVER_LEFT = "it was not sent in time after it was recorded, and never left"
TOO_LATE = "the window shut, or the message lapsed, before its turn came"
LAPSED = f"{TOO_LATE}; {NEVER_LEFT}"


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One batch to be sent. Ordered by when: `due` is on the clock's monotonic scale. `tries`: how many of its attempts were
    handed over, this one included.
    """

    due: float
    number: int
    attempt: int
    part: Slice = field(compare=False)
    tries: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """An attempt with all that is needed to begin it: the seal for its ARM, the request for its POST."""

    attempt: Attempt
    seal: bytes
    request: PreparedRequest


@dataclass(frozen=True, slots=True)
class Since:
    """When the ARM of an attempt began, by two clocks: one stands still while the machine sleeps, the other can be set."""

    now: datetime
    monotonic: float

    def late(self, clock: Clock) -> bool:
        """Whether more than SEND_BY has passed, by either clock."""
        passed = max((clock.now() - self.now).total_seconds(), clock.monotonic() - self.monotonic)
        return passed > SEND_BY


def left(outcome: Outcome) -> bool:
    """Whether the request of an attempt that ended so may have left."""
    return not (isinstance(outcome, Rejected) and outcome.reason.endswith(NEVER_LEFT))


Answer = tuple[Attempt, Outcome | BaseException]
Bell = threading.Lock
"""Held while its thread has nothing to do; released to call it."""
Work = tuple[Ready, Since]


CALLED_AFTER = 0.005
"""Seconds after which another thread is called for requests that wait for one that is at work."""
SLOW = 0.02
"""Seconds for which a request is under way that no other should wait for: more than our own work keeps one waiting."""


class Senders:
    """As many threads as there ever were requests in flight at once, `most` of them. They are daemons, so that a second Ctrl-C
    need not wait for a slow provider. All but `_run` is for the thread that made it.

    A thread that is called works until nothing is left. Requests that come `together` wait for it a moment, because a thread
    that is at work sends a small one in a third of the time that another takes to wake up. What waits so does not leave once
    a request was not accepted, or the run was told to stop: it is to be taken `back`.
    """

    def __init__(self, provider: Provider, clock: Clock, *, most: int, stop: Stop) -> None:
        self._provider = provider
        self._clock = clock
        self._most = most
        self._stop = stop
        self._work: deque[Work] = deque()
        self._behind: deque[Work] = deque()
        self._idle: list[Bell] = []
        self._coming: deque[Bell] = deque()
        self._called_at = 0.0
        self._ended = False
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._arrived = threading.Event()
        self._awaited = False
        self._slow = False
        self._warned = False
        self._threads = 0
        self.in_flight = 0
        """Handed over and not heard of: waiting, under way, or answered."""

    @property
    def waiting(self) -> int:
        """How many of those that came together no thread has begun."""
        return len(self._behind)

    @property
    def halted(self) -> bool:
        """Whether those that wait do not leave any more."""
        return self._warned or self._stop.requested

    def post(self, ready: Ready, since: Since, *, together: bool = False) -> None:
        """Hand a request over. Its answer will come. `together`: others like it were, or will be, handed over with it; then, or
        before whoever hands them over waits, `help` is to be asked for.
        """
        (self._behind if together else self._work).append((ready, since))
        self.in_flight += 1
        if self._slow or not together:
            self._call()

    def back(self) -> list[Work]:
        """Take back those that wait, in their order. What is handed over from now on may leave."""
        found = []
        with suppress(IndexError):  # a thread may be quicker
            while self._behind:
                found.append(self._behind.popleft())
        self.in_flight -= len(found)
        self._warned = False
        return found

    def help(self) -> None:
        """Call a thread for requests that wait, if none is at work or the one that is takes long. To be asked again and again."""
        if self._behind and not self._coming:
            nobody = self.in_flight - self._answers.qsize() == len(self._behind)
            if nobody or self._clock.monotonic() - self._called_at > CALLED_AFTER:
                self._call()

    def _help_soon(self) -> None:
        """Wait a moment for the thread that is at work, then call another if requests still wait."""
        if self._behind:
            self._listen(self._arrived.wait, CALLED_AFTER)
            if self._behind and not self._coming:
                self._call()

    def _call(self) -> None:
        """Call a thread, a new one if none has nothing to do; nobody if there are as many as may be."""
        self._called_at = self._clock.monotonic()
        if not self._ring() and self._threads < self._most:
            self._threads += 1
            bell = threading.Lock()
            bell.acquire()
            name = f"sender {self._threads}"
            threading.Thread(target=self._run, args=(bell,), name=name, daemon=True).start()
            self._idle.append(bell)
            self._ring()

    def _ring(self) -> bool:
        """Call the thread that had something to do last, which is the quickest to begin. False: none has nothing to do."""
        try:
            bell = self._idle.pop()
        except IndexError:
            return False
        self._coming.append(bell)
        bell.release()
        return True

    def wait(self, seconds: float) -> None:
        """Until an answer comes, and so long at most."""
        self.help()
        if not self._coming:
            self._help_soon()
        self._listen(lambda most: self._clock.wait(self._arrived, most), seconds)

    def _listen(self, wait: Callable[[float], object], seconds: float) -> None:
        self._arrived.clear()
        self._awaited = (
            True  # before the look at the queue: an answer that comes after it finds itself awaited
        )
        if self._answers.empty():
            wait(seconds)
        self._awaited = False

    def answers(self, *, block: bool) -> Iterator[Answer]:
        """Every answer that has come; with `block`, once the first is there, if any is to come."""
        if block:
            self.help()
        while block and self._behind and self._answers.empty() and not self.halted:
            self._help_soon()
        while self.in_flight > len(self._behind) and (block or not self._answers.empty()):
            answer = self._answers.get()
            self.in_flight -= 1
            block = False
            yield answer

    def end(self) -> None:
        """Let threads go that have nothing to do. One that still waits for a provider goes when it has heard."""
        self._ended = True
        while self._ring():
            pass

    def _run(self, bell: Bell) -> None:
        while self._called(bell):
            self._coming.remove(bell)
            while (work := self._taken()) is not None:
                self._worked(*work)
                del work  # while it waits for more, it holds nothing of the last one
            self._idle.append(bell)
            if self._work or (self._behind and not self.halted):
                self._ring()  # what was handed over since the last look found nobody idle

    def _called(self, bell: Bell) -> bool:
        """Wait to be called. False: to end."""
        return not self._ended and bell.acquire() and not self._ended

    def _taken(self) -> Work | None:
        with suppress(IndexError):  # another thread may be quicker
            if self._work:
                return self._work.popleft()
            if self._behind and not self.halted:
                return self._behind.popleft()
        return None

    def _worked(self, ready: Ready, since: Since) -> None:
        begun = self._clock.monotonic()
        try:
            ended: Outcome | BaseException = (
                # Stopped for long between the record and the request: others may have taken it for lost by now.
                Rejected(NEVER_LEFT, retryable=True)
                if since.late(self._clock)
                else Rejected(LAPSED)
                if ready.attempt.part.lapsed(self._clock)
                else self._posted(ready.request)
            )
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that may speak to the ledger
            ended = error
        if not isinstance(ended, Accepted):
            self._warned = True
        self._slow = self._clock.monotonic() - begun > SLOW
        self._answers.put((ready.attempt, ended))
        if self._awaited:
            self._arrived.set()

    def _posted(self, request: PreparedRequest) -> Outcome:
        """POST."""
        point(Point.POST_BEGUN)
        return self._provider.send(request)
