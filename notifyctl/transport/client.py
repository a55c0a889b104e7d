"""An httpx client that reaches one server over a route: total deadlines, no redirects, no cookies, bounded answers.

It raises TransportError, and nothing of httpx, for whatever the network does.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable, Iterable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx
from msgspec import structs

from notifyctl.transport.certificates import build_context
from notifyctl.transport.connections import (
    CertificateError,
    DeadlineBackend,
    DeadlineStream,
    TlsError,
    UnknownHostError,
    time_limit,
)
from notifyctl.transport.failures import (
    TransportError,
    describe,
    no_answer,
    no_connection,
    no_tls,
    proxy_silent,
    refused_by_proxy,
    unknown_host,
    untrusted_certificate,
)
from notifyctl.transport.keep_alive import idle_limit, make_pool
from notifyctl.transport.proxies import PORTS, Proxy, Route

MAX_ANSWER = 1 << 20
"""Bytes of a body that are read, decoded; those of the API are some hundred."""
FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
INCOMPLETE = "notifyctl_incomplete"
"""Extension of a response whose body broke off, was too long or took too long: only its status and head are known."""
FRAMING = {"content-encoding", "content-length", "transfer-encoding"}
GZIP_OR_ZLIB = 47
"""`wbits` by which zlib takes both."""

Observer = Callable[[str], None]
"""Called with each stage of the request itself, not of CONNECT: `send_request_headers.started` and others of httpcore."""


def open_client(
    route: Route,
    *,
    seconds: float,
    max_answer: int = MAX_ANSWER,
    headers: Mapping[str, str] | None = None,
) -> httpx.Client:
    """For several threads. `seconds`: a request's, from DNS to the last byte of the answer. `max_answer`: bytes of a body.
    Raises SettingsError for certificates that cannot be read.
    """
    context = build_context(route)
    mounts: dict[str, httpx.BaseTransport | None] = {}
    if route.proxy is not None:
        # Which hosts are excepted is for httpx to say: `mounts` are what it makes of NO_PROXY itself.
        mounts = {"all://": Transport(route, route.proxy, context, max_answer)}
        mounts |= dict.fromkeys(filter(is_url, route.exceptions))
    return httpx.Client(
        transport=Transport(route, None, context, max_answer),
        mounts=mounts,
        headers={"Accept-Encoding": "identity", **(headers or {})},
        timeout=seconds,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def is_url(text: str) -> bool:
    """Whether httpx can read it. An exception that it cannot read excepts nobody."""
    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return True


class Transport(httpx.BaseTransport):
    """Sends each request once, reads its answer whole, and says of a failure whether the request may have left."""

    def __init__(self, route: Route, proxy: Proxy | None, context: ssl.SSLContext, max_answer: int) -> None:
        self._route = structs.replace(route, proxy=proxy)
        self._max_answer = max_answer
        self._pool = make_pool(
            ssl_context=context,
            proxy=proxy_of(proxy, context),
            network_backend=DeadlineBackend(max_received=2 * max_answer),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises TransportError. The request's extension `observer` is called with its stages."""
        proxy = self._route.proxy
        if proxy is not None and proxy.problem:
            raise TransportError(proxy.problem, lasting=True, hint="set it to http://HOST:PORT")
        progress = Progress(request.extensions.get("observer"))
        seconds = request.extensions["timeout"]["read"]
        with time_limit(seconds):
            try:
                response = self._pool.handle_request(as_core(request, progress))
            except FAILURES as error:
                raise explain(error, progress, self._route, request.url, seconds) from None
            body = read_body(response, self._max_answer)
        return as_httpx(response, body)

    def close(self) -> None:
        self._pool.close()


def proxy_of(proxy: Proxy | None, context: ssl.SSLContext) -> httpcore.Proxy | None:
    if proxy is None or proxy.problem:
        return None
    auth = (proxy.username.encode(), proxy.password.encode()) if proxy.username or proxy.password else None
    return httpcore.Proxy(
        proxy.url, auth=auth, ssl_context=context if proxy.url.startswith("https:") else None
    )


