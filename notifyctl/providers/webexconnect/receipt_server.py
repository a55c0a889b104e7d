"""The server that the provider posts receipts to. It answers 200 only once a receipt is recorded durably.

The provider repeats a receipt that is answered with 503 and drops one that is answered with 400. It sends HEAD when the
address is saved in its console.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import socket
from collections.abc import Callable
from concurrent.futures import Future

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from notifyctl.errors import NotifyctlError, OverloadedError, ProviderError
from notifyctl.providers.webexconnect.receipt_connections import (
    QUEUE,
    Gate,
    Limits,
    bounded_protocol,
    limits_for,
    open_files_limit,
)
from notifyctl.providers.webexconnect.receipts import (
    MAX_BODY,
    Incoming,
    UnreadableReceiptError,
    read_receipt,
    signature_matches,
)

SIGNATURE = "x-hub-signature"
SECRET_HEADER = "x-notifyctl-secret"  # noqa: S105 - the name of a header

PATIENCE = 8.0
"""Seconds that a request waits for its commit; the provider waits ten for its answer."""
RETRY_AFTER = 5
"""Seconds after which to post again what could not be recorded."""

Record = Callable[[Incoming], str]
"""Records a receipt durably and returns what became of it in a few words. Raises NotifyctlError if it cannot."""
Offer = Callable[[Incoming], Future[None]]
"""Returns at once what is done when the receipt is stored durably, and fails with NotifyctlError if it cannot be."""
OnReceipt = Callable[[str], None]
"""Receives a line about each request, without addresses."""


class ReceiptAuth(Struct, frozen=True):
    """Authenticates receipts. `hub`: the key of their signature; `shared`: a secret in the path or a header."""

    hub: bytes | None = None
    shared: str | None = None

    def __repr__(self) -> str:
        return f"ReceiptAuth(hub={self.hub is not None}, shared={self.shared is not None})"

    def verify(self, body: bytes, *, signature: str | None, secret: str | None) -> bool:
        """Whether everything that is configured is right."""
        if self.hub is not None and not (signature and signature_matches(body, signature, self.hub)):
            return False
        return self.shared is None or hmac.compare_digest((secret or "").encode(), self.shared.encode())


class Deferred(Struct, frozen=True):
    """What stores receipts for the server: many together. `is_ready`: whether it takes any at present, for a balancer."""

    offer: Offer
    is_ready: Callable[[], bool]


def build_app(auth: ReceiptAuth, record: Record | Deferred, on_receipt: OnReceipt) -> Starlette:
    async def receive(request: Request) -> Response:
        if request.method in {"HEAD", "GET"}:
            return Response(status_code=200)
        try:
            body = await read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        if body is None:
            on_receipt("413 too long")
            return Response(status_code=413)
        secret = request.path_params.get("secret") or request.headers.get(SECRET_HEADER)
        if not auth.verify(body, signature=request.headers.get(SIGNATURE), secret=secret):
            on_receipt("403 missing or wrong signature or secret")
            return Response(status_code=403)
        try:
            receipt = read_receipt(body)
        except UnreadableReceiptError as error:
            on_receipt(f"400 {error}")
            return Response(status_code=400)
        return await store(record, receipt, on_receipt)

    async def ready(_: Request) -> Response:
        is_ready = record.is_ready() if isinstance(record, Deferred) else True
        return PlainTextResponse("ready" if is_ready else "not ready", status_code=200 if is_ready else 503)

    methods = ["POST", "HEAD", "GET"]
    return Starlette(
        routes=[
            Route("/receipts", receive, methods=methods),
            Route("/receipts/{secret}", receive, methods=methods),
            Route("/ready", ready),
        ]
    )


async def store(record: Record | Deferred, receipt: Incoming, on_receipt: OnReceipt) -> Response:
    """200 once the receipt is stored durably; 503, and when to try again, if that cannot be done."""
    try:
        if isinstance(record, Deferred):
            await asyncio.wait_for(asyncio.wrap_future(record.offer(receipt)), PATIENCE)
            result = "stored"
        else:
            result = await run_in_threadpool(record, receipt)
    except TimeoutError:
        return unavailable("the database does not answer", on_receipt)
    except OverloadedError as error:
        return unavailable(error.message, on_receipt, error.retry_after)
    except NotifyctlError as error:
        return unavailable(error.message, on_receipt)
    on_receipt(f"200 {receipt.status}: {result}")
    return Response(status_code=200)


def unavailable(why: str, on_receipt: OnReceipt, retry_after: int = RETRY_AFTER) -> Response:
    on_receipt(f"503 {why}")
    return Response(status_code=503, headers={"retry-after": str(retry_after)})


async def read_body(request: Request) -> bytes | None:
    """The body; None if it is longer than any receipt. Raises ClientDisconnect before its end."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ProviderError if the address is invalid or taken."""
    bound = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(QUEUE)
    except (OSError, UnicodeError) as error:
        if bound is not None:
            bound.close()
        reason = error.strerror if isinstance(error, OSError) else None
        raise ProviderError(
            f"cannot receive receipts at {host}:{port}: {reason or 'not a valid host'}",
            hint="to use a free port, add --port 0",
        ) from error
    return bound


class ReceiptServer(uvicorn.Server):
    """Calls `on_start` once it answers, and reports the last closed connections at its end."""

    def __init__(
        self, app: Starlette, limits: Limits, *, on_start: Callable[[], None], on_line: OnReceipt
    ) -> None:
        self._gate = Gate(limits, on_line)
        self._on_start = on_start
        super().__init__(
            uvicorn.Config(
                app,
                http=bounded_protocol(self._gate),
                loop="asyncio",
                backlog=limits.accepted,
                log_config=None,
                access_log=False,
                lifespan="off",
                timeout_graceful_shutdown=10,
                ws="none",
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        # asyncio takes the number that it accepts in one pass for the length of the queue as well, which may be longer.
        for each in sockets or []:
            each.listen(QUEUE)
        self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets=sockets)
        self._gate.report()


def serve(
    auth: ReceiptAuth, record: Record | Deferred, *, host: str, port: int, on_receipt: OnReceipt
) -> None:
    """Serves until Ctrl-C or SIGTERM. `on_receipt` also receives the line about where it listens, once it does."""
    limits = limits_for(open_files_limit())
    bound = bind(host, port)
    where = f"{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
    path = "/receipts/…" if auth.shared is not None else "/receipts"
    server = ReceiptServer(
        build_app(auth, record, on_receipt),
        limits,
        on_start=lambda: on_receipt(f"Listening for receipts at http://{where}{path}. Press Ctrl-C to stop."),
        on_line=on_receipt,
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            server.run([bound])
    finally:
        bound.close()
