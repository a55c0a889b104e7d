"""The simulated API: who may send, what a request must be, how much a second takes, and the documented answers.

What the documentation leaves open is decided once, here: over the limit is 429 with code 7020 and no Retry-After;
401 has no body; N destinations get one messageId.
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
from notifyctl.providers.sandbox.postman import Postman
from notifyctl.rulebook import envelope

PATH = "/v2/messages"
MAX_BODY = 16 << 20
BURST = 1.5
"""The documentation lets a burst of one and a half times the rate through."""

INVALID_JSON, MISSING, INVALID, TOO_MANY, OVER_RATE = "7000", "7003", "7004", "7009", "7020"
CODES = {"missing-key": MISSING, envelope.REQUEST_SIZE.id: TOO_MANY}

Heard = Callable[[str], None]
Shown = Callable[[], str]
"""The inbox as an HTML page."""


class SandboxSettings(Struct, frozen=True):
    """The simulated account."""

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


class Rate:
    """A token bucket of transactions. Full at first; holds one and a half seconds' worth."""

    def __init__(self, tps: int, clock: Clock) -> None:
        self.tps = tps
        self.clock = clock
        self.room = float(math.ceil(tps * BURST))
        self.tokens = self.room
        self.at = clock.monotonic()
        self._lock = threading.Lock()

    def takes(self, transactions: int) -> bool:
        with self._lock:
            now = self.clock.monotonic()
            self.tokens = min(self.room, self.tokens + (now - self.at) * self.tps)
            self.at = now
            if transactions > self.tokens:
                return False
            self.tokens -= transactions
            return True


def build_app(
    settings: SandboxSettings,
    inbox: Inbox,
    clock: Clock,
    *,
    postman: Postman | None = None,
    shown: Shown | None = None,
    heard: Heard | None = None,
) -> Starlette:
    """`heard` gets a line about each request, without addresses; `postman` sends receipts; `shown` draws the inbox
    as a page.
    """
    access = settings.access
    rate = Rate(settings.tps, clock)

    def tell(line: str) -> None:
        if heard is not None:
            heard(line)

    async def send(request: Request) -> Response:
        now = clock.now()
        if not access.allows(request.headers, now):
            tell("401 key or token not accepted")
            return Response(status_code=401)
        body = parsed(await request.body())
        if body is None:
            tell("400 no JSON object")
            return refusal(400, INVALID_JSON, "Invalid JSON")
        problems = check_request(body, profile=settings.profile, now=now)
        if problems:
            tell(f"400 {problems[0].message}")
            return refusal(
                400, CODES.get(problems[0].form or problems[0].rule, INVALID), saying(problems[0]), problems
            )
        destinations = sum(len(entry.get("msisdn") or entry.get("email")) for entry in body["to"])
        if not rate.takes(destinations if settings.tps_counts is TpsCounts.DESTINATIONS else 1):
            tell(f"429 over {settings.tps} a second")
            return refusal(429, OVER_RATE, "You have reached the maximum transaction limit")
        message_id = str(uuid.uuid4())
        entries = inbox.keep(body, message_id=message_id, at=now)
        if postman is not None:
            postman.tell(body, entries, at=now)
        tell(f"201 {body['channel']} to {destinations:,}")
        return JSONResponse(
            {
                "requestTimestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "messageId": message_id,
                "correlationId": body["to"][0].get("correlationId"),
                "status": "queued",
            },
            status_code=201,
        )

    async def about(_: Request) -> Response:
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
        *pages(shown, inbox),
        Route("/", about, methods=["GET"]),
    ]
    return Starlette(routes=routes)


def pages(shown: Shown | None, inbox: Inbox) -> list[Route]:
    """For people: the inbox, and how far it has come."""

    async def look(request: Request) -> Response:
        # A name of a stranger that leads to this machine must not read what is shown here.
        if shown is None or request.url.hostname not in {"127.0.0.1", "localhost"}:
            return Response(status_code=404)
        return HTMLResponse(
            shown(), headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        )

    async def version(_: Request) -> Response:
        return PlainTextResponse(str(inbox.accepted))

    return [Route("/inbox", look, methods=["GET"]), Route("/version", version, methods=["GET"])]


def parsed(data: bytes) -> dict[str, Any] | None:
    """Strict JSON (rule 1): one object, no key twice, no NaN."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise ValueError("a key stands twice")
        return made

    def refuse(constant: str) -> float:
        raise ValueError(f"{constant} is no JSON")

    if len(data) > MAX_BODY:
        return None
    try:
        value = json.loads(data, object_pairs_hook=once, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def saying(problem: Problem) -> str:
    """The API's own wording, which names the parameter and nothing more."""
    if problem.form == "missing-key":
        return f"Mandatory parameter missing: {problem.message.rpartition(' ')[2].strip('`')}"
    return f"Invalid parameter - {spoken(problem)}"


def spoken(problem: Problem) -> str:
    return ".".join(str(part) for part in problem.path) or "body"


def refusal(status: int, code: str, message: str, problems: list[Problem] | None = None) -> Response:
    """`problems` is ours, beside the documented fields: a simulator may say more than the real thing."""
    body: dict[str, Any] = {"code": code, "message": message}
    if problems:
        body["sandboxProblems"] = [f"{spoken(problem)}: {problem.message}" for problem in problems[:20]]
    return JSONResponse(body, status_code=status)
