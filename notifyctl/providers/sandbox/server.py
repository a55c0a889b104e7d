"""Runs the simulator on loopback: in a thread for one apply, or in the foreground until interrupted."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import uvicorn

from notifyctl.errors import ProviderError
from notifyctl.ports import Clock
from notifyctl.providers.sandbox.app import PATH, OnRequest, RenderInbox, SandboxSettings, build_app
from notifyctl.providers.sandbox.inbox import Inbox
from notifyctl.providers.sandbox.receipt_sender import FaultProfile, ReceiptSender

LOOPBACK = "127.0.0.1"
START_TIMEOUT = 10.0
"""Seconds. Starting takes far less than one."""
POLL_INTERVAL = 0.005


class QuietServer(uvicorn.Server):
    """Leaves signals to the command line, which lets requests in flight finish."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_config(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    receipt_sender: ReceiptSender,
    on_request: OnRequest | None,
    render_inbox: RenderInbox | None = None,
) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(
            settings,
            inbox,
            clock,
            receipt_sender=receipt_sender,
            render_inbox=render_inbox,
            on_request=on_request,
        ),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        ws="none",
    )


def bind_loopback(port: int) -> socket.socket:
    """A socket that listens on loopback only. Raises ProviderError if the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
        # At once, so that whoever reads the line about it can connect.
        bound.listen()
    except OSError as error:
        bound.close()
        raise ProviderError(
            f"the sandbox cannot listen on {LOOPBACK}:{port}: {error.strerror}",
            hint="to use a free port, add --port 0",
        ) from error
    return bound


class SandboxServer:
    """The simulator in a thread, as a context manager. Messages are posted to `url`."""

    def __init__(self, settings: SandboxSettings, inbox: Inbox, clock: Clock, *, port: int = 0) -> None:
        self._socket = bind_loopback(port)
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}{PATH}"
        self._clock = clock
        self._receipt_sender = ReceiptSender(FaultProfile(), clock, keep=inbox.keep_receipt)
        self._server = QuietServer(server_config(settings, inbox, clock, self._receipt_sender, None))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="sandbox", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        waited = 0.0
        while not self._server.started:
            if not self._thread.is_alive() or waited > START_TIMEOUT:
                raise ProviderError("the built-in sandbox did not start")
            self._thread.join(POLL_INTERVAL)
            waited += POLL_INTERVAL
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._receipt_sender.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def serve_forever(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    *,
    port: int,
    faults: FaultProfile,
    render_inbox: RenderInbox,
    on_request: OnRequest,
) -> None:
    """Serves until Ctrl-C or SIGTERM. `on_request` also receives the lines about where it listens and that it ended."""
    bound = bind_loopback(port)
    on_request(
        f"Sandbox listening at http://{LOOPBACK}:{bound.getsockname()[1]}{PATH}. Press Ctrl-C to stop."
    )
    on_request(f"Inbox: http://{LOOPBACK}:{bound.getsockname()[1]}/inbox")
    receipt_sender = ReceiptSender(faults, clock, keep=inbox.keep_receipt)
    server = uvicorn.Server(server_config(settings, inbox, clock, receipt_sender, on_request, render_inbox))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run([bound])
    finally:
        bound.close()
        receipt_sender.close()
    on_request(f"Stopped. {inbox.accepted:,} {'message' if inbox.accepted == 1 else 'messages'} accepted.")
