"""The server that receipts are posted to. It answers 200 when they are recorded durably, and not before.

The provider repeats what is answered with 503 and drops what is answered with 400; it asks with HEAD when the address is
saved in its console.
"""

from __future__ import annotations

import contextlib
import hmac
import socket
from collections.abc import Callable

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from notifyctl.errors import NotifyctlError, ProviderError
from notifyctl.providers.webexconnect.receipts import (
    MAX_BODY,
    Incoming,
    UnreadableReceiptError,
    read_receipt,
    signed,
)

SIGNATURE = "x-hub-signature"
SECRET_HEADER = "x-notifyctl-secret"  # noqa: S105 - the name of a header

Record = Callable[[Incoming], str]
"""Records a receipt durably and says in a word what became of it. Raises NotifyctlError when it cannot be recorded."""
Said = Callable[[str], None]


class Trust(Struct, frozen=True):
    """What a receipt must show. `hub`: the key of its signature; `shared`: a secret in the path or a header."""

    hub: bytes | None = None
    shared: str | None = None

    def __repr__(self) -> str:
        return f"Trust(hub={self.hub is not None}, shared={self.shared is not None})"

    def holds(self, body: bytes, *, signature: str | None, secret: str | None) -> bool:
        """All that is configured must be right."""
        if self.hub is not None and not (signature and signed(body, signature, self.hub)):
            return False
        return self.shared is None or hmac.compare_digest((secret or "").encode(), self.shared.encode())


def build_hook(trust: Trust, record: Record, said: Said) -> Starlette:
    async def take(request: Request) -> Response:
        if request.method in {"HEAD", "GET"}:
            return Response(status_code=200)
        body = await limited(request)
        if body is None:
            said("413 too long")
            return Response(status_code=413)
        secret = request.path_params.get("secret") or request.headers.get(SECRET_HEADER)
        if not trust.holds(body, signature=request.headers.get(SIGNATURE), secret=secret):
            said("403 not signed as it should be")
            return Response(status_code=403)
        try:
            receipt = read_receipt(body)
        except UnreadableReceiptError as error:
            said(f"400 {error}")
            return Response(status_code=400)
        try:
            became = await run_in_threadpool(record, receipt)
        except NotifyctlError as error:
            said(f"503 {error.message}")
            return Response(status_code=503)
        said(f"200 {receipt.status}: {became}")
        return Response(status_code=200)

    methods = ["POST", "HEAD", "GET"]
    return Starlette(
        routes=[
            Route("/receipts", take, methods=methods),
            Route("/receipts/{secret}", take, methods=methods),
        ]
    )


async def limited(request: Request) -> bytes | None:
    """The body; None when it is longer than any receipt."""
    body = bytearray()
    with contextlib.suppress(ClientDisconnect):
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return None
    return bytes(body)


def listening(host: str, port: int) -> socket.socket:
    """Raises ProviderError when the address is taken, or is none."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise ProviderError(
            f"receipts cannot be taken in at {host}:{port}: {error.strerror or error}",
            hint="--port 0 takes a free port",
        ) from error
    return bound


def serve(trust: Trust, record: Record, *, host: str, port: int, said: Said) -> None:
    """Serve until Ctrl-C or SIGTERM. `said` gets where it listens, then a line for each receipt, without addresses."""
    bound = listening(host, port)
    where = f"{host}:{bound.getsockname()[1]}"
    path = "/receipts/…" if trust.shared is not None else "/receipts"
    said(f"Receipts are taken in at http://{where}{path}; Ctrl-C ends it.")
    config = uvicorn.Config(
        build_hook(trust, record, said),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        ws="none",
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([bound])
    finally:
        bound.close()
