"""The command behind a proxy that is the only way out, and against servers with a certificate of a private CA."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

PROXY = Path(__file__).parents[1] / "proxy.py"
HOST = "api.example"
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaultEnvironment: production
environments:
  production:
    provider: webexconnect
    endpoint: https://api.example/v2/messages
    auth: {serviceKeyEnv: SERVICE_KEY}
    senders: {sms: CNNECT}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: ["+447700900123"]}]}
"""
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass
class Server:
    """Provider and GitHub in one, with TLS, on loopback under a name that no name server knows."""

    port: int = 0
    requests: list[tuple[str, str]] = field(default_factory=list)

    def handler(server) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server.requests.append((self.command, self.path))
                found: Any = [] if self.command == "GET" else {"messageId": "5f1c", "id": 1}
                data = json.dumps(found).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815 - the names that the server calls

            def log_message(self, *args: object) -> None:
                """Quiet."""

        return Handler


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    context: ssl.SSLContext

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate is what some of the tests are about."""


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(ca: trustme.CA) -> Iterator[Server]:
    made = Server()
    web = Quiet(("127.0.0.1", 0), made.handler())
    web.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(HOST).configure_cert(web.context)
    made.port = web.server_port
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    web.shutdown()
    thread.join()
    web.server_close()


Start = Callable[[str], int]


@pytest.fixture
def proxy(tmp_path: Path, server: Server) -> Iterator[Start]:
    """Starts a proxy that reaches the server under its name, and gives its port."""
    with ExitStack() as stack:

        def start(how: str) -> int:
            command = [sys.executable, "-I", "-S", str(PROXY), how, "--log", str(tmp_path / "connects")]
            command += ["--reach", f"{HOST}:443={server.port}"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdin is not None
            assert process.stdout is not None
            stack.callback(process.stdin.close)
            stack.callback(process.stdout.close)
            return int(process.stdout.readline())

        yield start


@pytest.fixture
def hello(cli: Any, ca: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project whose provider is known to a proxy alone, with its ledger, and the CA's certificate in a file."""
    for name in (*VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("SERVICE_KEY", "made-up-key")
    cli.write(notifyctl=PROJECT, hello=HELLO, **{"ca.pem": ca.cert_pem.bytes().decode()})
    assert cli("ledger", "init").code == 0
    return cli


def environment(cli: Any, *lines: str) -> None:
    """Add keys to the environment."""
    cli.write(notifyctl=PROJECT + "".join(f"    {line}\n" for line in lines))


def refusal(cli: Any) -> str:
    """An apply that ends with 1, without anybody uncertain, and what it says. Nothing stands in the way of the next one."""
    result = cli.apply()
    assert result.code == 1, result.err
    assert result.json["outcomes"]["uncertain"] == 0
    return str(result.json["refused"])


def test_by_the_variables(hello: Any, server: Server, proxy: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy('accept')}")
    monkeypatch.setenv("SSL_CERT_FILE", str(hello.root / "ca.pem"))
    assert hello.apply().code == 0
    assert server.requests == [("POST", "/v2/messages")]


def test_by_the_environment(hello: Any, server: Server, proxy: Start) -> None:
    environment(hello, f"proxy: http://127.0.0.1:{proxy('accept')}", "caFile: ca.pem")
    assert hello("lint").code == 0
    assert hello.apply().code == 0
    assert server.requests == [("POST", "/v2/messages")]


def test_by_a_secret_of_the_environment(
    hello: Any, server: Server, proxy: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = proxy("demand")
    environment(hello, "proxyEnv: COMPANY_PROXY", "caFile: ca.pem")
    monkeypatch.setenv("COMPANY_PROXY", f"http://ada:canary@127.0.0.1:{port}")
    assert "`proxyEnv` of the environment" in refusal(hello)
    monkeypatch.setenv("COMPANY_PROXY", f"http://ada:secret@127.0.0.1:{port}")
    assert hello.apply().code == 0
    assert len(server.requests) == 1
    assert "canary" not in "".join(hello.said)


def test_with_neither_it_is_said_what_to_set(hello: Any, server: Server, proxy: Start) -> None:
    result = hello.apply()
    assert result.code in {1, 6}, "a name server that cannot be asked may be there the next time"
    said = json.dumps(result.json, ensure_ascii=False)
    assert f"the host {HOST} cannot be found" in said
    assert "set HTTPS_PROXY or `proxy` of the environment" in said
    assert result.json["outcomes"]["uncertain"] == 0
    environment(hello, f"proxy: http://127.0.0.1:{proxy('accept')}")
    said = refusal(hello)
    assert f"the certificate of {HOST} is not trusted" in said
    assert "`caFile` of the environment or SSL_CERT_FILE" in said
    environment(hello, f"proxy: http://127.0.0.1:{proxy('accept')}", "caFile: ca.pem")
    assert server.requests == []
    assert hello.apply().code == 0
    assert len(server.requests) == 1


def test_a_proxy_that_asks_who_we_are(hello: Any, server: Server, proxy: Start) -> None:
    environment(hello, f"proxy: http://127.0.0.1:{proxy('demand')}", "caFile: ca.pem")
    assert "requires a user name and password (407)" in refusal(hello)
    assert server.requests == []


def test_socks_is_one_sentence(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://ada:canary@127.0.0.1:1080")
    assert "ALL_PROXY names a SOCKS proxy, which is not supported" in refusal(hello)
    assert "canary" not in "".join(hello.said)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "the CA file `certs/ca.pem` cannot be read: it is not in the project"),
        ("no certificate", "the CA file `certs/ca.pem` holds no certificate in PEM form"),
    ],
)
def test_a_ca_file_is_read_before_anything_is_begun(hello: Any, content: str | None, says: str) -> None:
    environment(hello, "caFile: certs/ca.pem")
    if content is not None:
        hello.write(**{"certs__ca.pem": content})
    linted = hello("lint", "--format", "json")
    [problem] = [each for each in linted.json["diagnostics"] if each["severity"] == "error"]
    assert (problem["rule"], problem["line"]) == ("unreadable-file", 11)
    assert says in problem["message"]
    applied = hello.apply()
    assert applied.code == 1
    assert says in applied.err
    assert hello("status", "--format", "json").json["notifications"] == []


