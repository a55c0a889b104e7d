"""What the client makes of proxies and private CAs: a real proxy process, a server with TLS, a CA of our own, all on loopback.

The server's name is known to the proxy alone, as behind a company's proxy: without it nothing can be reached.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from notifyctl.model.batch import Accepted, Batch, Destinations, Outcome, Refused, Rejected, Unknown
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import Auth, ChannelName, Secret
from notifyctl.model.recipients import Scope
from notifyctl.providers.webexconnect.auth import ServiceKey
from notifyctl.providers.webexconnect.client import WebexConnect
from notifyctl.testing import ManualClock
from notifyctl.transport.proxies import Route, find_route

PROXY = Path(__file__).parents[1] / "proxy.py"
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
KEY = "made-up-key"
HOST = "api.example"
URL = f"https://{HOST}/v2/messages"
PATIENCE = 0.7
"""Seconds until the client gives up on somebody who hangs."""
PAUSE = 0.05
"""Seconds between two bytes of somebody who trickles: less than any time-out for one wait."""
QUEUED = b'{"messageId":"5f1c","status":"queued"}'
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(QUEUED), QUEUED)


def batch() -> Batch:
    return Batch(
        number=1,
        attempt=1,
        scope=Scope("outage", 1, "once", ChannelName.SMS),
        message=Message(ChannelName.SMS, "CNNECT", {"type": "text", "text": "Hello"}),
        envelope=Envelope(),
        to=Destinations(("+447700900123",), ("n1",), (), ()),
        members=b"",
    )


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def pem(ca: trustme.CA) -> str:
    return ca.cert_pem.bytes().decode()


@dataclass
class Server:
    """Speaks TLS; answers each request by `play`, whatever it is."""

    context: ssl.SSLContext
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    play: Callable[[ssl.SSLSocket], object] = lambda connection: connection.sendall(ANSWER)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it is closed when the test ends
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self.serve_one, args=(connection,), daemon=True).start()

    def serve_one(self, connection: socket.socket) -> None:
        with suppress(OSError), self.context.wrap_socket(connection, server_side=True) as secured:
            while request := self.read(secured):
                self.requests.append(request)
                self.play(secured)
        connection.close()

    def read(self, connection: ssl.SSLSocket) -> bytes:
        text = b""
        while not text.endswith(b"}"):
            piece = connection.recv(65536)
            if not piece:
                return b""
            text += piece
        return text


@contextmanager
def serving(certificate: trustme.LeafCert) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the proxy tells the handshake from the request by it
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(context, port=listener.getsockname()[1])
        threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server(ca: trustme.CA) -> Iterator[Server]:
    with serving(ca.issue_cert(HOST)) as made:
        yield made


@dataclass(frozen=True)
class Proxy:
    port: int
    log: Path

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        """Each CONNECT there was."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@contextmanager
def proxying(folder: Path, server: Server, how: str, *options: str) -> Iterator[Proxy]:
    log = folder / "connects.jsonl"
    command = [sys.executable, "-I", "-S", str(PROXY), how, "--log", str(log)]
    command += ["--reach", f"{HOST}:443={server.port}", *options]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield Proxy(int(process.stdout.readline()), log)
    finally:
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def send(route: Route, *, deadline: float = 10.0, times: int = 1, url: str = URL) -> list[Outcome]:
    provider = WebexConnect(
        url,
        auth=Auth(service_key=Secret(env="SERVICE_KEY")),
        credentials=ServiceKey(KEY),
        clock=ManualClock(NOW),
        route=route,
        deadline=deadline,
    )
    try:
        return [provider.send(provider.prepare(batch())) for _ in range(times)]
    finally:
        provider.close()


def through(port: int, pem: str | None, *, user: str = "", scheme: str = "http") -> Route:
    """As from HTTPS_PROXY and `caFile`."""
    environ = {"HTTPS_PROXY": f"{scheme}://{user}127.0.0.1:{port}"}
    return find_route(URL, environ, ca_certificates=pem, from_project=True)


def test_the_proxy_is_the_only_way_out(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "accept") as proxy:
        assert send(through(proxy.port, pem)) == [Accepted("5f1c", 201)]
        assert [each["target"] for each in proxy.asked] == [f"{HOST}:443"]
        [refused] = send(find_route(URL, {}, ca_certificates=pem, from_project=True))
    assert len(server.requests) == 1
    assert isinstance(refused, Refused | Rejected)
    assert f"the host {HOST} cannot be found" in refused.reason
    assert "set HTTPS_PROXY or `proxy` of the environment" in refused.reason


