"""One POST, once, and what its answer proves. Nothing here retries: only who keeps the ledger may."""

from __future__ import annotations

import json
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from notifyctl.delivery import Accepted, Batch, Outcome, PreparedRequest, Refused, Rejected, Unknown
from notifyctl.model import Auth
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.auth import Credentials, redacted_headers
from notifyctl.providers.webexconnect.payload import body_of

CONNECT_TIMEOUT = 5.0
TOTAL_TIMEOUT = 30.0
MAX_ANSWER = 1 << 20  # bytes that are read of an answer
KEEP_ALIVE = 2.0  # seconds: a connection that has been idle for longer may already be closed at the other end
MAX_REASON = 200  # characters of the provider's own words

UNAUTHORISED = {401, 403}
TELLS_NOTHING = {408, 409}
WITHOUT_BODY = {401, 404, 405, 429}
"""The API answers these without a body that could be read as JSON."""


class WebexConnect:
    """Implements ports.Provider. Safe to use from `concurrency` threads."""

    def __init__(
        self,
        endpoint: str,
        *,
        auth: Auth,
        credentials: Credentials | None,
        clock: Clock,
        concurrency: int,
        deadline: float = TOTAL_TIMEOUT,
    ) -> None:
        self.identity = f"webexconnect {endpoint}"
        self._endpoint = endpoint
        self._auth = auth
        self._credentials = credentials
        self._clock = clock
        self._deadline = deadline
        self._concurrency = concurrency
        self._client: httpx.Client | None = None if credentials is None else self._connect()

    def _connect(self) -> httpx.Client:
        limits = httpx.Limits(
            max_connections=self._concurrency,
            max_keepalive_connections=self._concurrency,
            keepalive_expiry=KEEP_ALIVE,
        )
        return httpx.Client(
            limits=limits,
            timeout=httpx.Timeout(self._deadline, connect=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
        )

    def prepare(self, batch: Batch) -> PreparedRequest:
        return PreparedRequest("POST", self._endpoint, redacted_headers(self._auth), body_of(batch))

    def send(self, request: PreparedRequest) -> Outcome:
        assert self._client is not None, "a provider without credentials only prepares"
        assert self._credentials is not None
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **self._credentials.headers(self._clock.now()),
        }
        data = json.dumps(request.body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            with self._client.stream(request.method, request.url, content=data, headers=headers) as answer:
                return self._outcome(answer)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, ssl.SSLError) as error:
            return Rejected(f"no connection to the provider: {described(error)}", retryable=True)
        except httpx.TimeoutException:
            return Unknown("the provider did not answer in time")
        except httpx.HTTPError as error:
            return Unknown(f"the connection broke after the request was begun: {described(error)}")

    def _outcome(self, answer: httpx.Response) -> Outcome:
        status = answer.status_code
        if status in UNAUTHORISED:
            return Refused(f"the provider does not accept the credentials (HTTP {status})", status)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            wait = self._retry_after(answer.headers.get("Retry-After"))
            return Rejected("over the account's rate (HTTP 429)", status, retryable=True, retry_after=wait)
        body = None if status in WITHOUT_BODY else self._body(answer)
        if answer.is_success:
            return accepted(body, status)
        if status in TELLS_NOTHING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Unknown(f"the provider answered HTTP {status}{told(body)}", status)
        return Rejected(f"the provider refused the request (HTTP {status}){told(body)}", status)

    def _body(self, answer: httpx.Response) -> Any:
        """The decoded answer, or None for one that is too long, too slow or no JSON."""
        ends = self._clock.monotonic() + self._deadline
        data = bytearray()
        for chunk in answer.iter_raw():
            data += chunk
            if len(data) > MAX_ANSWER or self._clock.monotonic() > ends:
                return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            return None

    def _retry_after(self, header: str | None) -> float | None:
        """Seconds, from a number or an HTTP date; None for what is neither."""
        if header is None:
            return None
        if header.strip().isdigit():
            return float(header)
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - self._clock.now()).total_seconds())

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def accepted(body: Any, status: int) -> Outcome:
    """2xx alone is no acceptance: the body must name the message and must not say that it failed."""
    if not isinstance(body, dict):
        return Unknown(f"the provider answered HTTP {status} with something unreadable", status)
    message_id, state = body.get("messageId"), str(body.get("status", "queued")).lower()
    if not isinstance(message_id, str) or not message_id or state in {"failed", "rejected", "error"}:
        return Unknown(
            f"the provider answered HTTP {status} without saying that it took the messages", status
        )
    return Accepted(message_id, status)


def told(body: Any) -> str:
    """The provider's own code and words, shortened to a line."""
    if not isinstance(body, dict):
        return ""
    said = " ".join(str(body[key]) for key in ("code", "message") if isinstance(body.get(key), str | int))
    return f": {' '.join(said.split())[:MAX_REASON]}" if said else ""


def described(error: Exception) -> str:
    text = " ".join(str(error).split())[:MAX_REASON]
    return text or type(error).__name__
