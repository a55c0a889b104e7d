"""A proxy for tests: a process of its own, standard library only, sharing no code with notifyctl.

    python proxy.py HOW --log FILE [--reach NAME:PORT=PORT]… [--user NAME:PASSWORD] [--pause SECONDS] [--tls CERTIFICATE]

prints its port and serves until its input ends. `--reach` maps a host and port that a client asks for to a port of loopback,
whatever a name server says. Each CONNECT is a line of FILE before anything is answered: one JSON object, `{"target": …,
"authorization": …}`.
"""

from __future__ import annotations

import argparse
import base64
import json
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
TRICKLED = 100
"""Bytes that come one after the other; then all at once."""


class Proxy:
    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.reach = dict(entry.split("=") for entry in options.reach)
        self.lock = threading.Lock()
        self.context: ssl.SSLContext | None = None
        if options.tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(options.tls)

    def serve(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            head = head_of(connection)
            if head:
                lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines[1:])
                }
                target = lines[0].split(" ")[1]
                self.note(target, headers.get("proxy-authorization"))
                HOWS[self.options.how](self, connection, target, headers)
        with suppress(OSError):
            connection.close()

    def note(self, target: str, authorization: str | None) -> None:
        line = json.dumps({"target": target, "authorization": authorization})
        with self.lock, Path(self.options.log).open("a", encoding="utf-8") as log:
            log.write(f"{line}\n")

    def connected(self, target: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", int(self.reach[target])))


def head_of(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        if not piece:
            return b""
        head += piece
    return head


Headers = dict[str, str]


def accept(proxy: Proxy, connection: socket.socket, target: str, _: Headers) -> None:
    other = proxy.connected(target)
    connection.sendall(ESTABLISHED)
    relay(connection, other, connection.sendall)


def relay(connection: socket.socket, other: socket.socket, back: Callable[[bytes], object]) -> None:
    """Both ways until either side ends it. `back`: hands on what the server sends."""
    threading.Thread(target=pump, args=(connection, other.sendall, other), daemon=True).start()
    pump(other, back, connection)


def pump(source: socket.socket, send: Callable[[bytes], object], to: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            send(piece)
    with suppress(OSError):
        to.shutdown(socket.SHUT_RDWR)


def demand(proxy: Proxy, connection: socket.socket, target: str, headers: Headers) -> None:
    """407, but to those who show the right name and password."""
    wanted = "Basic " + base64.b64encode(proxy.options.user.encode()).decode()
    if headers.get("proxy-authorization") == wanted:
        accept(proxy, connection, target, headers)
    else:
        connection.sendall(
            b'HTTP/1.1 407 Needs\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
        )


def answer(status: int) -> Callable[[Proxy, socket.socket, str, Headers], None]:
    line = f"HTTP/1.1 {status} Something\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    return lambda _, connection, __, ___: connection.sendall(line)


def drop(_: Proxy, __: socket.socket, ___: str, ____: Headers) -> None:
    """Not a word."""


def drop_behind(_: Proxy, connection: socket.socket, __: str, ___: Headers) -> None:
    connection.sendall(ESTABLISHED)


def drop_request(proxy: Proxy, connection: socket.socket, target: str, _: Headers) -> None:
    """Hand on the handshake, and nothing once the server has said its part of it and the client goes on: the request."""
    other = proxy.connected(target)
    connection.sendall(ESTABLISHED)
    for piece in iter(lambda: connection.recv(65536), b""):
        if piece[0] == APPLICATION_DATA:
            return
        other.sendall(piece)
        threading.Thread(target=pump, args=(other, connection.sendall, connection), daemon=True).start()


APPLICATION_DATA = 23
"""The type of a record of TLS 1.2 that is no longer the handshake's; the tests fix that version for this."""


def hang(_: Proxy, __: socket.socket, ___: str, ____: Headers) -> None:
    threading.Event().wait()


def hang_behind(proxy: Proxy, connection: socket.socket, target: str, headers: Headers) -> None:
    connection.sendall(ESTABLISHED)
    hang(proxy, connection, target, headers)


def hang_request(proxy: Proxy, connection: socket.socket, target: str, headers: Headers) -> None:
    drop_request(proxy, connection, target, headers)
    hang(proxy, connection, target, headers)


def trickle(proxy: Proxy, connection: socket.socket, target: str, _: Headers) -> None:
    """The answer to CONNECT, a byte at a time; after that it is a good proxy."""
    other = proxy.connected(target)
    slow = b"HTTP/1.1 200 Connection established\r\nX-Slow: " + b"x" * TRICKLED + b"\r\n\r\n"
    for byte in slow:
        connection.sendall(bytes([byte]))
        time.sleep(proxy.options.pause)
    relay(connection, other, connection.sendall)


def trickle_behind(proxy: Proxy, connection: socket.socket, target: str, _: Headers) -> None:
    """What the server sends, a byte at a time: its part of the handshake first of all."""
    other = proxy.connected(target)
    connection.sendall(ESTABLISHED)
    left = TRICKLED

    def back(piece: bytes) -> None:
        nonlocal left
        while piece and left:
            connection.sendall(piece[:1])
            piece, left = piece[1:], left - 1
            time.sleep(proxy.options.pause)
        connection.sendall(piece)

    relay(connection, other, back)


def babble(_: Proxy, connection: socket.socket, __: str, ___: Headers) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n\r\n")


HOWS: dict[str, Callable[[Proxy, socket.socket, str, Headers], None]] = {
    "accept": accept,
    "demand": demand,
    "refuse": answer(403),
    "unavailable": answer(502),
    "redirect": answer(302),
    "drop": drop,
    "drop-behind": drop_behind,
    "drop-request": drop_request,
    "hang": hang,
    "hang-behind": hang_behind,
    "hang-request": hang_request,
    "trickle": trickle,
    "trickle-behind": trickle_behind,
    "babble": babble,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("how", choices=HOWS)
    parser.add_argument("--log", required=True)
    parser.add_argument("--reach", action="append", default=[])
    parser.add_argument("--user", default="ada:secret")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--tls")
    proxy = Proxy(parser.parse_args())
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
