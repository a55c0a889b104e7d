"""The system clock: the only module that reads the time or sleeps."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notifyctl.ports import Clock


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def wait(self, happened: Event, seconds: float) -> None:
        happened.wait(max(seconds, 0))


class ClockAsOf:
    """Implements ports.Clock for what is only shown: the present is a moment that somebody asked for, and waiting is real."""

    def __init__(self, moment: datetime, clock: Clock) -> None:
        self._moment = moment.astimezone(UTC)
        self.monotonic, self.sleep, self.wait = clock.monotonic, clock.sleep, clock.wait

    def now(self) -> datetime:
        return self._moment
