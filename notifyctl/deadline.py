"""A total time for a piece of work that waits on sockets or on another's query. These wait on the machine's own clock, whatever
time a plan is made for.
"""

from __future__ import annotations

import time


class Deadline:
    """So many seconds from now on, or from the last `restart`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.restart()

    def restart(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """Seconds that are left; none when it is over."""
        return max(self._end - time.monotonic(), 0.0)


ClockReading = tuple[float, float]


def read_clocks() -> ClockReading:
    """The present by two clocks: one stands still while the machine sleeps, the other can be set."""
    return time.monotonic(), time.time()


def seconds_since(since: ClockReading) -> float:
    """Seconds since then, by the clock that says more."""
    now = read_clocks()
    return max(now[0] - since[0], now[1] - since[1])