def test_a_tunnel_is_used_again(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "accept") as proxy:
        provider = WebexConnect(
            URL,
            auth=Auth(service_key=Secret(env="SERVICE_KEY")),
            credentials=ServiceKey(KEY),
            clock=ManualClock(NOW),
            route=through(proxy.port, pem),
        )
        for _ in range(3):
            assert isinstance(provider.send(provider.prepare(batch())), Accepted)
            time.sleep(0.2)
        provider.close()
        assert len(proxy.asked) == 1
    assert len(server.requests) == 3


def test_the_key_is_shown_to_the_server_alone(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "demand") as proxy:
        send(through(proxy.port, pem, user="ada:secret@"))
        assert KEY not in proxy.log.read_text()
    [request] = server.requests
    assert KEY.encode() in request
    assert b"roxy-" not in request


def test_without_its_ca_a_server_is_not_trusted(tmp_path: Path, server: Server) -> None:
    with proxying(tmp_path, server, "accept") as proxy:
        [refused] = send(through(proxy.port, None))
    assert isinstance(refused, Refused)
    assert f"the certificate of {HOST} is not trusted" in refused.reason
    assert "`caFile` of the environment or SSL_CERT_FILE" in refused.reason
    assert server.requests == []


def test_a_ca_by_the_variable(tmp_path: Path, server: Server, pem: str) -> None:
    (tmp_path / "ca.pem").write_text(pem)
    with proxying(tmp_path, server, "accept") as proxy:
        environ = {"https_proxy": f"127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        assert send(find_route(URL, environ)) == [Accepted("5f1c", 201)]


def test_a_ca_is_trusted_in_addition(tmp_path: Path, server: Server, pem: str) -> None:
    (tmp_path / "ca.pem").write_text(pem)
    other = trustme.CA().cert_pem.bytes().decode()
    with proxying(tmp_path, server, "accept") as proxy:
        environ = {"HTTPS_PROXY": f"127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        assert send(find_route(URL, environ, ca_certificates=other)) == [Accepted("5f1c", 201)]


def test_the_ca_that_signed_the_certificate_is_enough(tmp_path: Path, ca: trustme.CA) -> None:
    between = ca.create_child_ca()
    with serving(between.issue_cert(HOST)) as server, proxying(tmp_path, server, "accept") as proxy:
        assert send(through(proxy.port, between.cert_pem.bytes().decode())) == [Accepted("5f1c", 201)]


def test_a_certificate_for_another_host(tmp_path: Path, ca: trustme.CA, pem: str) -> None:
    with serving(ca.issue_cert("elsewhere.example")) as server:
        with proxying(tmp_path, server, "accept") as proxy:
            [refused] = send(through(proxy.port, pem))
        assert server.requests == []
    assert isinstance(refused, Refused)
    assert "not valid for 'api.example'" in refused.reason
    assert "caFile" not in refused.reason


def test_a_private_ca_on_loopback_needs_no_proxy(ca: trustme.CA, pem: str) -> None:
    with serving(ca.issue_cert("127.0.0.1", "localhost")) as server:
        for host in ("127.0.0.1", "localhost"):
            url = f"https://{host}:{server.port}/v2/messages"
            # A proxy that nobody serves: loopback never takes one.
            for proxy in (None, "http://127.0.0.1:9"):
                route = find_route(url, {"ALL_PROXY": "http://127.0.0.1:9"}, proxy=proxy, ca_certificates=pem)
                assert send(route, url=url) == [Accepted("5f1c", 201)]
            [refused] = send(find_route(url, {}), url=url)
            assert isinstance(refused, Refused)
            assert f"the certificate of {host} is not trusted" in refused.reason
        assert len(server.requests) == 4


def test_a_host_that_the_variable_excepts_takes_no_proxy(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "accept") as proxy:
        for excepted in (HOST, "example", "*", f"else, {HOST}", ".example"):
            environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": excepted}
            [refused] = send(find_route(URL, environ, ca_certificates=pem))
            assert isinstance(refused, Refused | Rejected)
            assert f"the host {HOST} cannot be found" in refused.reason
        assert proxy.asked == []
        # What the project names is not the variables' to take back.
        environ = {"NO_PROXY": "*"}
        named = find_route(URL, environ, proxy=f"http://127.0.0.1:{proxy.port}", ca_certificates=pem)
        assert send(named) == [Accepted("5f1c", 201)]


NEVER_LEFT = [
    pytest.param("demand", Refused, "requires a user name and password (407)", id="407"),
    pytest.param("refuse", Refused, "refused a connection to api.example:443 (403)", id="403"),
    pytest.param("redirect", Refused, "refused a connection to api.example:443 (302)", id="302"),
    pytest.param("unavailable", Rejected, "refused a connection to api.example:443 (502)", id="502"),
    pytest.param("drop", Rejected, "gave no HTTP response when asked", id="drops CONNECT"),
    pytest.param("babble", Rejected, "gave no HTTP response when asked", id="no HTTP"),
    pytest.param("hang", Rejected, "did not answer within 0.7 seconds", id="hangs on CONNECT"),
    pytest.param("trickle", Rejected, "did not answer within 0.7 seconds", id="trickles its answer"),
    pytest.param("drop-behind", Rejected, "no TLS connection to api.example", id="drops after CONNECT"),
    pytest.param("hang-behind", Rejected, "it took too long", id="hangs after CONNECT"),
    pytest.param("trickle-behind", Rejected, "it took too long", id="trickles the handshake"),
]


@pytest.mark.parametrize(("how", "outcome", "says"), NEVER_LEFT)
def test_what_never_left_is_certainly_not_accepted(
    tmp_path: Path, server: Server, pem: str, how: str, outcome: type[Outcome], says: str
) -> None:
    with proxying(tmp_path, server, how, "--pause", str(PAUSE)) as proxy:
        [found] = send(through(proxy.port, pem), deadline=PATIENCE)
        assert len(proxy.asked) == 1
    assert isinstance(found, Refused | Rejected)
    assert isinstance(found, outcome)
    assert says in found.reason
    assert getattr(found, "retryable", True)
    assert found.status is None
    assert not found.posted
    assert server.requests == []


@pytest.mark.parametrize("how", ["drop-request", "hang-request"])
def test_from_the_first_byte_on_nobody_knows(tmp_path: Path, server: Server, pem: str, how: str) -> None:
    with proxying(tmp_path, server, how) as proxy:
        [found] = send(through(proxy.port, pem), deadline=PATIENCE)
        assert len(proxy.asked) == 1
    assert isinstance(found, Unknown)


def test_nobody_serves_the_proxy(server: Server, pem: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        [found] = send(through(port, pem))
    assert isinstance(found, Rejected)
    assert found.retryable
    assert f"no connection to the proxy http://127.0.0.1:{port}: Connection refused" in found.reason
    assert "check HTTPS_PROXY" in found.reason


def test_a_proxy_without_an_address(pem: str) -> None:
    [found] = send(find_route(URL, {}, proxy="http://proxy.invalid:3128", ca_certificates=pem))
    assert isinstance(found, Refused | Rejected)
    assert "the proxy http://proxy.invalid:3128 cannot be found" in found.reason
    assert "check `proxy` of the environment" in found.reason


def test_a_name_that_cannot_be_one_ends_the_run(pem: str) -> None:
    url = f"https://{'a' * 64}.example/v2/messages"
    [found] = send(find_route(url, {}), url=url)
    assert isinstance(found, Refused)


def test_a_user_name_and_a_password(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "demand", "--user", "ada:a p@ss") as proxy:
        assert send(through(proxy.port, pem, user="ada:a%20p%40ss@")) == [Accepted("5f1c", 201)]
        [refused] = send(through(proxy.port, pem, user="ada:wr0ngpassword@"))
    assert isinstance(refused, Refused)
    assert "does not accept the user name and password (407)" in refused.reason
    assert "wr0ng" not in refused.reason


@pytest.mark.parametrize("how", ["accept", "demand", "refuse", "trickle-behind"])
def test_a_proxy_that_is_reached_by_tls(
    tmp_path: Path, server: Server, ca: trustme.CA, pem: str, how: str
) -> None:
    chain = tmp_path / "proxy.pem"
    ca.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    with proxying(tmp_path, server, how, "--tls", str(chain), "--pause", str(PAUSE)) as proxy:
        [found] = send(through(proxy.port, pem, scheme="https"), deadline=PATIENCE if "-" in how else 10.0)
        [untrusted] = send(through(proxy.port, None, scheme="https"))
    expected: dict[str, type] = {
        "accept": Accepted,
        "demand": Refused,
        "refuse": Refused,
        "trickle-behind": Rejected,
    }
    assert type(found) is expected[how]
    assert isinstance(untrusted, Refused)
    assert "the certificate of the proxy https://127.0.0.1" in untrusted.reason


def trickle(connection: ssl.SSLSocket) -> None:
    for byte in ANSWER:
        connection.sendall(bytes([byte]))
        time.sleep(PAUSE)


def test_a_server_that_trickles_behind_a_proxy_is_left_alone(
    tmp_path: Path, server: Server, pem: str
) -> None:
    server.play = trickle
    with proxying(tmp_path, server, "accept") as proxy:
        assert send(through(proxy.port, pem), deadline=PATIENCE) == [
            Unknown("no complete answer within 0.7 seconds")
        ]
    assert len(server.requests) == 1


def test_a_server_that_reads_a_byte_at_a_time_is_left_alone(tmp_path: Path, server: Server, pem: str) -> None:
    """All of a large body never fits into what the system holds for it."""
    done = threading.Event()
    server.play = lambda _: None

    def read(connection: ssl.SSLSocket) -> bytes:
        while not done.wait(PAUSE):
            connection.recv(1)
        return b""

    server.read = read  # type: ignore[method-assign]
    large = batch()
    message = Message(ChannelName.SMS, "CNNECT", {"type": "text", "text": "x" * 30_000_000})
    with proxying(tmp_path, server, "accept") as proxy:
        provider = WebexConnect(
            URL,
            auth=Auth(service_key=Secret(env="SERVICE_KEY")),
            credentials=ServiceKey(KEY),
            clock=ManualClock(NOW),
            route=through(proxy.port, pem),
            deadline=2.0,
        )
        prepared = provider.prepare(Batch(1, 1, large.scope, message, large.envelope, large.to, b""))
        found = provider.send(prepared)
        provider.close()
        done.set()
    assert found == Unknown("no complete answer within 2 seconds")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("socks5://ada:secret@127.0.0.1:1080", "ALL_PROXY names a SOCKS proxy, which is not supported"),
        ("socks5h://127.0.0.1", "ALL_PROXY names a SOCKS proxy"),
        ("ftp://ada:secret@127.0.0.1", "ALL_PROXY is not a valid address of a proxy"),
        ("http://ada:secret@", "ALL_PROXY is not a valid address of a proxy"),
        ("http://[ada:secret", "ALL_PROXY is not a valid address of a proxy"),
        ("http://ada:secret@proxy:port", "ALL_PROXY is not a valid address of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_one_sentence(text: str, says: str) -> None:
    [found] = send(find_route(URL, {"ALL_PROXY": text}))
    assert isinstance(found, Refused)
    assert found.reason == f"{says}; set it to http://HOST:PORT" or says in found.reason
    assert "secret" not in found.reason


def test_an_exception_that_cannot_be_read_excepts_nobody(tmp_path: Path, server: Server, pem: str) -> None:
    with proxying(tmp_path, server, "accept") as proxy:
        environ = {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
            "no_proxy": "[, http://[, ::1, [::1], 10.0.0.0/8, a b",
        }
        assert send(find_route(URL, environ, ca_certificates=pem)) == [Accepted("5f1c", 201)]


def test_no_repr_holds_a_password() -> None:
    route = find_route(URL, {"HTTPS_PROXY": "http://ada:canary@proxy.example:3128"})
    assert "proxy.example" in repr(route)
    assert "canary" not in repr(route)


def test_nothing_of_an_answer_is_kept_as_a_cookie(tmp_path: Path, server: Server, pem: str) -> None:
    cookie = b"HTTP/1.1 201 Created\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n%s" % (
        len(QUEUED),
        QUEUED,
    )
    server.play = lambda connection: connection.sendall(cookie)
    with proxying(tmp_path, server, "accept") as proxy:
        send(through(proxy.port, pem), times=2)
    assert len(server.requests) == 2
    assert b"ookie" not in server.requests[1]
