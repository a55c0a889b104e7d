"""The lines of a server of receipts, each at once and its repeats as a number: thousands come in a second."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from notifyctl.ports import Clock

SECONDS = 10.0
MOST_LINES = 100
"""Different lines between two reports: a stranger's status is in them."""


class Repeats(Struct):
    since: float
    count: int = 0


class Tally:
    """Passes a line on, and counts it for SECONDS if it comes again. All calls come from one thread."""

    def __init__(self, on_line: Callable[[str], None], clock: Clock) -> None:
        self._on_line = on_line
        self._clock = clock
        self._repeats: dict[str, Repeats] = {}

    def __call__(self, line: str) -> None:
        now = self._clock.monotonic()
        known = self._repeats.get(line)
        if known is not None:
            known.count += 1
            if now - known.since >= SECONDS:
                self._report(line)
            return
        if len(self._repeats) >= MOST_LINES:
            self.report()
        self._on_line(line)
        self._repeats[line] = Repeats(now)

    def report(self) -> None:
        """Passes on what was counted, and begins anew."""
        for line in list(self._repeats):
            self._report(line)
            del self._repeats[line]

    def _report(self, line: str) -> None:
        known = self._repeats[line]
        if known.count:
            now = self._clock.monotonic()
            self._on_line(f"{line} ({known.count:,} more in {max(1, round(now - known.since))} s)")
            self._repeats[line] = Repeats(now)
