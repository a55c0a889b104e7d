"""The provider: a batch into a request, one POST for one request, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from notifyctl import __version__
from notifyctl.config.fields import OLDER
from notifyctl.model.batch import Batch, Outcome, PreparedRequest, Refused, Rejected, Unknown
from notifyctl.model.project import Auth
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.auth import Credentials, redacted_headers
from notifyctl.providers.webexconnect.request import encode_body
from notifyctl.providers.webexconnect.responses import outcome_of
from notifyctl.transport.failures import TransportError
from notifyctl.transport.proxies import Route

if TYPE_CHECKING:
    from notifyctl.providers.webexconnect.http import Endpoint

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
        profile: str = OLDER,
        route: Route | None = None,
        deadline: float = DEADLINE,
    ) -> None:
        """`profile`: whose spelling requests have. `route`: the way to the endpoint; without it no proxy, and the system's trust. Raises SettingsError for certificates
        that cannot be read.
        """
        self._url = endpoint
        self._profile = profile
        self._credentials = credentials
        self._clock = clock
        self._headers = redacted_headers(auth)
        self._endpoint = open_endpoint(endpoint, route, deadline) if credentials is not None else None

    def prepare(self, batch: Batch) -> PreparedRequest:
        return PreparedRequest("POST", self._url, self._headers, encode_body(batch, profile=self._profile))

    def send(self, request: PreparedRequest) -> Outcome:
        assert self._endpoint is not None, "made without credentials: it prepares and does not send"
        assert self._credentials is not None
        proof = self._credentials.headers(self._clock.now())
        try:
            answer = self._endpoint.post(request.content, {**ALWAYS, **request.headers, **proof})
        except TransportError as error:
            return without_answer(error)
        return outcome_of(
            answer.status,
            answer.body,
            retry_after=answer.retry_after,
            now=self._clock.now(),
            addresses=lambda: addresses_of(request.body),
            secrets=[value.rpartition(" ")[2] for value in proof.values()],
        )

    def close(self) -> None:
        if self._endpoint is not None:
            self._endpoint.close()


def without_answer(error: TransportError) -> Outcome:
    """What never left is certainly not accepted; what no other attempt can mend ends the run, as wrong credentials do."""
    if error.left:
        return Unknown(error.reason)
    if error.lasting:
        return Refused(error.reason, posted=False)
    return Rejected(error.reason, retryable=True, posted=False)


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """Every destination of a request, in the order of the batch's members."""
    return [address for entry in body["to"] for address in (entry.get("msisdn") or entry.get("email") or ())]


def open_endpoint(url: str, route: Route | None, seconds: float) -> Endpoint:
    from notifyctl.providers.webexconnect.http import Endpoint

    return Endpoint(url, route or Route(), seconds=seconds)
