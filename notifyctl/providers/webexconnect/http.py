"""One POST to one endpoint over httpx. Knows nothing of what is sent, and never sends anything twice."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from notifyctl.errors import SettingsError
from notifyctl.fault_injection import Point, point
from notifyctl.transport.client import INCOMPLETE, is_url, open_client
from notifyctl.transport.proxies import Route

POINTS = {
    "send_request_headers.started": Point.POST_CONNECTED,
    "send_request_headers.complete": Point.POST_HEAD,
    "send_request_body.complete": Point.POST_BODY,
    "receive_response_headers.complete": Point.POST_ANSWER_HEAD,
    "receive_response_body.complete": Point.POST_ANSWER,
}
"""The stages of a request as httpcore calls them → our fault points."""


class HttpResponse(Struct, frozen=True):
    """`body` is None when it broke off, was too long, or nobody could tell where it ends."""

    status: int
    body: bytes | None
    retry_after: str | None

    def __repr__(self) -> str:
        return f"HttpResponse({self.status})"


class Endpoint:
    """Where requests go. For several threads."""

    def __init__(self, url: str, route: Route, *, seconds: float) -> None:
        """`seconds`: for a request, from its beginning to the end of its answer. Raises SettingsError."""
        if not is_url(url):
            raise SettingsError(f"the endpoint {url} is not a valid URL")
        self._url = url
        self._client = open_client(route, seconds=seconds)

    def post(self, content: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Raises TransportError."""
        request = self._client.build_request(
            "POST", self._url, content=content, headers=headers, extensions={"observer": pass_point}
        )
        response = self._client.send(request)
        return HttpResponse(
            response.status_code,
            None if response.extensions[INCOMPLETE] else response.content,
            response.headers.get("retry-after"),
        )

    def close(self) -> None:
        self._client.close()


def pass_point(stage: str) -> None:
    if stage in POINTS:
        point(POINTS[stage])
