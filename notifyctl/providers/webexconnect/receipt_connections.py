"""Bounds what strangers can hold of the server of receipts: connections, their time, and file descriptors.

uvicorn waits for a request for ever and accepts connections until the process has no file descriptor left. Here each part of a
request has a deadline, and a new connection displaces the one that has waited longest for its request.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol

from notifyctl.errors import ProviderError

MAX_CONNECTIONS = 512
MAX_ACCEPTED = 64
QUEUE = 1024
"""Connections that the system holds until they are accepted; they cost the process no file descriptor."""
OWN_FILES = 32
"""File descriptors for the ledger, standard streams and the event loop; at least, of a larger limit an eighth."""
PASSES = 4
"""In how many passes the event loop accepts connections until one that was turned away in the first is closed."""
REPORT_SECONDS = 10.0


class Limits(Struct, frozen=True):
    """`connections`: open at once. `accepted`: in one pass of the event loop. The others are seconds: for the headers of a request
    (from the connection or the answer before), for its body and for its answer.
    """

    connections: int = MAX_CONNECTIONS
    accepted: int = MAX_ACCEPTED
    headers: float = 10.0
    body: float = 10.0
    answer: float = 60.0


def limits_for(open_files: int | None) -> Limits:
    """Limits that leave file descriptors for everything else. `open_files`: how many the process may have, None if unlimited.

    Raises ProviderError if there are too few for any connection.
    """
    if open_files is None:
        return Limits()
    accepted = max(1, min(MAX_ACCEPTED, open_files // 16))
    own = max(OWN_FILES, open_files // 8)
    connections = min(MAX_CONNECTIONS, open_files - own - PASSES * (accepted + 1))
    if connections < 1:
        raise ProviderError(
            f"cannot receive receipts: the limit of {open_files} open files is too low",
            hint="to raise it, run: ulimit -n 1024",
        )
    return Limits(connections=connections, accepted=accepted)


def open_files_limit() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


class Phase(StrEnum):
    """What a connection waits for."""

    HEADERS = "headers"
    BODY = "body"
    ANSWER = "answer"


class Gate:
    """The connections of one server. All calls come from its event loop."""

    def __init__(self, limits: Limits, on_closed: Callable[[str], None]) -> None:
        """`on_closed` receives a line about connections that were closed, at most one in REPORT_SECONDS."""
        self.limits = limits
        self._on_closed = on_closed
        self._open: set[BoundedProtocol] = set()
        self._waiting: dict[BoundedProtocol, None] = {}
        self._late, self._displaced = 0, 0
        self._report: asyncio.TimerHandle | None = None

    def admit(self, connection: BoundedProtocol) -> None:
        """Adds a connection. Beyond the bound, closes the one that has waited longest; the new one if all are being answered."""
        if len(self._open) >= self.limits.connections:
            oldest = next(iter(self._waiting), connection)
            self.forget(oldest)
            oldest.transport.abort()
            self._displaced += 1
            self._count(connection.loop)
            if oldest is connection:
                return
        self._open.add(connection)

    def forget(self, connection: BoundedProtocol) -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def follow(self, connection: BoundedProtocol, phase: Phase) -> None:
        self._waiting.pop(connection, None)
        if phase is not Phase.ANSWER and connection in self._open:
            self._waiting[connection] = None

    def expire(self, connection: BoundedProtocol) -> None:
        self.forget(connection)
        connection.transport.abort()
        self._late += 1
        self._count(connection.loop)

    def _count(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._report is None:
            self._report = loop.call_later(REPORT_SECONDS, self.report)

    def report(self) -> None:
        """Tells what was closed since the last report."""
        if self._report is not None:
            self._report.cancel()
            self._report = None
        parts = [
            *([f"{self._late:,} too slow"] if self._late else []),
            *([f"{self._displaced:,} for newer ones"] if self._displaced else []),
        ]
        if parts:
            self._on_closed(f"Connections closed: {', '.join(parts)}")
        self._late, self._displaced = 0, 0


class BoundedProtocol(H11Protocol):
    """A connection with deadlines. A deadline runs from the change of phase, so that no trickle of bytes extends it."""

    gate: ClassVar[Gate]
    """Of the server; set in a subclass."""
    _phase: tuple[object, Phase] | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.gate.admit(self)
        self._follow()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.forget(self)
        self._cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def _follow(self) -> None:
        if self.transport.is_closing():
            return
        phase = (self.cycle, self._current_phase())
        if phase == self._phase:
            return
        self._phase = phase
        self._cancel()
        self._deadline = self.loop.call_later(getattr(self.gate.limits, phase[1]), self.gate.expire, self)
        self.gate.follow(self, phase[1])

    def _current_phase(self) -> Phase:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            return Phase.HEADERS
        return Phase.BODY if cycle.more_body else Phase.ANSWER

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded_protocol(to: Gate) -> type[BoundedProtocol]:
    class Connection(BoundedProtocol):
        gate = to

    return Connection
