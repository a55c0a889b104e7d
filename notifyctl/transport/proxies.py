"""How requests get out: through which proxy, except for which hosts, and whose certificates are trusted. Opens nothing.

The variables are those of curl and httpx: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in small letters first;
SSL_CERT_FILE and SSL_CERT_DIR. A loopback address is never reached through a proxy.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from notifyctl.ports import Environ

SCHEMES = ("http", "https")
PORTS = {"http": 80, "https": 443}


class Proxy(Struct, frozen=True):
    """`setting`: where its address stands, as people are told. `problem`: why it cannot be used; then no field but `setting` counts."""

    setting: str
    url: str = ""
    """Scheme, host and port, no user and no password."""
    username: str = ""
    password: str = ""
    from_project: bool = False
    problem: str | None = None

    def __repr__(self) -> str:
        return f"Proxy({self.url!r}, setting={self.setting!r})"


class Route(Struct, frozen=True):
    """`exceptions`: hosts that are reached without the proxy, as patterns of httpx. `ca_certificates`: PEM, trusted in addition to
    `cert_file` and `cert_dir`, and without these to what the system trusts. The two settings are what sentences name.
    """

    proxy: Proxy | None = None
    exceptions: tuple[str, ...] = ()
    ca_certificates: str | None = None
    cert_file: str | None = None
    cert_dir: str | None = None
    proxy_setting: str = "HTTPS_PROXY"
    ca_setting: str = "SSL_CERT_FILE"


def find_route(
    url: str,
    environ: Environ,
    *,
    proxy: str | None = None,
    proxy_key: str = "proxy",
    ca_certificates: str | None = None,
    from_project: bool = False,
) -> Route:
    """The way to `url`. `proxy`: an address that goes before the variables, from the project's key `proxy_key`; NO_PROXY does not
    concern it. `from_project`: sentences may name keys of the environment.
    """
    exceptions: tuple[str, ...] = ()
    chosen: Proxy | None = None
    if is_loopback(urlsplit(url).hostname or ""):
        pass
    elif proxy is not None:
        chosen = parse_proxy(proxy, f"`{proxy_key}` of the environment", from_project=True)
    elif found := proxy_variable(urlsplit(url).scheme, environ):
        name, text = found
        no_proxy = variable(environ, "no_proxy") or ""
        chosen = parse_proxy(text, name, from_project=from_project)
        exceptions = tuple(no_proxy_pattern(entry.strip()) for entry in no_proxy.split(",") if entry.strip())
    return Route(
        proxy=chosen,
        exceptions=exceptions,
        ca_certificates=ca_certificates,
        cert_file=environ.get("SSL_CERT_FILE") or None,
        cert_dir=environ.get("SSL_CERT_DIR") or None,
        proxy_setting="HTTPS_PROXY or `proxy` of the environment" if from_project else "HTTPS_PROXY",
        ca_setting="`caFile` of the environment or SSL_CERT_FILE" if from_project else "SSL_CERT_FILE",
    )


def proxy_variable(scheme: str, environ: Environ) -> tuple[str, str] | None:
    """The name and the text of the variable that counts for a scheme; None: none is set."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        if text := variable(environ, name):
            return (name if environ.get(name) else name.upper()), text
    return None


def variable(environ: Environ, name: str) -> str | None:
    """In small letters it goes first, and empty it takes the other one back, as in curl and the standard library."""
    return environ.get(name, environ.get(name.upper()))


def parse_proxy(text: str, setting: str, *, from_project: bool = False) -> Proxy:
    """An address without a scheme is one of HTTP, as in curl. What cannot be used is a proxy with a `problem`, which never holds
    the address: it may hold a password.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return Proxy(setting, problem=f"{setting} is not a valid address of a proxy")
    if parts.scheme.startswith("socks"):
        return Proxy(setting, problem=f"{setting} names a SOCKS proxy, which is not supported")
    if parts.scheme not in SCHEMES or not host or not host.isascii():
        return Proxy(setting, problem=f"{setting} is not a valid address of a proxy")
    name = f"[{host}]" if ":" in host else host
    return Proxy(
        setting,
        url=f"{parts.scheme}://{name}:{port or PORTS[parts.scheme]}",
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        from_project=from_project,
    )


def no_proxy_pattern(entry: str) -> str:
    """An entry of NO_PROXY as a pattern of httpx, by the rules of httpx: a name stands for itself and all below it, one that begins
    with a dot for all below it, an address and `localhost` for themselves, `*` for everything.
    """
    if entry == "*":
        return "all://"
    if "://" in entry:
        return entry
    try:
        address = ip_address(entry.split("/", maxsplit=1)[0].strip("[]"))
    except ValueError:
        return f"all://{entry}" if entry.lower() == "localhost" else f"all://*{entry}"
    return f"all://[{entry.strip('[]')}]" if address.version == 6 else f"all://{entry}"  # noqa: PLR2004 - IPv6


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
