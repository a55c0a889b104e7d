"""When the next request may start, so that an account's rate is kept. Decides and never waits."""

from __future__ import annotations

from notifyctl.model.project import Limits, TpsCounts
from notifyctl.ports import Clock

CATCH_UP = 0.1
"""Seconds that a request may have been late and the next one still keep to the schedule: longer than a timer, a commit or another
thread delays us mostly, and than small requests wait for each other. A tenth of what the rate allows in a second.
"""


class Pacer:
    """A generic cell rate algorithm: a request that counts n transactions keeps the next one back for n/tps seconds, by a
    schedule that goes on where a request starts a little late, and begins anew where it starts very late. So on the whole `tps`
    transactions start in a second; in no second more than those of one request beside, and what CATCH_UP makes good. For one
    thread.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._next = clock.monotonic()

    def wait(self) -> float:
        """Seconds until a request may start; 0 for now."""
        return max(0.0, self._next - self._clock.monotonic())

    def takes(self, destinations: int, requests: int = 1) -> float:
        """Seconds for which so many requests, with so many destinations in all, keep the next one back."""
        transactions = destinations if self._limits.tps_counts is TpsCounts.DESTINATIONS else requests
        return transactions / self._limits.tps

    def started(self, destinations: int) -> None:
        """Count a request that starts now."""
        self._next = max(self._clock.monotonic() - CATCH_UP, self._next) + self.takes(destinations)

    def hold_off(self, seconds: float) -> None:
        """Start nothing for so long: the provider had too much, or is not there."""
        self._next = max(self._next, self._clock.monotonic() + seconds)
