"""Selects the proxy and the trusted certificates for a URL. No I/O.

The variables are those of curl and httpx: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, lower case first;
SSL_CERT_FILE and SSL_CERT_DIR. Loopback addresses bypass the proxy.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from notifyctl.ports import Environ
from notifyctl.transport.loopback import is_loopback

SCHEMES = ("http", "https")
PORTS = {"http": 80, "https": 443}


class Proxy(Struct, frozen=True):
    """A proxy. `setting`: the source of its address, for messages. `problem`: why it cannot be used; only `setting` is valid then."""

    setting: str
    url: str = ""
    """Scheme, host and port, without credentials."""
    username: str = ""
    password: str = ""
    from_project: bool = False
    problem: str | None = None

    def __repr__(self) -> str:
        return f"Proxy({self.url!r}, setting={self.setting!r})"


class Route(Struct, frozen=True):
    """Proxy and trust for a URL. `exceptions`: httpx patterns of hosts that bypass the proxy. `ca_certificates`: PEM, trusted in
    addition to `cert_file` and `cert_dir`, else to the system's. The two settings are names for messages.
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
    """Returns the route to `url`. `proxy`, from the project's key `proxy_key`, overrides the variables and ignores NO_PROXY.
    `from_project`: messages can name keys of the Environment document.
    """
    exceptions: tuple[str, ...] = ()
    chosen: Proxy | None = None
    if is_loopback(urlsplit(url).hostname or ""):
        pass
    elif proxy is not None:
        chosen = parse_proxy(proxy, f"`{proxy_key}` of the environment", from_project=True)
    elif configured := proxy_variable(urlsplit(url).scheme, environ):
        name, text = configured
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
    """Returns name and value of the variable for a scheme, or None if none is set."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        if text := variable(environ, name):
            return (name if environ.get(name) else name.upper()), text
    return None


def variable(environ: Environ, name: str) -> str | None:
    """The lower-case name wins; set but empty, it disables the other, as in curl and the standard library."""
    return environ.get(name, environ.get(name.upper()))


def parse_proxy(text: str, setting: str, *, from_project: bool = False) -> Proxy:
    """Parses a proxy address; without a scheme it is HTTP, as in curl. If it is not usable, `problem` is set, and never quotes the
    address, which can contain a password.
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
    """Converts an entry of NO_PROXY to an httpx pattern, by the rules of httpx: a name matches itself and its subdomains, a name
    with a leading dot only subdomains, an address and `localhost` only themselves, `*` every host.
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
