"""Decides which idle connections are reused, so that a response is never matched with the wrong request.

A server can close a connection just as a request is written, which leaves the outcome unknown. So a connection is reused
only within KEPT seconds, while it is open without unread data, and after a response with an unambiguous end. The first
reuse waits until the server has kept a connection for TRIED seconds. Once a server closes an idle connection early
without announcing it, none of its connections is reused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import h11
import httpcore

from notifyctl.transport.connections import DeadlineStream

KEPT = 1.0
"""Seconds that an idle connection is kept. Servers keep theirs for at least two, usually five or more."""
TRIED = 0.1
"""Idle seconds that a server must keep a connection before any is reused."""
KEEP_TIMEOUT = re.compile(r"(?:^|,)\s*timeout\s*=\s*([0-9]{1,6})\s*(?:,|$)", re.IGNORECASE)


class ServerHabits:
    """Observed keep-alive behaviour of one server. The pool's lock protects it."""

    def __init__(self) -> None:
        self.keeps = False
        self.hangs_up = False
        self.probe: KeptConnection | None = None
        """The idle connection that tests whether the server keeps it."""


class Pool(httpcore.ConnectionPool):
    """One connection per concurrent request. Thread-safe."""

    habits: ServerHabits

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return KeptConnection(super().create_connection(origin), self.habits)


def make_pool(**options: object) -> Pool:
    """`options` are passed to httpcore.ConnectionPool."""
    pool = Pool(max_connections=None, keepalive_expiry=None, **options)  # type: ignore[arg-type]
    pool.habits = ServerHabits()
    return pool


class KeptConnection(httpcore.ConnectionInterface):
    """An httpcore connection that is reused only by the rules above."""

    def __init__(self, connection: httpcore.ConnectionInterface, habits: ServerHabits) -> None:
        self._connection = connection
        self._habits = habits
        self._stream: DeadlineStream | None = None
        self._failed = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        if self._connection.is_idle():
            self._habits.keeps = True
        try:
            response = self._connection.handle_request(request)
        except httpcore.ConnectionNotAvailable:
            raise
        except BaseException:
            self._failed = True
            self._connection.close()
            raise
        stream = response.extensions["network_stream"]
        self._stream = stream if isinstance(stream, DeadlineStream) else None
        return response

    def is_available(self) -> bool:
        return self._connection.is_available() and (self._habits.keeps or self._has_proved_itself)

    @property
    def _has_proved_itself(self) -> bool:
        return self._habits.probe is self and self._stream is not None and self._stream.idle_for >= TRIED

    def has_expired(self) -> bool:
        """Whether the pool must close the connection."""
        if self._stream is None or not self._connection.is_idle():
            return self._connection.has_expired()
        expired = self._is_over(self._stream)
        if expired and self._habits.probe is self:
            self._habits.probe = None
        return expired

    def _is_over(self, stream: DeadlineStream) -> bool:
        habits = self._habits
        if stream.idle_for >= stream.idle_limit:
            return True
        if self._connection.has_expired():
            habits.hangs_up = True
        if not habits.hangs_up and not habits.keeps:
            habits.probe = habits.probe or self
            return habits.probe is not self
        return habits.hangs_up

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        return self._connection.can_handle_request(origin)

    def is_idle(self) -> bool:
        return not self._failed and self._connection.is_idle()

    def is_closed(self) -> bool:
        return self._failed or self._connection.is_closed()

    def info(self) -> str:
        return self._connection.info()

    def close(self) -> None:
        self._connection.close()


def idle_limit(received: bytes, headers: Mapping[str, str]) -> float:
    """Seconds that a connection can be idle after this response: half the server's timeout, to allow for latency, at most KEPT.
    0 if the end of the response is ambiguous. `received`: its bytes; `headers`: its headers.
    """
    if not ends_plainly(received):
        return 0.0
    timeout = KEEP_TIMEOUT.search(headers.get("keep-alive", ""))
    return min(KEPT, float(timeout[1]) / 2) if timeout else KEPT


def ends_plainly(received: bytes) -> bool:
    """Whether the bytes are exactly one response to a POST. Surplus bytes would be read as the next response."""
    if b"\n" in received.partition(b"\r\n\r\n")[0].replace(b"\r\n", b""):
        return False  # bare line feeds: intermediaries can parse them differently
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="POST", target="/", headers=[("Host", "x"), ("Content-Length", "0")]))
    parser.send(h11.EndOfMessage())
    parser.receive_data(received)
    try:
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                return False
            if isinstance(event, h11.Response) and has_two_lengths(event):
                return False
    except h11.RemoteProtocolError:
        return False
    return parser.trailing_data == (b"", False) and parser.their_state is h11.DONE


def has_two_lengths(response: h11.Response) -> bool:
    names = {name for name, _ in response.headers}
    return {b"content-length", b"transfer-encoding"} <= names
