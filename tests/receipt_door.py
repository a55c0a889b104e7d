"""A server of receipts in this process, and a client that posts to it over real sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from notifyctl.providers.webexconnect.receipt_connections import Limits
from notifyctl.providers.webexconnect.receipt_server import (
    Deferred,
    ReceiptAuth,
    ReceiptServer,
    bind,
    build_app,
)

PATIENCE = 20
"""Seconds until a test gives up; nothing is measured by it."""


def receipt(**info: Any) -> dict[str, Any]:
    return {"deliveryInfoNotification": {"deliveryInfo": {"deliveryStatus": "Delivered", **info}}}


@dataclass(slots=True)
class Door:
    port: int
    said: list[str]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def post(self, document: Any) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            connection.request("POST", "/receipts", body)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def door(limits: Limits, record: Callable[[Any], str] | Deferred) -> Iterator[Door]:
    said: list[str] = []
    bound = bind("127.0.0.1", 0)
    started = threading.Event()
    app = build_app(ReceiptAuth(), record, said.append)
    server = ReceiptServer(app, limits, on_start=started.set, on_line=said.append)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield Door(bound.getsockname()[1], said)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        bound.close()
    assert not thread.is_alive()


def ask(port: int, method: str, path: str) -> tuple[int, str | None]:
    """The status and when to try again."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, json.dumps(receipt()).encode() if method == "POST" else None)
        response = connection.getresponse()
        return response.status, response.getheader("retry-after")
    finally:
        connection.close()