def test_a_ca_file_with_a_broken_certificate(hello: Any) -> None:
    environment(hello, "caFile: ca.pem")
    hello.write(**{"ca.pem": "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"})
    applied = hello.apply()
    assert applied.code == 1
    assert "holds no certificate in PEM form" in applied.err


def test_a_variable_that_names_no_certificates(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, str(hello.root / "none"))
        applied = hello.apply()
        assert applied.code == 1
        assert f"{name} names {hello.root / 'none'}" in applied.err
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    "line",
    [
        "proxy: socks5://127.0.0.1:1080",
        "proxy: 127.0.0.1:3128",
        "proxy: http://proxy.acme.example",
        "proxy: http://ada:canary@proxy.acme.example:3128",
        "proxy: http://proxy.acme.example:3128/path",
        "proxyEnv: 'http://proxy.acme.example:3128'",
        "{proxy: 'http://a.example:1', proxyEnv: A}",
    ],
)
def test_lint_of_the_address_of_a_proxy(hello: Any, line: str) -> None:
    lines = line[1:-1].split(", ") if line.startswith("{") else [line]
    environment(hello, *lines)
    result = hello("lint", "--format", "json")
    assert result.code == 1
    assert [each["severity"] for each in result.json["diagnostics"]] == ["error"]
    assert all("canary" not in each["message"] for each in result.json["diagnostics"])


def test_a_comment_goes_by_the_variables_alone(
    hello: Any, server: Server, proxy: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GITHUB_REPOSITORY": "acme/alerts",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_API_URL": f"https://{HOST}",
        "GITHUB_TOKEN": "canary-token",
    }.items():
        monkeypatch.setenv(name, value)
    port = proxy("accept")
    # A branch's own settings must not choose who sees the token.
    environment(hello, f"proxy: http://127.0.0.1:{port}", "caFile: ca.pem")
    alone = hello("review", "--when", "always")
    assert alone.code == 1
    assert f"GitHub cannot be reached: the host {HOST} cannot be found" in alone.err
    assert "set HTTPS_PROXY" in alone.err
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    distrusting = hello("review", "--when", "always")
    assert distrusting.code == 1
    assert f"the certificate of {HOST} is not trusted" in distrusting.err
    assert "set SSL_CERT_FILE to a file" in distrusting.err
    assert server.requests == []
    monkeypatch.setenv("SSL_CERT_FILE", str(hello.root / "ca.pem"))
    assert hello("review", "--when", "always").code == 0
    # Whose token it is, by both ways of asking; the comments there are; the new one.
    assert [verb for verb, _ in server.requests] == ["GET", "POST", "GET", "POST"]
    assert "canary" not in "".join(hello.said)
