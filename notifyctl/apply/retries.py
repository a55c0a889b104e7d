"""Batches that wait to be attempted again after a retryable rejection. Decides how long and never waits itself."""

from __future__ import annotations

import heapq
from itertools import count
from random import Random

from notifyctl.apply.attempts import Attempt
from notifyctl.model.batch import Rejected
from notifyctl.ports import Clock

MAX_ATTEMPTS = 5
"""Attempts of one batch within a run, each after a retryable rejection."""
BACK_OFF, BACK_OFF_CAP = 0.5, 30.0
"""Seconds: the first retry comes within half a second, each later one within twice the time before."""
RETRY_AFTER_CAP = 60.0
"""Longest wait, in seconds, that a provider can ask for."""


def retry_delay(tries: int, rejected: Rejected, random: Random) -> float:
    """Seconds between the `tries`th attempt, which was rejected, and the next one."""
    delay = random.uniform(0, min(BACK_OFF_CAP, BACK_OFF * 2 ** (tries - 1)))
    return max(delay, min(rejected.retry_after or 0.0, RETRY_AFTER_CAP))


class RetryQueue:
    """A heap of attempts by due time. `random` spreads them (full jitter)."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._heap: list[tuple[float, int, Attempt]] = []
        self._order = count()

    def __bool__(self) -> bool:
        return bool(self._heap)

    @property
    def wait(self) -> float:
        """Seconds until the first is due; zero or less if it is."""
        return self._heap[0][0] - self._clock.monotonic()

    def pop(self) -> Attempt:
        """The attempt that is due first."""
        return heapq.heappop(self._heap)[2]

    def put(self, attempt: Attempt, rejected: Rejected) -> float:
        """Queue the batch's next attempt; returns how many seconds it waits."""
        delay = retry_delay(attempt.tries, rejected, self._random)
        again = Attempt(attempt.number, attempt.attempt + 1, attempt.slice, attempt.tries + 1)
        heapq.heappush(self._heap, (self._clock.monotonic() + delay, next(self._order), again))
        return delay
