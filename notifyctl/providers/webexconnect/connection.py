"""One POST over a connection of its own, within a total time. Knows HTTP and TLS, and nothing of what is sent.

The standard library's client: it follows no redirect, asks no proxy and reads nothing of the environment. Reading and writing
are ours, because its time-outs begin anew with every byte that comes.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import urlsplit

from notifyctl.countdown import Countdown
from notifyctl.faults import Point, point

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection, and as many for TLS on it."""
MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read; the API's are some hundred."""
BROKE_OFF = "the connection broke off before the answer"
PORTS = {"http": 80, "https": 443}


class UnsentError(Exception):
    """There was no connection, so not a byte of the request was written. The message says why."""


class BrokenError(Exception):
    """It broke off, or took too long, and the request may have been read. The message says how."""


class HungUpError(BrokenError):
    """The other side closed the connection while we wrote; it may have answered before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is None when it broke off or was too long."""

    status: int
    body: bytes | None
    retry_after: str | None


class Limit(Countdown):
    """A total time, from now on."""

    @property
    def passed(self) -> str:
        return f"no complete answer within {self.seconds:g} seconds"

    def wait(self) -> float:
        """Seconds that are left. Raises TimeoutError when none are."""
        left = self.rest
        if not left:
            raise TimeoutError(self.passed)
        return left


class Endpoint:
    """Where requests go. For several threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"

    def post(self, content: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
        """Raises UnsentError or BrokenError. `seconds`: from now to the end of the answer.

        Each request has a connection of its own: one that was kept can be closed by the other side just when it is used
        again, and nobody would know whether the request had been read.
        """
        limit = Limit(seconds)
        with closing(self._connected(limit)) as connection:
            point(Point.POST_CONNECTED)
            connection.write(self._target, content, headers)
            return connection.answer()

    def _connected(self, limit: Limit) -> Connection:
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
        return Connection(self._host, self._port, made, limit)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Certificates are checked against the list of `certifi`, whatever the environment names."""
        import certifi

        return ssl.create_default_context(cafile=certifi.where())


class Connection(HTTPConnection):
    """The library's way of writing a head and reading an answer, over our socket. For one request."""

    def __init__(self, host: str, port: int, connected: socket.socket, limit: Limit) -> None:
        super().__init__(host, port)
        self.sock = connected
        self._limit = limit

    def write(self, target: str, content: bytes, headers: Mapping[str, str]) -> None:
        self.putrequest("POST", target, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(content)), "Connection": "close"}.items():
            self.putheader(name, value)
        self.endheaders()
        point(Point.POST_HEAD)
        # A server may answer before it has read all, and hang up; then the answer says more than that we could not write.
        with suppress(HungUpError):
            self.send(content)
            point(Point.POST_BODY)

    def send(self, data: Any) -> None:
        """All of the bytes within what is left of the time."""
        rest = memoryview(data)
        while rest:
            with telling(self._limit):
                self.sock.settimeout(self._limit.wait())
                rest = rest[self.sock.send(rest) :]

    def answer(self) -> Answer:
        wire = cast("socket.socket", Wire(self.sock, self._limit))
        with closing(HTTPResponse(wire, method="POST")) as response:
            try:
                response.begin()
            except (
                HTTPException,
                ValueError,
            ) as error:  # no HTTP, endless headers, a length that is no number
                raise BrokenError(BROKE_OFF) from error
            point(Point.POST_ANSWER_HEAD)
            body = read(response)
            if body is not None:
                point(Point.POST_ANSWER)
            return Answer(response.status, body, response.getheader("Retry-After"))


@contextmanager
def telling(limit: Limit) -> Iterator[None]:
    """Errors of a socket as ours, where they happen: an error of anything else is a defect, and is not taken for one."""
    try:
        yield
    except TimeoutError as error:
        raise BrokenError(limit.passed) from error
    except (BrokenPipeError, ConnectionResetError) as error:
        raise HungUpError(BROKE_OFF) from error
    except OSError as error:
        raise BrokenError(BROKE_OFF) from error


def read(response: HTTPResponse) -> bytes | None:
    """The body as it came; None when it breaks off or is too long. The status alone then decides."""
    body = bytearray()
    try:
        while piece := response.read(MAX_ANSWER + 1 - len(body)):
            body += piece
            if len(body) > MAX_ANSWER:
                return None
    except (BrokenError, HTTPException, ValueError):
        return None
    return None if response.length else bytes(body)


class Wire(io.RawIOBase):
    """What the library reads an answer from: each wait is for what is left of the time."""

    def __init__(self, connected: socket.socket, limit: Limit) -> None:
        self._socket = connected
        self._limit = limit

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb"
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        with telling(self._limit):
            self._socket.settimeout(self._limit.wait())
            return self._socket.recv_into(room)