class Progress:
    """How far a request has come, by httpcore's trace. CONNECT has the same stages as the request behind it."""

    def __init__(self, observer: Observer | None) -> None:
        self._observer = observer
        self._connecting = False
        self.left = False
        """Whether writing the request itself has begun."""
        self.proxy_status: int | None = None
        """Of the answer to CONNECT."""

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        stage = event.partition(".")[2]
        if stage == "send_request_headers.started":
            self._connecting = info["request"].method == b"CONNECT"
            self.left = self.left or not self._connecting
        elif self._connecting and stage == "receive_response_headers.complete":
            _, self.proxy_status, *_ = info["return_value"]
        if self.left and self._observer is not None:
            self._observer(stage)

    @property
    def asked_proxy(self) -> bool:
        return self._connecting

    @property
    def through_proxy(self) -> bool:
        return self.proxy_status is not None and self.proxy_status // 100 == 2  # noqa: PLR2004 - success


def as_core(request: httpx.Request, progress: Progress) -> httpcore.Request:
    assert isinstance(request.stream, httpx.SyncByteStream)
    url = request.url
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions={"trace": progress},
    )


def as_httpx(response: httpcore.Response, body: bytes | None) -> httpx.Response:
    """The body is read and decoded, so that headers which say how it came are left out."""
    headers = [
        (name, value) for name, value in response.headers if name.decode("latin-1").lower() not in FRAMING
    ]
    return httpx.Response(
        response.status, headers=headers, content=body or b"", extensions={INCOMPLETE: body is None}
    )


def read_body(response: httpcore.Response, limit: int) -> bytes | None:
    """None: it broke off, was too long, or took too long. Afterwards the connection may be used again, where that is safe."""
    body = bytearray()
    try:
        assert isinstance(response.stream, Iterable)
        for piece in response.stream:
            body += piece
            if len(body) > limit:
                return None
        headers = httpx.Headers(response.headers)
        stream = response.extensions["network_stream"]
        if isinstance(stream, DeadlineStream):
            stream.keep(idle_limit(bytes(stream.received), headers))
        return decode_body(bytes(body), headers.get("content-encoding", ""), limit)
    except FAILURES:
        return None
    finally:
        response.close()


def decode_body(body: bytes, coding: str, limit: int) -> bytes | None:
    """Compressed although nobody asked for it, or only labelled so. None: longer than any answer."""
    if coding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return body
    decoder = zlib.decompressobj(GZIP_OR_ZLIB)
    try:
        text = decoder.decompress(body, limit + 1)
    except zlib.error:
        return body
    return text if len(text) <= limit and decoder.eof else None


def explain(
    error: Exception, progress: Progress, route: Route, url: httpx.URL, seconds: float
) -> TransportError:
    """What a failure of httpcore means. Where it happened decides, not which class it has."""
    timed_out = isinstance(error, httpcore.TimeoutException)
    if progress.left:
        return no_answer(seconds, timed_out=timed_out)
    target = f"{url.host}:{url.port or PORTS[url.scheme]}"
    proxy = route.proxy
    at_proxy = proxy is not None and not progress.through_proxy
    host = proxy.url if proxy is not None and at_proxy else url.host
    if isinstance(error, CertificateError):
        return untrusted_certificate(host, error.error, route, of_proxy=at_proxy)
    if isinstance(error, TlsError) or progress.through_proxy:
        return no_tls(host, describe(error.__cause__ or original_error(error.args)))
    if isinstance(error, UnknownHostError):
        return unknown_host(url.host, error.why, route, lasting=error.lasting)
    if proxy is not None and progress.proxy_status is not None:
        return refused_by_proxy(target, progress.proxy_status, proxy)
    if proxy is not None and progress.asked_proxy:
        return proxy_silent(target, proxy, seconds, timed_out=timed_out)
    return no_connection(url.host, describe(original_error(error.args)), route)


def original_error(arguments: tuple[object, ...]) -> BaseException | None:
    """The error that httpcore made another one of."""
    return next((each for each in arguments if isinstance(each, BaseException)), None)
