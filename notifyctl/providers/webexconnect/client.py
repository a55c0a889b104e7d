"""The HTTP client: one POST for one request, and what became of it. The only module that speaks to the provider."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import TYPE_CHECKING, Any, Self

from notifyctl import __version__
from notifyctl.delivery import Batch, Outcome, PreparedRequest, Rejected, Unknown
from notifyctl.faults import Point, point
from notifyctl.model import Auth
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.answers import outcome_of
from notifyctl.providers.webexconnect.auth import Credentials, redacted_headers
from notifyctl.providers.webexconnect.payload import body_of

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection, and as many for TLS on it."""
DEADLINE = 30.0
"""Seconds from the beginning of a request to the end of its answer."""
MAX_ANSWER = 1 << 20
"""Bytes of an answer that are read; the API's are some hundred."""
CONNECTED = {"connection.connect_tcp.complete", "connection.start_tls.complete"}
POINTS = {
    "connection.connect_tcp.complete": Point.POST_CONNECTED,
    "http11.send_request_headers.complete": Point.POST_HEAD,
    "http11.send_request_body.complete": Point.POST_BODY,
    "http11.receive_response_headers.complete": Point.POST_ANSWER_HEAD,
    "http11.receive_response_body.complete": Point.POST_ANSWER,
}
"""What the library tells of → the fault point."""


class WebexConnect:
    """Implements ports.Provider. Several threads may send at once, as many as `concurrency`.

    `credentials` is None where requests are prepared and never sent; then no network library is loaded.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        auth: Auth,
        credentials: Credentials | None,
        clock: Clock,
        concurrency: int,
        deadline: float = DEADLINE,
    ) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._credentials = credentials
        self._clock = clock
        self._deadline = deadline
        self._client = new_client(concurrency, deadline) if credentials is not None else None

    @property
    def identity(self) -> str:
        return f"webexconnect {self._endpoint}"

    def prepare(self, batch: Batch) -> PreparedRequest:
        return PreparedRequest("POST", self._endpoint, redacted_headers(self._auth), body_of(batch))

    def send(self, request: PreparedRequest) -> Outcome:
        import httpx

        assert self._client is not None, "made without credentials: it prepares and does not send"
        assert self._credentials is not None
        proof = self._credentials.headers(self._clock.now())
        content = json.dumps(request.body, ensure_ascii=False, separators=(",", ":")).encode()
        with Deadline(self._deadline) as deadline:
            try:
                with self._client.stream(
                    request.method,
                    request.url,
                    content=content,
                    headers={**request.headers, **proof},
                    extensions={"trace": deadline.watch},
                ) as response:
                    return outcome_of(
                        response.status_code,
                        read(response),
                        retry_after=response.headers.get("Retry-After"),
                        now=self._clock.now(),
                        addresses=addresses_of(request.body),
                        secrets=[value.rpartition(" ")[2] for value in proof.values()],
                    )
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                why = str(error) or "it took too long"
                return Rejected(f"no connection to the provider: {why}", retryable=True)
            except httpx.HTTPError as error:
                return Unknown(deadline.reason or broken(error))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """Every destination of a request, in the order of the batch's members."""
    return [address for entry in body["to"] for address in (entry.get("msisdn") or entry.get("email") or ())]


def new_client(concurrency: int, deadline: float) -> httpx.Client:
    import httpx

    return httpx.Client(
        # Nothing from the environment: a proxy could answer in the provider's place.
        trust_env=False,
        follow_redirects=False,
        # `Deadline` ends a request in time; this is for the case that it cannot.
        timeout=httpx.Timeout(2 * deadline, connect=min(CONNECT_TIMEOUT, deadline)),
        # A connection for each request: one that was kept can be closed by the other side just when it is used again,
        # and nobody would know whether the request had been read.
        limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=0),
        headers={
            "User-Agent": f"notifyctl/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
    )


def read(response: httpx.Response) -> bytes | None:
    """The body as it came; None when it breaks off or is too long. The status alone then decides."""
    import httpx

    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > MAX_ANSWER:
                return None
    except httpx.HTTPError:
        return None
    return bytes(body)


def broken(error: httpx.HTTPError) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "the connection broke off before the answer"


class Deadline:
    """A limit for a whole request, whatever it waits for: the library's own time-outs begin anew with every byte.

    A context manager; `watch` is told by the library of each connection. `reason` says that the limit was passed.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._socket: socket | None = None
        self._timer = threading.Timer(seconds, self._pass)
        self._timer.daemon = True
        self.reason: str | None = None

    def watch(self, event: str, info: Mapping[str, Any]) -> None:
        if event in CONNECTED:
            self._socket = info["return_value"].get_extra_info("socket")
            if self.reason:
                self._shut()
        if event in POINTS:
            point(POINTS[event])

    def _pass(self) -> None:
        self.reason = f"no complete answer within {self._seconds:g} seconds"
        self._shut()

    def _shut(self) -> None:
        """Whoever waits for the connection is told at once that it has ended."""
        if self._socket is not None:
            with suppress(OSError):  # closed by now
                self._socket.shutdown(SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
