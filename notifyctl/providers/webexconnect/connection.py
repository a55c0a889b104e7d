"""POST requests to one endpoint: connections and TLS, made and kept. Knows nothing of what is sent.

It follows no redirect, asks no proxy and reads nothing of the environment.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlsplit

from notifyctl.deadline import ClockReading, read_clocks, seconds_since
from notifyctl.faults import Point, point
from notifyctl.providers.webexconnect.troubles import UnsentError
from notifyctl.providers.webexconnect.wire import Answer, Limit, Wire, written

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection, and as many for TLS on it."""
PORTS = {"http": 80, "https": 443}
KEPT = 1.0
"""Seconds for which an idle connection is kept. Servers keep theirs for two seconds at the least, and mostly for five and more."""
TRIED = 0.1
"""Seconds of idleness that a server must have been seen to stand before any connection to it is used again."""


class Endpoint:
    """Where requests go. For several threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        name = f"[{self._host}]" if ":" in self._host else self._host.encode("idna").decode()
        self._named = name if self._port == PORTS[parts.scheme] else f"{name}:{self._port}"
        self._kept = Kept()

    def head(self, headers: Mapping[str, str]) -> bytes:
        """What stands before the length of each request with these headers."""
        return written(self._target, self._named, headers)

    def post(self, content: bytes, head: bytes, *, seconds: float) -> Answer:
        """Raises UnsentError or BrokenError. `seconds`: from now to the end of the answer."""
        limit = Limit(seconds)
        sent = b"%sContent-Length: %d\r\n\r\n" % (head, len(content))
        wire = self._kept.take() or Wire(self._connected(limit))
        try:
            point(Point.POST_CONNECTED)
            answer = wire.exchange(sent, content, limit)
        except BaseException:
            wire.close()
            raise
        self._kept.put(wire)
        return answer

    def close(self) -> None:
        self._kept.close()

    def _connected(self, limit: Limit) -> socket.socket:
        try:
            made = socket.create_connection((self._host, self._port), min(CONNECT_TIMEOUT, limit.wait()))
            try:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._secure:
                    made.settimeout(min(CONNECT_TIMEOUT, limit.wait()))
                    made = self._context.wrap_socket(made, server_hostname=self._host)
            except BaseException:
                made.close()
                raise
        except OSError as error:
            raise UnsentError(error.strerror or str(error) or "it took too long") from error
        return made

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Certificates are checked against the list of `certifi`, whatever the environment names."""
        import certifi

        return ssl.create_default_context(cafile=certifi.where())


class Kept:
    """Idle connections, as many as there were requests at once. For several threads.

    The other side can close one just when it is used again, and then nobody knows whether the request had been read: it is
    unknown, and a person must settle it. So one is used again only within a second, only if it is open at that moment
    and nothing came on it since, and only after an answer whose end was plain. A server must first have been seen to keep one.
    Of one that hung up on an idle connection within that second, without having said that it would, none is kept any more.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._idle: list[tuple[Wire, ClockReading]] = []
        self._tried = False
        self._hangs_up = False

    def take(self) -> Wire | None:
        """The one that was used last, if it can be used again; None: make a new one."""
        with self._turn:
            while self._idle:
                wire, since = self._idle[-1]
                idle = seconds_since(since)
                if not self._tried and idle < TRIED:
                    return None
                self._idle.pop()
                fresh = idle < allowed(wire)
                if fresh and wire.silent():
                    self._tried = True
                    return wire
                self._hangs_up = self._hangs_up or fresh
                wire.close()
        return None

    def put(self, wire: Wire) -> None:
        """Keep it for a while, or close it."""
        with self._turn:
            if len(self._idle) > 1 and seconds_since(self._idle[0][1]) >= KEPT:
                self._idle.pop(0)[0].close()  # more than are needed by now
            if wire.lasts and not self._hangs_up and (self._tried or not self._idle):
                self._idle.append((wire, read_clocks()))
            else:
                wire.close()

    def close(self) -> None:
        with self._turn:
            while self._idle:
                self._idle.pop()[0].close()


def allowed(wire: Wire) -> float:
    """Seconds for which it may be idle: half of what the other side allows, whose last word is on its way for some of that."""
    return KEPT if wire.idle is None else min(KEPT, wire.idle / 2)
