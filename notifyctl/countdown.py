"""A total time for a piece of work that waits on sockets or on another's query. These wait on the machine's own clock, whatever
time a plan is made for.
"""

from __future__ import annotations

import time


class Countdown:
    """So many seconds from now on, or from the last `restart`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.restart()

    def restart(self) -> None:
        self._end = time.monotonic() + self.seconds

    @property
    def rest(self) -> float:
        """Seconds that are left; none when it is over."""
        return max(self._end - time.monotonic(), 0.0)


class Idle(Countdown):
    """How long a connection has been idle, and whether for too long, by two clocks: one stands still while the machine sleeps."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._since = time.time()

    @property
    def passed(self) -> float:
        return max(self.seconds - self.rest, time.time() - self._since)

    @property
    def over(self) -> bool:
        return self.passed >= self.seconds
