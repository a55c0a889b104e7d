"""A provider that lies: a process of its own, standard library only, sharing no code with notifyctl.

    python sink.py LOG

prints its port and serves until its input ends. Each line of input is a JSON list of behaviours for the next requests, in
the order in which their first bytes arrive; afterwards it is honest. `{"log": FILE}` begins another log and forgets the
script; with `"clock": FILE` each line has the virtual time of that file, `at`, and the message's `text`. Each destination of a request that it takes is in LOG,
on the disk, before a byte of the answer leaves: one JSON object a line, `{"to": address, "callback": …}`. A request that
it does not take leaves no line. An honest answer that was written adds the destinations to LOG.answered, a line each. GET /quiet is answered when every connection opened before it has ended.

A behaviour is an object with `do` and what that needs; see `BEHAVIOURS`.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

Json = dict[str, Any]


class Log:
    """Append, flush, fsync; then the provider has it."""

    def __init__(self, path: str) -> None:
        self._turn = threading.Lock()
        self._file = -1
        self._clock: str | None = None
        self.begin(path)

    def begin(self, path: str, clock: str | None = None) -> None:
        with self._turn:
            self._clock = clock
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._answered = path + ".answered"

    def take(self, body: Json, positions: set[int] | None = None) -> None:
        addresses = destinations(body)
        entries = [
            {"to": address, "callback": body.get("callbackData"), **self._seen(body)}
            for at, address in enumerate(addresses)
            if positions is None or at in positions
        ]
        with self._turn:
            os.write(self._file, "".join(json.dumps(entry) + "\n" for entry in entries).encode())
            os.fsync(self._file)

    def _seen(self, body: Json) -> Json:
        if self._clock is None:
            return {}
        with open(self._clock, "rb") as stream:  # noqa: PTH123 - as below
            return {"at": struct.unpack("d", stream.read(8))[0], "text": body["content"]["text"]}

    def answered(self, body: Json) -> None:
        with self._turn, open(self._answered, "a", encoding="utf-8") as stream:  # noqa: PTH123 - as all of this file, without a module more
            stream.write("".join(f"{address}\n" for address in destinations(body)))


def destinations(body: Json) -> list[str]:
    return [a for entry in body["to"] for a in entry.get("msisdn") or entry.get("email")]


def queued(body: Json) -> bytes:
    """An honest answer, as the API documents it."""
    first = body["to"][0].get("correlationId")
    made = {
        "requestTimestamp": "2026-11-23T09:00:00.000Z",
        "messageId": f"id-{body.get('callbackData')}",
        "correlationId": first,
        "status": "queued",
    }
    return json.dumps(made).encode()


def answer(connection: socket.socket, status: int, body: bytes, *headers: str) -> None:
    connection.sendall(head(status, len(body), *headers) + body)


def head(status: int, length: int, *headers: str) -> bytes:
    """Connections are kept; whoever ends one without having said so is lying."""
    lines = [
        f"HTTP/1.1 {status} Whatever",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def wait_for_end(connection: socket.socket) -> None:
    """Say nothing until the other side goes away."""
    with suppress(OSError):
        while connection.recv(4096):
            pass


def honest(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    log.take(body)
    time.sleep(how.get("delay", 0.0))
    answer(connection, how.get("status", 201), queued(body))
    log.answered(body)


def take_and_reset(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    log.take(body)
    reset(connection)


def take_and_hang(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    log.take(body)
    wait_for_end(connection)


def take_and_say(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    """Take it, and answer with whatever status and body: 500, HTML, nothing, other people's ids."""
    log.take(body)
    say(connection, body, log, how)


