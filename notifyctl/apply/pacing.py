"""When the next request may start, so that an account's rate is kept. Decides and never waits."""

from __future__ import annotations

from notifyctl.model import Limits, TpsCounts
from notifyctl.ports import Clock


class Pacer:
    """A generic cell rate algorithm: a request that counts n transactions keeps the next one back for n/tps seconds.
    So in each second at most `tps` transactions start beside those of one request. For one thread.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._next = clock.monotonic()

    def wait(self) -> float:
        """Seconds until a request may start; 0 for now."""
        return max(0.0, self._next - self._clock.monotonic())

    def started(self, destinations: int) -> None:
        """Count a request that starts now."""
        transactions = destinations if self._limits.tps_counts is TpsCounts.DESTINATIONS else 1
        self._next = max(self._clock.monotonic(), self._next) + transactions / self._limits.tps

    def hold_off(self, seconds: float) -> None:
        """Start nothing for so long: the provider had too much, or is not there."""
        self._next = max(self._next, self._clock.monotonic() + seconds)
