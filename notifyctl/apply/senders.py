"""Threads that POST, and the queue where the answers wait for the one thread that may speak to the ledger."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from queue import SimpleQueue

from notifyctl.apply.batches import Slice
from notifyctl.delivery import Outcome, PreparedRequest, Rejected
from notifyctl.faults import Point, point
from notifyctl.ports import Clock, Provider

SEND_BY = 60.0
"""Seconds after ARM within which the request must begin; far less than the quarantine before a person may settle it."""
NEVER_LEFT = "it was not sent in time after it was recorded, and never left"


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


Answer = tuple[Attempt, Outcome | BaseException]
Work = tuple[Attempt, PreparedRequest, Since]


CALLED_AFTER = 0.005
"""Seconds after which another thread is called for requests that wait for one that is at work."""


class Senders:
    """As many threads as there ever were requests in flight at once. They are daemons, so that a second Ctrl-C need not wait for
    a slow provider. All but `_run` is for the thread that made it.

    A thread that is called works until nothing is left. Requests that come `together` wait for it a moment, because a thread
    that is at work sends a small one in a third of the time that another takes to wake up.
    """

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._work: deque[Work] = deque()
        self._calls: SimpleQueue[bool] = SimpleQueue()
        self._called_at = 0.0
        self._answers: SimpleQueue[Answer] = SimpleQueue()
        self._arrived = threading.Event()
        self._awaited = False
        self._threads = 0
        self.in_flight = 0

    def post(
        self, attempt: Attempt, request: PreparedRequest, since: Since, *, together: bool = False
    ) -> None:
        """Hand a request over. Its answer will come. `together`: others like it were, or will be, handed over with it."""
        self._work.append((attempt, request, since))
        self.in_flight += 1
        if together:
            self.help()
        else:
            self._call()

    def help(self) -> None:
        """Call a thread for requests that wait, if none is at work or the one that is takes long. To be asked again and again."""
        if self._work and self._calls.empty():
            nobody = self.in_flight - self._answers.qsize() == len(self._work)
            if nobody or self._clock.monotonic() - self._called_at > CALLED_AFTER:
                self._call()

    def _help_soon(self) -> None:
        """Wait a moment for the thread that is at work, then call another if requests still wait."""
        if self._work:
            self._listen(self._arrived.wait, CALLED_AFTER)
            if self._work and self._calls.empty():
                self._call()

    def _call(self) -> None:
        self._called_at = self._clock.monotonic()
        self._calls.put(True)
        if self.in_flight > self._threads:
            self._threads += 1
            threading.Thread(target=self._run, name=f"sender {self._threads}", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Until an answer comes, and so long at most."""
        self.help()
        if self._calls.empty():
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
        """Every answer that has come; with `block`, once the first is there."""
        while block and self._work and self._answers.empty():
            self._help_soon()
        while self.in_flight and (block or not self._answers.empty()):
            answer = self._answers.get()
            self.in_flight -= 1
            block = False
            yield answer

    def end(self) -> None:
        """Let threads go that have nothing to do. One that still waits for a provider goes when it has heard."""
        for _ in range(self._threads):
            self._calls.put(False)

    def _run(self) -> None:
        while self._calls.get():
            while (work := self._taken()) is not None:
                self._worked(*work)
                del work  # while it waits for more, it holds nothing of the last one

    def _taken(self) -> Work | None:
        try:
            return self._work.popleft()
        except IndexError:
            return None

    def _worked(self, attempt: Attempt, request: PreparedRequest, since: Since) -> None:
        try:
            ended: Outcome | BaseException = self._posted(request, since)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that may speak to the ledger
            ended = error
        self._answers.put((attempt, ended))
        if self._awaited:
            self._arrived.set()

    def _posted(self, request: PreparedRequest, since: Since) -> Outcome:
        """POST."""
        if since.late(self._clock):
            # Stopped for long between the record and the request: others may have taken it for lost by now.
            return Rejected(NEVER_LEFT, retryable=True)
        point(Point.POST_BEGUN)
        return self._provider.send(request)