def say(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    """Answer and take nothing. `{id}` in `body` stands for an id that is to be believed, `{2}` for the third address."""
    said = how.get("body", "").replace("{id}", f"id-{body.get('callbackData')}")
    for at, address in enumerate(destinations(body)):
        said = said.replace(f"{{{at}}}", address)
    answer(connection, how["status"], said.encode(), *how.get("headers", []))


def take_and_truncate(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    log.take(body)
    full = queued(body)
    connection.sendall(head(201, len(full)) + full[: len(full) // 2])


def take_and_flood(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    log.take(body)
    connection.sendall(head(201, how["bytes"]))
    with suppress(OSError):  # it hangs up when it has read enough
        for _ in range(how["bytes"] >> 16):
            connection.sendall(b" " * (1 << 16))


def take_and_drip(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    """A byte now and then: each of them alone would come in time."""
    log.take(body)
    with suppress(OSError):
        for byte in head(201, 1 << 20) + b" " * (1 << 20):
            connection.sendall(bytes([byte]))
            time.sleep(how["pause"])


def take_some(connection: socket.socket, body: Json, log: Log, how: Json) -> None:
    """Take the destinations at `positions` only, and say so by status and body."""
    log.take(body, set(how["positions"]))
    say(connection, body, log, how)


Act = Callable[[socket.socket, Json, Log, Json], None]
BEHAVIOURS: dict[str, Act] = {
    "honest": honest,
    "reset": take_and_reset,
    "hang": take_and_hang,
    "answer": take_and_say,
    "truncate": take_and_truncate,
    "flood": take_and_flood,
    "drip": take_and_drip,
    "some": take_some,
    "refuse": say,
}
"""`do` → what happens to a whole request. `cut` is another: RST after `bytes` bytes of it, and nothing is taken."""
KEEPING = {"honest", "answer", "some", "refuse"}
"""After these it waits for another request on the connection."""


class Sink:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._script: list[dict[str, Any]] = []
        self._open = 0
        self._change = threading.Condition()

    def order(self, given: list[Json] | Json) -> None:
        with self._change:
            if isinstance(given, dict):
                self._log.begin(given["log"], given.get("clock"))
                self._script = []
            else:
                self._script += given

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with self._change:
                self._open += 1
            threading.Thread(target=self._serve_one, args=(connection,), daemon=True).start()

    def _serve_one(self, connection: socket.socket) -> None:
        asks = False
        with suppress(OSError):  # it went away, as a killed client does
            while begun := connection.recv(16):
                asks = begun.startswith(b"GET /quiet")
                if asks or not self._talk(connection, begun):
                    break
        with self._change:
            self._open -= 1
            self._change.notify_all()
            if asks:
                self._change.wait_for(lambda: self._open == 0)
        with suppress(OSError):
            if asks:
                answer(connection, 200, b"{}")
            connection.close()

    def _talk(self, connection: socket.socket, begun: bytes) -> bool:
        """Whether another request may come on the connection."""
        with self._change:
            how: Json = self._script.pop(0) if self._script else {"do": "honest"}
        if how["do"] == "cut":
            self._cut(connection, how["bytes"] - len(begun))
            return False
        body = whole(connection, begun)
        if body is not None:
            BEHAVIOURS[how["do"]](connection, body, self._log, how)
        return body is not None and how["do"] in KEEPING

    def _cut(self, connection: socket.socket, rest: int) -> None:
        """RST when so many more bytes have come."""
        while rest > 0 and (piece := connection.recv(min(rest, 65536))):
            rest -= len(piece)
        reset(connection)


def whole(connection: socket.socket, begun: bytes) -> Json | None:
    """The body of a request; None when the client broke off before its end: nobody takes half a request."""
    received = bytearray(begun)
    for piece in pieces(connection):
        received += piece
        top, found, body = bytes(received).partition(b"\r\n\r\n")
        if found and len(body) >= length_of(top):
            parsed: Json = json.loads(body)
            return parsed
    return None


def pieces(connection: socket.socket) -> Iterator[bytes]:
    while piece := connection.recv(65536):
        yield piece


def length_of(top: bytes) -> int:
    lines = (line.partition(b":") for line in top.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


def main() -> None:
    sink = Sink(Log(sys.argv[1]))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=sink.serve, args=(listener,), daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sink.order(json.loads(line))
        sys.stdout.write("heard\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
