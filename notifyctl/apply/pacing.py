"""When the next request can start, so that the account's rate is kept. Decides and never waits."""

from __future__ import annotations

from notifyctl.model.project import Limits, TpsCounts
from notifyctl.ports import Clock

CATCH_UP = 0.1
"""Seconds by which a request can be late without shifting the schedule: more than a timer or a commit delays it, and a tenth
of what the rate allows in a second.
"""


def takes(limits: Limits, destinations: int, requests: int = 1) -> float:
    """Seconds of the account's rate that requests with so many destinations use up."""
    transactions = destinations if limits.tps_counts is TpsCounts.DESTINATIONS else requests
    return transactions / limits.tps


class Pacer:
    """A generic cell rate algorithm: a request of n transactions delays the next one by n/tps seconds.

    A request that starts a little late keeps the schedule, one that starts more than CATCH_UP late starts a new one. So `tps`
    transactions start per second on average. For one thread.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._next = clock.monotonic()

    def wait(self) -> float:
        """Seconds until a request can start; 0 for now."""
        return max(0.0, self._next - self._clock.monotonic())

    def takes(self, destinations: int, requests: int = 1) -> float:
        """Seconds by which requests with so many destinations delay the next one."""
        return takes(self._limits, destinations, requests)

    def started(self, destinations: int) -> None:
        """Count a request that starts now."""
        self._next = max(self._clock.monotonic() - CATCH_UP, self._next) + self.takes(destinations)

    def hold_off(self, seconds: float) -> None:
        """Start nothing for so many seconds: the provider is overloaded or unreachable."""
        self._next = max(self._next, self._clock.monotonic() + seconds)
