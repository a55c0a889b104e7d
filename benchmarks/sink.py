"""A server that takes every request at once and does nothing with it, so that the client is what is measured.

    with sink() as server: … server.port … server.traffic()

A process of its own that reads raw bytes from many connections in turn, and keeps the time of what it got. Each answer looks like
the API's. A connection is kept unless the request asks for its end, so that clients of either kind are served. Standard library
only.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

BODY = b'{"requestTimestamp":"2026-11-23T09:00:00.000Z","messageId":"5f1c0000000000000000000000000000","status":"queued"}'
HEAD = b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
AT_ONCE = 1 << 20
"""Bytes read at a time: six requests of a thousand destinations."""
END, LENGTH, CLOSE = b"\r\n\r\n", b"content-length:", b"connection: close"


@dataclass(slots=True)
class Traffic:
    """What came since the last look. Times are seconds of one clock: when the first and the last request began to arrive, and
    when the last was answered.
    """

    requests: int = 0
    first: float = 0.0
    last: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Server:
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2/messages"

    def traffic(self) -> Traffic:
        """What came since this was asked last."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/traffic") as response:
            return Traffic(**json.load(response))


@contextmanager
def sink() -> Iterator[Server]:
    """A server that lives as long as the block. Forks: begin it before any thread."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    child = os.fork()
    if child == 0:
        try:
            serve(listener)
        finally:
            os._exit(0)
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield Server(port)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def serve(listener: socket.socket) -> None:
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ, None)
    buffer = bytearray(AT_ONCE)
    traffic = [Traffic()]
    while True:
        for key, _ in waiting.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waiting.register(connection, selectors.EVENT_READ, Connection(connection, traffic))
            elif not key.data.receive(buffer):
                waiting.unregister(key.fileobj)
                key.data.socket.close()


class Connection:
    """How much of a request is still to come, and how it is answered. `traffic` holds one, shared by all connections."""

    def __init__(self, connection: socket.socket, traffic: list[Traffic]) -> None:
        self.socket = connection
        self._traffic = traffic
        self._head = b""
        self._remaining = 0
        self._closing = False
        self._asked_for_traffic = False

    def receive(self, buffer: bytearray) -> bool:
        """Read what is there, and answer a request that is complete. False: the connection is over."""
        try:
            count = self.socket.recv_into(buffer)
        except OSError:
            return False
        if count == 0:
            return False
        if self._remaining == 0:
            count = self._begin(bytes(buffer[:count]))
        self._remaining -= count
        if self._remaining > 0 or self._head:
            return True
        with suppress(OSError):
            self.socket.send(self._answer())
        return not self._closing

    def _begin(self, piece: bytes) -> int:
        """Read the head; returns how many bytes of the body came with it."""
        if not self._head:
            self._began = time.monotonic()
        self._head += piece
        head, found, body = self._head.partition(END)
        if not found:
            return 0
        self._head = b""
        self._asked_for_traffic = head.startswith(b"GET ")
        head = head.lower()
        self._remaining = int(head.partition(LENGTH)[2].split(b"\r\n", 1)[0] or b"0")
        self._closing = CLOSE in head
        return len(body)

    def _answer(self) -> bytes:
        if self._asked_for_traffic:
            status, body = 200, json.dumps(asdict(self._traffic[0])).encode()
            self._traffic[0] = Traffic()
        else:
            status, body = 201, BODY
            traffic = self._traffic[0]
            traffic.requests += 1
            traffic.first = traffic.first or self._began
            traffic.last, traffic.answered = max(traffic.last, self._began), time.monotonic()
        closing = b"Connection: close\r\n" if self._closing else b""
        return HEAD % (status, len(body)) + closing + b"\r\n" + body
