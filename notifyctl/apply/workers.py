"""A bounded pool of threads that POST requests and return their outcomes in the order they arrive.

The threads are daemons: a second Ctrl-C must not wait for a slow provider, as it would for a ThreadPoolExecutor.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from queue import SimpleQueue

from msgspec import Struct

from notifyctl.apply.attempts import LAPSED, NEVER_LEFT, Attempt, PreparedAttempt
from notifyctl.apply.batches import BatchSlice
from notifyctl.fault_injection import Point, point
from notifyctl.model.batch import Outcome, Rejected
from notifyctl.ports import Clock, Provider

SEND_BY = 60.0
"""Seconds after ARM within which the request must start; far less than the wait before a person can resolve it."""


class ArmedAt(Struct, frozen=True):
    """When an attempt was armed, by two clocks: one stops while the machine sleeps, the other can be set."""

    now: datetime
    monotonic: float

    def is_late(self, clock: Clock) -> bool:
        """Whether more than SEND_BY has passed, by either clock."""
        passed = max((clock.now() - self.now).total_seconds(), clock.monotonic() - self.monotonic)
        return passed > SEND_BY


def refuse_late(piece: BatchSlice, armed_at: ArmedAt, clock: Clock) -> Rejected | None:
    """The outcome of an armed request that may not be started any more; None if it may."""
    if armed_at.is_late(clock):
        # The process was paused between ARM and POST: another run may have recorded this attempt as unknown.
        return Rejected(NEVER_LEFT, retryable=True, posted=False)
    return Rejected(LAPSED, posted=False) if piece.has_lapsed(clock) else None


Task = tuple[PreparedAttempt, ArmedAt]


class Workers:
    """Up to as many threads as there were requests in flight at once. All methods are for the thread that made it."""

    def __init__(self, provider: Provider, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[Attempt, Outcome | BaseException]] = SimpleQueue()
        self._arrived = threading.Event()
        self._begun = threading.Semaphore(0)
        self._threads = 0
        self.in_flight = 0
        """Requests submitted whose outcome was not returned yet."""

    def submit(self, prepared: PreparedAttempt, armed_at: ArmedAt) -> None:
        """POST a request on a thread; returns once that has begun, so that nothing armed waits for its turn. Its outcome will
        arrive; the caller bounds how many are in flight.
        """
        self.in_flight += 1
        if self._threads < self.in_flight:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"worker {self._threads}", daemon=True).start()
        self._tasks.put((prepared, armed_at))
        self._begun.acquire()

    def outcomes(self, *, block: bool) -> Iterator[tuple[Attempt, Outcome | BaseException]]:
        """Every outcome that has arrived. With `block`, waits for the first if any request is in flight."""
        while self.in_flight and (block or not self._outcomes.empty()):
            found = self._outcomes.get()
            self.in_flight -= 1
            block = False
            yield found

    def wait(self, seconds: float) -> None:
        """Wait until an outcome arrives, `seconds` at most."""
        self._arrived.clear()
        if self._outcomes.empty():
            self._clock.wait(self._arrived, seconds)

    def stop(self) -> None:
        """End idle threads. A busy one ends when its request does."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            prepared, armed_at = task
            try:
                outcome: Outcome | BaseException = self._post(prepared, armed_at)
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that uses the ledger
                outcome = error
            self._outcomes.put((prepared.attempt, outcome))
            self._arrived.set()

    def _post(self, prepared: PreparedAttempt, armed_at: ArmedAt) -> Outcome:
        try:
            outcome: Outcome | None = refuse_late(prepared.attempt.slice, armed_at, self._clock)
            if outcome is None:
                point(Point.POST_BEGUN)
        finally:
            self._begun.release()
        return outcome if outcome is not None else self._provider.send(prepared.request)
