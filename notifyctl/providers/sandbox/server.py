"""The simulator as a server on loopback: in a thread for one apply, or in the foreground until interrupted."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import uvicorn

from notifyctl.errors import ProviderError
from notifyctl.ports import Clock
from notifyctl.providers.sandbox.app import PATH, SandboxSettings, build_app
from notifyctl.providers.sandbox.inbox import Inbox
from notifyctl.providers.sandbox.postman import Habits, Postman

LOOPBACK = "127.0.0.1"
START_TIMEOUT = 10.0  # seconds; it takes a small part of one
POLL = 0.005


class QuietServer(uvicorn.Server):
    """Leaves the signals to the command line, which finishes the requests in flight."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def configured(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    postman: Postman,
    heard: Callable[[str], None] | None,
    shown: Callable[[], str] | None = None,
) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(settings, inbox, clock, postman=postman, shown=shown, heard=heard),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=5,
        ws="none",
    )


def listening(port: int) -> socket.socket:
    """A socket bound to loopback and nothing else. Raises ProviderError when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((LOOPBACK, port))
    except OSError as error:
        bound.close()
        raise ProviderError(
            f"the sandbox cannot listen on {LOOPBACK}:{port}: {error.strerror}",
            hint="--port 0 takes a free port",
        ) from error
    return bound


class SandboxServer:
    """The simulator in a thread, as a context manager. `url` is where messages are posted."""

    def __init__(self, settings: SandboxSettings, inbox: Inbox, clock: Clock, *, port: int = 0) -> None:
        self._socket = listening(port)
        self.url = f"http://{LOOPBACK}:{self._socket.getsockname()[1]}{PATH}"
        self._clock = clock
        self._postman = Postman(Habits(), clock)
        self._server = QuietServer(configured(settings, inbox, clock, self._postman, None))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="sandbox", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        waited = 0.0
        while not self._server.started:
            if not self._thread.is_alive() or waited > START_TIMEOUT:
                raise ProviderError("the embedded sandbox did not start")
            self._thread.join(POLL)
            waited += POLL
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._postman.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def serve_forever(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    *,
    port: int,
    habits: Habits,
    shown: Callable[[], str],
    said: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C or SIGTERM. `said` gets where it listens, then a line for each request."""
    bound = listening(port)
    said(f"The sandbox listens on http://{LOOPBACK}:{bound.getsockname()[1]}{PATH}; Ctrl-C ends it.")
    said(f"Its inbox is a page: http://{LOOPBACK}:{bound.getsockname()[1]}/inbox")
    postman = Postman(habits, clock)
    server = uvicorn.Server(configured(settings, inbox, clock, postman, said, shown))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run([bound])
    finally:
        bound.close()
        postman.close()
    said(f"Ended after {inbox.accepted:,} messages.")
