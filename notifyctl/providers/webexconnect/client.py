"""The provider: a batch into a request, one POST for one request, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from notifyctl import __version__
from notifyctl.delivery import Batch, Outcome, PreparedRequest, Rejected, Unknown
from notifyctl.model import Auth
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.answers import outcome_of
from notifyctl.providers.webexconnect.auth import Credentials, redacted_headers
from notifyctl.providers.webexconnect.encode import content_of

if TYPE_CHECKING:
    from notifyctl.providers.webexconnect.connection import Endpoint

DEADLINE = 30.0
"""Seconds from the beginning of a request to the end of its answer."""
ALWAYS = {
    "User-Agent": f"notifyctl/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}


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
        self._auth = auth
        self._credentials = credentials
        self._clock = clock
        self._deadline = deadline
        self._last_proof: tuple[int, Mapping[str, str]] = (-1, {})
        self._endpoint_open = reached(endpoint) if credentials is not None else None

    @property
    def identity(self) -> str:
        return f"webexconnect {self._endpoint}"

    def prepare(self, batch: Batch) -> PreparedRequest:
        return PreparedRequest("POST", self._endpoint, redacted_headers(self._auth), content_of(batch))

    def send(self, request: PreparedRequest) -> Outcome:
        from notifyctl.providers.webexconnect.connection import UnsentError
        from notifyctl.providers.webexconnect.wire import BrokenError

        assert self._endpoint_open is not None, "made without credentials: it prepares and does not send"
        proof = self._proof()
        headers = {**ALWAYS, **request.headers, **proof}
        try:
            answer = self._endpoint_open.post(request.content, headers, seconds=self._deadline)
        except UnsentError as error:
            return Rejected(f"no connection to the provider: {error}", retryable=True)
        except BrokenError as error:
            return Unknown(str(error))
        return outcome_of(
            answer.status,
            answer.body,
            retry_after=answer.retry_after,
            now=self._clock.now(),
            addresses=lambda: addresses_of(request.body),
            secrets=[value.rpartition(" ")[2] for value in proof.values()],
        )

    def _proof(self) -> Mapping[str, str]:
        """The headers that say who sends. Within a second they are the same, a token too, and made once."""
        assert self._credentials is not None
        now = self._clock.now()
        second = int(now.timestamp())
        made_at, headers = self._last_proof
        if made_at != second:
            headers = self._credentials.headers(now)
            self._last_proof = second, headers
        return headers

    def close(self) -> None:
        if self._endpoint_open is not None:
            self._endpoint_open.close()


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """Every destination of a request, in the order of the batch's members."""
    return [address for entry in body["to"] for address in (entry.get("msisdn") or entry.get("email") or ())]


def reached(endpoint: str) -> Endpoint:
    from notifyctl.providers.webexconnect.connection import Endpoint

    return Endpoint(endpoint)
