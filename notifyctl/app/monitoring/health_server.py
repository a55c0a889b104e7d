"""Answers `GET /healthz` while a service is at work: 200 if nothing needs attention, else 503 with the reasons; and `GET /metrics`."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

from msgspec import Struct

from notifyctl.app.runner.events import Health
from notifyctl.errors import ProviderError, UsageError

PATH = "/healthz"
METRICS = "/metrics"
SECONDS = 5.0
"""For a client to send its request, and to take the answer."""
LARGEST_PORT = 65535


class Page(Struct, frozen=True):
    status: int
    kind: str
    """The Content-Type."""
    body: bytes


@contextmanager
def serve_health(
    address: str, read: Callable[[], Health], metrics: Callable[[], Page] | None = None
) -> Iterator[str]:
    """Serves until the block ends. Yields the URL of `/healthz`. `address`: HOST:PORT; port 0 takes a free one. `metrics`: makes
    the page of `/metrics`, by several threads.

    Raises UsageError for an invalid address, ProviderError if it is taken.
    """
    host, port = split_address(address)
    try:
        server = HealthServer((host, port), handler_for(read, metrics))
    except OSError as error:
        raise ProviderError(
            f"cannot listen at {address}: {error.strerror or error}", hint="to use a free port, take port 0"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="healthz", daemon=True)
    thread.start()
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{server.server_port}{PATH}"
    finally:
        server.shutdown()
        server.server_close()


def split_address(address: str) -> tuple[str, int]:
    host, colon, port = address.rpartition(":")
    name = host.removeprefix("[").removesuffix("]")
    if not colon or not name or not (port.isascii() and port.isdigit()) or int(port) > LARGEST_PORT:
        raise UsageError(f'"{address}" is not a valid address; use HOST:PORT, for example 127.0.0.1:8473')
    return name, int(port)


class HealthServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def server_bind(self) -> None:
        super(HTTPServer, self).server_bind()  # HTTPServer's own asks the DNS for the name of this machine
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: a client that went away is no event."""


def handler_for(
    read: Callable[[], Health], metrics: Callable[[], Page] | None
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SECONDS

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == METRICS and metrics is not None:
                return self._answer(metrics())
            if path != PATH:
                return self._answer(as_page(404, {"status": "unknown path"}))
            health = read()
            return self._answer(as_page(200 if health.ok else 503, as_object(health)))

        def do_HEAD(self) -> None:
            self.do_GET()

        def _answer(self, page: Page) -> None:
            self.send_response(page.status)
            self.send_header("Content-Type", page.kind)
            self.send_header("Content-Length", str(len(page.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(page.body)

        def version_string(self) -> str:
            return "notifyctl"

        def log_message(self, *args: object) -> None:
            """Silent: a probe asks every few seconds."""

    return Handler


def as_page(status: int, document: object) -> Page:
    return Page(status, "application/json", json.dumps(document, ensure_ascii=False).encode())


def as_object(health: Health) -> dict[str, object]:
    status = "ok" if health.ok else "starting" if health.checked is None and not health.reasons else "failing"
    return {
        "status": status,
        "environment": health.environment,
        "reasons": [{"kind": kind, "text": text} for kind, text in health.reasons],
        "next_due": health.next_due.isoformat() if health.next_due else None,
        "checked": health.checked.isoformat(timespec="seconds") if health.checked else None,
    }
