"""Which connections are used again, and when: only where nobody can doubt whose answer comes next.

The other side can close a connection just when it is used again; then nobody knows whether the request was read. So one
is used again only within a second, only if it is open at that moment and nothing came on it since, and only after an
answer whose end was plain. A server must first have been seen to keep one; of one that hung up on an idle connection
within that second, without having said that it would, none is used again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import h11
import httpcore

from notifyctl.transport.connections import DeadlineStream

KEPT = 1.0
"""Seconds for which an idle connection is kept. Servers keep theirs for two seconds at the least, and mostly for five and more."""
TRIED = 0.1
"""Seconds of idleness that a server must have been seen to stand before any connection to it is used again."""
KEEP_TIMEOUT = re.compile(r"(?:^|,)\s*timeout\s*=\s*([0-9]{1,6})\s*(?:,|$)", re.IGNORECASE)


class ServerHabits:
    """What is known of a server. Changed under the lock of the pool."""

    def __init__(self) -> None:
        self.keeps = False
        self.hangs_up = False
        self.probe: KeptConnection | None = None
        """The one idle connection that waits to show whether the server keeps it."""


class Pool(httpcore.ConnectionPool):
    """As many connections as there are requests at once. For several threads."""

    habits: ServerHabits

    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return KeptConnection(super().create_connection(origin), self.habits)


def make_pool(**options: object) -> Pool:
    """`options`: those of httpcore.ConnectionPool."""
    pool = Pool(max_connections=None, keepalive_expiry=None, **options)  # type: ignore[arg-type]
    pool.habits = ServerHabits()
    return pool


class KeptConnection(httpcore.ConnectionInterface):
    """A connection of httpcore that is offered for another request by the rules above."""

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
        """Whether the pool must close it."""
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
    """Seconds for which a connection may be idle after this answer: half of what the server allows, whose last word is on its way
    for some of that; none where the end of the answer is in doubt. `received`: all bytes that came; `headers`: of the answer.
    """
    if not ends_plainly(received):
        return 0.0
    found = KEEP_TIMEOUT.search(headers.get("keep-alive", ""))
    return min(KEPT, float(found[1]) / 2) if found else KEPT


def ends_plainly(received: bytes) -> bool:
    """Whether the bytes are exactly one answer to a POST. What came beyond its end would be taken for the next one's answer."""
    if b"\n" in received.partition(b"\r\n\r\n")[0].replace(b"\r\n", b""):
        return False  # bare line feeds: not everybody on the way reads them alike
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
