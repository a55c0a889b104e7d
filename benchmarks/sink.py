"""A server that takes every request at once and does nothing with it, so that the client is what is measured.

    with sink() as port: …

A process of its own that reads raw bytes from many connections in turn. Each answer looks like the API's. A connection is kept
unless the request asks for its end, so that clients of either kind are served. Standard library only.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BODY = b'{"requestTimestamp":"2026-11-23T09:00:00.000Z","messageId":"5f1c0000000000000000000000000000","status":"queued"}'
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(BODY)
KEPT = HEAD + b"\r\n" + BODY
CLOSED = HEAD + b"Connection: close\r\n\r\n" + BODY
AT_ONCE = 1 << 20
"""Bytes read at a time: six requests of a thousand destinations."""
END, LENGTH, CLOSE = b"\r\n\r\n", b"content-length:", b"connection: close"


@contextmanager
def sink() -> Iterator[int]:
    """The port of a sink that lives as long as the block. Forks: begin it before any thread."""
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
        yield port
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def serve(listener: socket.socket) -> None:
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ, None)
    room = bytearray(AT_ONCE)
    while True:
        for key, _ in waiting.select():
            if key.data is None:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                waiting.register(connection, selectors.EVENT_READ, Talk(connection))
            elif not key.data.hear(room):
                waiting.unregister(key.fileobj)
                key.data.connection.close()


class Talk:
    """One connection: how much of a request is still to come, and how it is answered."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._top = b""
        self._rest = 0
        self._answer = KEPT

    def hear(self, room: bytearray) -> bool:
        """Read what is there, and answer a request that is complete. False: the connection is over."""
        try:
            count = self.connection.recv_into(room)
        except OSError:
            return False
        if count == 0:
            return False
        if self._rest == 0:
            count = self._begin(bytes(room[:count]))
        self._rest -= count
        if self._rest > 0 or self._top:
            return True
        with suppress(OSError):
            self.connection.send(self._answer)
        return self._answer is KEPT

    def _begin(self, piece: bytes) -> int:
        """Read the head; returns how many bytes of the body came with it."""
        self._top += piece
        top, found, body = self._top.partition(END)
        if not found:
            return 0
        top = top.lower()
        self._top = b""
        self._rest = int(top.partition(LENGTH)[2].split(b"\r\n", 1)[0])
        self._answer = CLOSED if CLOSE in top else KEPT
        return len(body)
