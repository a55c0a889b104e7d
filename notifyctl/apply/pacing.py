"""Not faster than the account allows: when the next batch may start. Knows no requests and no threads."""

from __future__ import annotations

from notifyctl.model import Limits, TpsCounts
from notifyctl.ports import Clock

CATCH_UP = 0.25
"""Seconds that a late start may be made up for, so that the average holds although waking up is never exact."""


class Pacer:
    """A generic cell rate algorithm over transactions: each start costs its share of a second. No burst beyond one batch."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._per_second = limits.tps
        self._counts_destinations = limits.tps_counts is TpsCounts.DESTINATIONS
        self._clock = clock
        self._next = clock.monotonic()

    def wait(self) -> float:
        """Seconds until the next batch may start; zero or less: now."""
        return self._next - self._clock.monotonic()

    def take(self, destinations: int) -> None:
        """Account for a batch that starts now."""
        now = self._clock.monotonic()
        planned = self._next if now - self._next < CATCH_UP else now
        cost = destinations if self._counts_destinations else 1
        self._next = max(planned, now - CATCH_UP) + cost / self._per_second

    def hold_off(self, seconds: float) -> None:
        """Start nothing for a while: the provider said that it was too much."""
        self._next = max(self._next, self._clock.monotonic() + seconds)
