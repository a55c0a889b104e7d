from __future__ import annotations

import ssl

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.transport.client import is_url, open_client, proxy_of
from notifyctl.transport.loopback import is_loopback
from notifyctl.transport.proxies import Proxy, find_route, no_proxy_pattern

CONTEXT = ssl.create_default_context()
URL = "https://api.example/v2/messages"


def proxy_for(url: str, environ: dict[str, str]) -> str | None:
    proxy = find_route(url, environ).proxy
    return proxy.url if proxy is not None else None


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://a"}, "http://a:80"),
        ({"HTTPS_PROXY": "https://[::1]"}, "https://[::1]:443"),
        ({"HTTP_PROXY": "http://a:1"}, None),
        ({"ALL_PROXY": "http://a:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1", "ALL_PROXY": "socks5://b:1"}, "http://a:1"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": "http://b:2"}, "http://b:2"),
        ({"HTTPS_PROXY": "http://a:1", "https_proxy": ""}, None),
        ({"HTTPS_PROXY": "http://ada:pw@a:1"}, "http://a:1"),
    ],
)
def test_the_variables_as_curl_reads_them(environ: dict[str, str], found: str | None) -> None:
    assert proxy_for(URL, environ) == found


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_loopback_never_takes_a_proxy(host: str) -> None:
    environ = {"HTTP_PROXY": "http://a:1", "HTTPS_PROXY": "http://a:1", "ALL_PROXY": "http://a:1"}
    for scheme in ("http", "https"):
        assert find_route(f"{scheme}://{host}:8080/", environ, proxy="http://b:2").proxy is None


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1.example",
        "localhost.example",
        "1270.0.0.1",
        "128.0.0.1",
        "",
        "127.1",
        "127.0.0.1.",
        "::ffff:127.0.0.1",
        "::1%lo",
        "127.\u0660.\u0660.\u0661",
    ],
)
def test_what_only_looks_like_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_proxy_of_the_project_goes_before_the_variables() -> None:
    route = find_route(URL, {"HTTPS_PROXY": "http://a:1", "NO_PROXY": "*"}, proxy="http://b:2")
    assert route.proxy == Proxy("`proxy` of the environment", url="http://b:2", from_project=True)
    assert route.exceptions == ()


def test_user_and_password_are_decoded() -> None:
    proxy = find_route(URL, {"HTTPS_PROXY": "http://ada%40acme:a%3Ab@a:1"}).proxy
    assert proxy is not None
    assert (proxy.username, proxy.password) == ("ada@acme", "a:b")


@pytest.mark.parametrize(
    ("entry", "excepted", "others"),
    [
        ("api.example", ["api.example", "eu.api.example"], ["myapi.example", "example"]),
        (".example", ["api.example"], ["example"]),
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.30"]),
        ("2001:db8::1", ["[2001:db8::1]"], ["[2001:db8::2]"]),
        ("localhost", ["localhost"], ["my.localhost"]),
        ("*", ["api.example", "10.1.2.3"], []),
        ("api.example:8443", ["api.example:8443"], ["api.example", "api.example:9443"]),
    ],
)
def test_exceptions_are_those_of_httpx(
    entry: str, excepted: list[str], others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What httpx itself, told of the same variables by the process environment, would choose."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("ALL_PROXY", "http://a:1")
    monkeypatch.setenv("NO_PROXY", entry)
    route = find_route("https://api.example", {"ALL_PROXY": "http://a:1", "NO_PROXY": entry})
    with open_client(route, seconds=1) as ours, httpx.Client() as theirs:
        for host in (*excepted, *others):
            url = httpx.URL(f"https://{host}/")
            direct = [client._transport_for_url(url) is client._transport for client in (ours, theirs)]
            assert direct == [host in excepted] * 2


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.text().map("http://{}@a:1".format)))
def test_any_text_in_a_variable_is_a_route(text: str) -> None:
    """Nothing that somebody has in a variable is a defect of ours."""
    for name in ("HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        route = find_route(URL, {"HTTPS_PROXY": "http://a:1", name: text})
        assert route.proxy is None or route.proxy.problem or proxy_of(route.proxy, CONTEXT) is not None
        assert all(isinstance(is_url(each), bool) for each in route.exceptions)
        assert no_proxy_pattern(text)
