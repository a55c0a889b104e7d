"""The simulated API: authentication, validation, rate limit, and the documented answers.

Decides what the documentation leaves open: 429 over the limit has code 7020 and no Retry-After; 401 has no body; N
destinations share one messageId.
"""

from __future__ import annotations

import json
import math
import threading
import uuid
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from notifyctl.channels.request import check_request
from notifyctl.diagnostics import Problem
from notifyctl.model.project import TpsCounts
from notifyctl.ports import Clock
from notifyctl.providers.sandbox.access import Access
from notifyctl.providers.sandbox.inbox import Inbox
from notifyctl.providers.sandbox.receipt_sender import ReceiptSender
from notifyctl.rulebook import envelope

PATH = "/v2/messages"
MAX_BODY = 16 << 20
BURST = 1.5
"""The documented burst, as a multiple of the rate."""

INVALID_JSON, MISSING, INVALID, TOO_MANY, OVER_RATE = "7000", "7003", "7004", "7009", "7020"
CODES = {"missing-key": MISSING, envelope.REQUEST_SIZE.id: TOO_MANY}

OnRequest = Callable[[str], None]
"""Receives a line about each request, without addresses."""
RenderInbox = Callable[[], str]
"""Renders the inbox as an HTML page."""


class SandboxSettings(Struct, frozen=True):
    """The simulated account. `repr` shows no secret."""

    service_key: str | None
    service_id: str | None
    secret: bytes | None
    tps: int
    tps_counts: TpsCounts
    profile: str

    def __repr__(self) -> str:
        return f"SandboxSettings(service_id={self.service_id!r}, tps={self.tps})"

    @property
    def access(self) -> Access:
        return Access(self.service_key, self.service_id, self.secret)


class TokenBucket:
    """Limits transactions per second. Full at first; its capacity is the burst."""

    def __init__(self, tps: int, clock: Clock) -> None:
        self.tps = tps
        self.clock = clock
        self.capacity = float(math.ceil(tps * BURST))
        self.tokens = self.capacity
        self.updated = clock.monotonic()
        self._lock = threading.Lock()

    def take(self, transactions: int) -> bool:
        """Takes all of them or none; False if there are not enough."""
        with self._lock:
            now = self.clock.monotonic()
            self.tokens = min(self.capacity, self.tokens + (now - self.updated) * self.tps)
            self.updated = now
            if transactions > self.tokens:
                return False
            self.tokens -= transactions
            return True


def build_app(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    *,
    receipt_sender: ReceiptSender | None = None,
    render_inbox: RenderInbox | None = None,
    on_request: OnRequest | None = None,
) -> Starlette:
    """The ASGI application. Without `receipt_sender` no receipts are sent; without `render_inbox` there is no page."""
    access = settings.access
    bucket = TokenBucket(settings.tps, clock)

    def log(line: str) -> None:
        if on_request is not None:
            on_request(line)

    async def send(request: Request) -> Response:
        now = clock.now()
        if not access.allows(request.headers, now):
            log("401 key or token not accepted")
            return Response(status_code=401)
        body = parse_object(await request.body())
        if body is None:
            log("400 not a JSON object")
            return refusal(400, INVALID_JSON, "Invalid JSON")
        problems = check_request(body, profile=settings.profile, now=now)
        if problems:
            log(f"400 {problems[0].message}")
            return refusal(
                400,
                CODES.get(problems[0].form or problems[0].rule, INVALID),
                api_message(problems[0]),
                problems,
            )
        destinations = sum(len(entry.get("msisdn") or entry.get("email")) for entry in body["to"])
        if not bucket.take(destinations if settings.tps_counts is TpsCounts.DESTINATIONS else 1):
            log(f"429 over {settings.tps} per second")
            return refusal(429, OVER_RATE, "You have reached the maximum transaction limit")
        message_id = str(uuid.uuid4())
        entries = inbox.keep(body, message_id=message_id, at=now)
        if receipt_sender is not None:
            receipt_sender.send(body, entries, at=now)
        log(f"201 {body['channel']} to {destinations:,}")
        return JSONResponse(
            {
                "requestTimestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "messageId": message_id,
                "correlationId": body["to"][0].get("correlationId"),
                "status": "queued",
            },
            status_code=201,
        )

    async def describe(_: Request) -> Response:
        return JSONResponse(
            {
                "service": "notifyctl sandbox",
                "accepts": f"POST {PATH}",
                "messages": inbox.accepted,
                "reaches": "nobody",
            }
        )

    routes = [
        Route(PATH, send, methods=["POST"]),
        *page_routes(render_inbox, inbox),
        Route("/", describe, methods=["GET"]),
    ]
    return Starlette(routes=routes)


def page_routes(render_inbox: RenderInbox | None, inbox: Inbox) -> list[Route]:
    """The page of the inbox, and the number that it polls: it changes with every message and receipt."""

    async def show_inbox(request: Request) -> Response:
        # Another host name that resolves to this machine (DNS rebinding) must not read the page.
        if render_inbox is None or request.url.hostname not in {"127.0.0.1", "localhost"}:
            return Response(status_code=404)
        return HTMLResponse(
            render_inbox(), headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        )

    async def version(_: Request) -> Response:
        return PlainTextResponse(str(inbox.size()))

    return [Route("/inbox", show_inbox, methods=["GET"]), Route("/version", version, methods=["GET"])]


def parse_object(data: bytes) -> dict[str, Any] | None:
    """Parses strict JSON (rule 1): one object, no duplicate keys, no NaN. None: it is not."""

    def refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            raise ValueError("duplicate key")
        return value

    def refuse_constant(constant: str) -> float:
        raise ValueError(f"{constant} is not valid JSON")

    if len(data) > MAX_BODY:
        return None
    try:
        value = json.loads(data, object_pairs_hook=refuse_duplicates, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def api_message(problem: Problem) -> str:
    """The API's own wording, which names only the parameter."""
    if problem.form == "missing-key":
        return f"Mandatory parameter missing: {problem.message.rpartition(' ')[2].strip('`')}"
    return f"Invalid parameter - {parameter_name(problem)}"


def parameter_name(problem: Problem) -> str:
    return ".".join(str(part) for part in problem.path) or "body"


def refusal(status: int, code: str, message: str, problems: list[Problem] | None = None) -> Response:
    """An error response. `problems` are added to the documented fields, for people who test against the simulator."""
    body: dict[str, Any] = {"code": code, "message": message}
    if problems:
        body["sandboxProblems"] = [
            f"{parameter_name(problem)}: {problem.message}" for problem in problems[:20]
        ]
    return JSONResponse(body, status_code=status)
