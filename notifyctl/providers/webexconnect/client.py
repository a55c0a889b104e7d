"""The provider: a batch into a request, one POST for one request, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from notifyctl import __version__
from notifyctl.model.batch import Batch, Outcome, PreparedRequest, Rejected, Unknown
from notifyctl.model.project import Auth
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.answers import outcome_of
from notifyctl.providers.webexconnect.auth import Credentials, redacted_headers
from notifyctl.providers.webexconnect.encode import Encoder
from notifyctl.providers.webexconnect.troubles import BrokenError, UnsentError
from notifyctl.records import dataclass, field

if TYPE_CHECKING:
    from notifyctl.providers.webexconnect.connection import Endpoint

DEADLINE = 30.0
"""Seconds from the beginning of a request to the end of its answer."""
ALWAYS = {
    "User-Agent": f"notifyctl/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the body of each request of one second that is prepared with `headers`."""

    second: int
    headers: Mapping[str, str]
    written: bytes = field(repr=False)
    secrets: Sequence[str] = field(repr=False)


class WebexConnect:
    """Implements ports.Provider. Several threads may send at once.

    `credentials` is None where requests are prepared and never sent; then no network library is loaded.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        auth: Auth,
        credentials: Credentials | None,
        clock: Clock,
        deadline: float = DEADLINE,
    ) -> None:
        self._endpoint = endpoint
        self._credentials = credentials
        self._clock = clock
        self._deadline = deadline
        self._headers = redacted_headers(auth)
        self._encoder = Encoder()
        self._last_head: Head | None = None
        self._endpoint_open = reached(endpoint) if credentials is not None else None

    @property
    def identity(self) -> str:
        return f"webexconnect {self._endpoint}"

    def prepare(self, batch: Batch) -> PreparedRequest:
        return PreparedRequest("POST", self._endpoint, self._headers, self._encoder.content_of(batch))

    def send(self, request: PreparedRequest) -> Outcome:
        assert self._endpoint_open is not None, "made without credentials: it prepares and does not send"
        now = self._clock.now()
        head = self._head(self._endpoint_open, request.headers, now)
        try:
            answer = self._endpoint_open.post(request.content, head.written, seconds=self._deadline)
        except UnsentError as error:
            return Rejected(f"no connection to the provider: {error}", retryable=True)
        except BrokenError as error:
            return Unknown(str(error))
        return outcome_of(
            answer.status,
            answer.body,
            retry_after=answer.retry_after,
            now=self._clock.now() if answer.retry_after is not None else now,
            addresses=lambda: addresses_of(request.body),
            secrets=head.secrets,
        )

    def _head(self, endpoint: Endpoint, headers: Mapping[str, str], now: datetime) -> Head:
        """Within a second it is the same, a token in it too, and made once."""
        second, head = int(now.timestamp()), self._last_head
        if head is None or head.second != second or head.headers != headers:
            assert self._credentials is not None
            proof = self._credentials.headers(now)
            secrets = [value.rpartition(" ")[2] for value in proof.values()]
            written = endpoint.head({**ALWAYS, **headers, **proof})
            self._last_head = head = Head(second, headers, written, secrets)
        return head

    def close(self) -> None:
        if self._endpoint_open is not None:
            self._endpoint_open.close()


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """Every destination of a request, in the order of the batch's members."""
    return [address for entry in body["to"] for address in (entry.get("msisdn") or entry.get("email") or ())]


def reached(endpoint: str) -> Endpoint:
    from notifyctl.providers.webexconnect.connection import Endpoint

    return Endpoint(endpoint)
