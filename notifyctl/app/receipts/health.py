"""Whether `receipts serve` can record what it is given: what `/healthz` of it answers."""

from __future__ import annotations

from notifyctl.app.runner.events import Health
from notifyctl.ports import Clock

UNAVAILABLE = "503 "
RECORDED = "200 "


class ReceiptsHealth:
    """Fails from a receipt that could not be recorded until one that was. Calls come from several threads."""

    def __init__(self, environment: str, clock: Clock) -> None:
        self._clock = clock
        self._health = Health(environment, checked=clock.now())

    def note(self, line: str) -> None:
        """A line about a request, as the server writes it: the status first."""
        if line.startswith((UNAVAILABLE, RECORDED)):
            failed = line.startswith(UNAVAILABLE)
            reasons = (("failed", line.removeprefix(UNAVAILABLE)),) if failed else ()
            self._health = Health(self._health.environment, reasons, checked=self._clock.now())

    def read(self) -> Health:
        return self._health
