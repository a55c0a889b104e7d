"""Batches that wait to be tried again after a rejection that may pass, and for how long. Decides and never waits."""

from __future__ import annotations

import heapq
from random import Random

from notifyctl.apply.senders import Attempt
from notifyctl.model.batch import Rejected
from notifyctl.ports import Clock
from notifyctl.records import replace

MAX_ATTEMPTS = 5
"""Of one batch within a run, each after a certain rejection that may be tried again."""
BACK_OFF, BACK_OFF_CAP = 0.5, 30.0
"""Seconds: the first retry comes within half a second, each later one within twice the time of the one before."""
RETRY_AFTER_CAP = 60.0
"""Seconds that the provider may ask us to wait."""


class Retries:
    """`chance` spreads them."""

    def __init__(self, clock: Clock, chance: Random) -> None:
        self._clock = clock
        self._chance = chance
        self._waiting: list[Attempt] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def rest(self) -> float:
        """Seconds until the first of them is due; less than none for one that is."""
        return self._waiting[0].due - self._clock.monotonic()

    def pop(self) -> Attempt:
        """The first of them."""
        return heapq.heappop(self._waiting)

    def put(self, attempt: Attempt, rejected: Rejected) -> float:
        """Put a batch back; returns how many seconds it waits."""
        delay = self._chance.uniform(0, min(BACK_OFF_CAP, BACK_OFF * 2 ** (attempt.tries - 1)))
        delay = max(delay, min(rejected.retry_after or 0.0, RETRY_AFTER_CAP))
        due = self._clock.monotonic() + delay
        again = replace(attempt, due=due, attempt=attempt.attempt + 1, tries=attempt.tries + 1)
        heapq.heappush(self._waiting, again)
        return delay
