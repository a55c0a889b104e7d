"""Errors of requests without a response: whether bytes may have left, whether a retry can help, and a hint.

No message contains a password: a proxy is named by scheme, host and port.
"""

from __future__ import annotations

import ssl

from notifyctl.transport.loopback import is_loopback
from notifyctl.transport.proxies import Proxy, Route

BROKE_OFF = "the connection closed before a response arrived"
RETRY_STATUSES = {408, 429}
"""Statuses of a proxy that may be temporary, in addition to 5xx."""
UNKNOWN_ISSUER = {2, 18, 19, 20, 21}
"""`X509_V_ERR_…` of OpenSSL: the chain ends in an untrusted certificate."""


class TransportError(Exception):
    """No response. `left`: the server may have read part of the request. `lasting`: a retry would fail in the same way.
    `hint`: what to do.
    """

    def __init__(
        self, message: str, *, left: bool = False, lasting: bool = False, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.left = left
        self.lasting = lasting
        self.hint = hint

    @property
    def reason(self) -> str:
        """Message and hint as one sentence."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


def no_answer(seconds: float, *, timed_out: bool) -> TransportError:
    """The connection failed after the first byte of the request was written."""
    reason = f"no complete answer within {seconds:g} seconds" if timed_out else BROKE_OFF
    return TransportError(reason, left=True)


def unknown_host(host: str, why: str, route: Route, *, lasting: bool) -> TransportError:
    """`host` has no address. It is the proxy if there is one, else the server."""
    if route.proxy is not None:
        return TransportError(
            f"the proxy {route.proxy.url} cannot be found: {why}",
            lasting=lasting,
            hint=f"check {route.proxy.setting}",
        )
    return TransportError(
        f"the host {host} cannot be found: {why}",
        lasting=lasting,
        hint=f"check the address; if a proxy is the only way out, set {route.proxy_setting}",
    )


def no_connection(host: str, why: str, route: Route) -> TransportError:
    if route.proxy is not None:
        return TransportError(
            f"no connection to the proxy {route.proxy.url}: {why}", hint=f"check {route.proxy.setting}"
        )
    hint = None if is_loopback(host) else f"if a proxy is the only way out, set {route.proxy_setting}"
    return TransportError(f"no connection to {host}: {why}", hint=hint)


def refused_by_proxy(target: str, status: int, proxy: Proxy) -> TransportError:
    """The proxy refused CONNECT. 407 and most other 4xx statuses are lasting."""
    lasting = status < 500 and status not in RETRY_STATUSES  # noqa: PLR2004 - the server errors
    if status == 407 and proxy.username:  # noqa: PLR2004 - Proxy Authentication Required
        return TransportError(
            f"the proxy {proxy.url} does not accept the user name and password (407)",
            lasting=True,
            hint=f"check them in {proxy.setting}",
        )
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        return TransportError(
            f"the proxy {proxy.url} requires a user name and password (407)",
            lasting=True,
            hint="set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT"
            + (", or name a variable that holds such an address in `proxyEnv`" if proxy.from_project else ""),
        )
    return TransportError(
        f"the proxy {proxy.url} refused a connection to {target} ({status})",
        lasting=lasting,
        hint="the proxy must allow this host and port" if lasting else None,
    )


def proxy_silent(target: str, proxy: Proxy, seconds: float, *, timed_out: bool) -> TransportError:
    """The proxy did not respond to CONNECT, or not in HTTP."""
    how = f"did not answer within {seconds:g} seconds" if timed_out else "gave no HTTP response"
    return TransportError(f"the proxy {proxy.url} {how} when asked to connect to {target}")


def untrusted_certificate(
    host: str, error: ssl.SSLCertVerificationError, route: Route, *, of_proxy: bool
) -> TransportError:
    """`host`: owner of the certificate, the server or (`of_proxy`) a proxy reached by TLS."""
    whose = f"the proxy {host}" if of_proxy else host
    why = error.verify_message or error.strerror or "it cannot be verified"
    unknown_issuer = error.verify_code in UNKNOWN_ISSUER or not error.verify_message
    return TransportError(
        f"the certificate of {whose} is not trusted: {why}",
        lasting=True,
        hint=f"if a private CA signed it, set {route.ca_setting} to a file with the CA's certificate"
        if unknown_issuer
        else None,
    )


def no_tls(host: str, why: str) -> TransportError:
    return TransportError(f"no TLS connection to {host}: {why}")


def describe(error: BaseException | None) -> str:
    """The system's description of a socket error, without its number."""
    if isinstance(error, TimeoutError) or error is None:
        return "it took too long"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
