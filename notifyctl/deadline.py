"""A total time limit for work that waits on sockets or queries. It uses the machine's own clock, whatever time a plan
is made for.
"""

from __future__ import annotations

import time


class Deadline:
    """A number of seconds from creation, or from the last `restart`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.restart()

    def restart(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """Seconds left; 0 once the deadline has passed."""
        return max(self._end - time.monotonic(), 0.0)


ClockReading = tuple[float, float]


def read_clocks() -> ClockReading:
    """Reads two clocks: one stops while the machine sleeps, the other can be set."""
    return time.monotonic(), time.time()


def seconds_since(since: ClockReading) -> float:
    """Seconds since a reading, by whichever clock advanced further."""
    now = read_clocks()
    return max(now[0] - since[0], now[1] - since[1])
