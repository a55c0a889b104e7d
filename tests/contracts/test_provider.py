"""What every provider keeps to, and what the real client makes of a server that misbehaves: a socket that does as told."""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest

from notifyctl.model.batch import Accepted, Batch, Destinations, Outcome, Refused, Rejected, Unknown
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import Auth, ChannelName, Secret
from notifyctl.model.recipients import Scope
from notifyctl.ports import Provider
from notifyctl.providers.webexconnect.auth import ServiceKey
from notifyctl.providers.webexconnect.client import WebexConnect
from notifyctl.testing import ManualClock, RecordingProvider
from notifyctl.transport.client import MAX_ANSWER
from notifyctl.transport.keep_alive import KEPT, TRIED

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
AUTH = Auth(service_key=Secret(env="SERVICE_KEY"))
KEY = "made-up-key"
PATIENCE = 0.3  # seconds until the client gives up on a server that hangs


def batch_of(number: int = 1) -> Batch:
    return Batch(
        number=number,
        attempt=1,
        scope=Scope("outage", 1, "once", ChannelName.SMS),
        message=Message(
            channel=ChannelName.SMS,
            sender="CNNECT",
            content={"type": "text", "text": "Hello $(name), “ça va”?"},
            names=("name",),
        ),
        envelope=Envelope(callback_data=f"batch {number}"),
        to=Destinations(("+447700900123", "+447700900124"), ("n1",), ("name",), (("Zoë",),), (0,)),
        members=b"",
    )


Play = Callable[[socket.socket], None]
"""What a server does on a connection once it has read the request."""


@dataclass
class Server:
    """Reads requests and answers each as the next play says; the last one is repeated."""

    plays: list[Play]
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""
    connections: int = 0
    keeping: set[Play] = field(default_factory=set)
    """Plays after which it waits for another request on the connection."""

    def serve(self, connection: socket.socket) -> None:
        """Until either side ends it."""
        self.connections += 1
        with suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while self.heard(connection, stream):
                pass

    def heard(self, connection: socket.socket, stream: BinaryIO) -> bool:
        line = stream.readline().decode().strip()
        if line:
            headers: dict[str, str] = {}
            while (header := stream.readline().decode().strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
            self.requests.append((line, headers, body))
            play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
            with suppress(OSError):
                play(connection)
        return bool(line) and play in self.keeping


class Quiet(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    block_on_close = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what some of the tests are about."""


@contextmanager
def serving(*plays: Play) -> Iterator[Server]:
    script = Server(list(plays))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            script.serve(self.request)

    with Quiet(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}/v2/messages"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield script
        finally:
            script.over.set()
            server.shutdown()
            thread.join()


def says(status: int, body: bytes = b"", **headers: str) -> Play:
    """And then ends the connection, as it says."""
    named = {"Content-Length": str(len(body)), "Content-Type": "application/json", "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    answer = f"HTTP/1.1 {status} Something\r\n{lines}\r\n".encode() + body
    return lambda connection: connection.sendall(answer)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


QUEUED = b'{"requestTimestamp":"2026-12-01T09:00:00.000Z","messageId":"5f1c","correlationId":"n1","status":"queued"}'
BAD_TIME = b'{"code":"7004","message":"Invalid parameter - sendAt"}'


@contextmanager
def client(url: str, *, deadline: float = 30.0) -> Iterator[WebexConnect]:
    made = WebexConnect(
        url,
        auth=AUTH,
        credentials=ServiceKey(KEY),
        clock=ManualClock(NOW),
        deadline=deadline,
    )
    try:
        yield made
    finally:
        made.close()


SCRIPT: list[tuple[Outcome, Play]] = [
    (Accepted("5f1c", 201), says(201, QUEUED)),
    (
        Rejected("the provider rejected the request (400, code 7004: Invalid parameter - sendAt)", 400),
        says(400, BAD_TIME),
    ),
    (
        Rejected("over the account's rate (429)", 429, retryable=True, retry_after=7.0),
        says(429, Retry_After="7"),
    ),
    (Refused("the provider refused the credentials (401)", 401), says(401)),
    (Unknown("the response does not show whether the request was accepted (500)", 500), says(500)),
]


@pytest.fixture(params=["recording", "webexconnect"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """One that answers with the outcomes of the script, one after the other, and then accepts."""
    if request.param == "recording":
        yield RecordingProvider([outcome for outcome, _ in SCRIPT])
    else:
        with (
            serving(*(play for _, play in SCRIPT), says(201, QUEUED)) as server,
            client(server.url) as made,
        ):
            yield made


def test_a_request_is_the_same_each_time_and_holds_everybody(provider: Provider) -> None:
    request = provider.prepare(batch_of())
    assert request == provider.prepare(batch_of())
    assert request != provider.prepare(batch_of(2))
    body = request.body
    assert body["to"] == [
        {
            "msisdn": ["+447700900123", "+447700900124"],
            "correlationId": "n1",
            "substitutions": {"name": "Zoë"},
        }
    ]
    assert KEY not in repr(request)
    assert request.method == "POST"


def test_each_outcome_is_told_as_it_is(provider: Provider) -> None:
    found = [provider.send(provider.prepare(batch_of(number))) for number in range(len(SCRIPT))]
    assert found == [outcome for outcome, _ in SCRIPT]
    assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)


def test_several_threads_send_at_once(provider: Provider) -> None:
    requests = [provider.prepare(batch_of(number)) for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(provider.send, requests))
    assert sum(isinstance(outcome, Accepted) for outcome in found) == len(requests) - len(SCRIPT) + 1


def test_the_request_on_the_wire_is_the_prepared_one() -> None:
    with serving(says(201, QUEUED)) as server, client(server.url) as provider:
        prepared = provider.prepare(batch_of())
        provider.send(prepared)
    ((line, headers, body),) = server.requests
    assert line == "POST /v2/messages HTTP/1.1"
    assert json.loads(body) == prepared.body
    assert "Zoë".encode() in body
    assert (headers["key"], headers["content-type"]) == (KEY, "application/json")
    assert prepared.headers == {"Content-Type": "application/json", "key": "<redacted>"}


def test_requests_are_prepared_without_credentials() -> None:
    provider = WebexConnect(
        "https://api.example/v2/messages", auth=AUTH, credentials=None, clock=ManualClock(NOW)
    )
    assert provider.prepare(batch_of()).url == "https://api.example/v2/messages"
    provider.close()


@pytest.mark.parametrize(
    ("play", "outcome"),
    [
        pytest.param(says(403), Refused, id="403"),
        pytest.param(says(302, Location="/elsewhere"), Rejected, id="redirect"),
        pytest.param(says(307, Location="/elsewhere"), Rejected, id="redirect of a POST"),
        pytest.param(says(201), Unknown, id="201 without a body"),
        pytest.param(says(200, b"<html>Sign in</html>"), Unknown, id="a captive portal"),
        pytest.param(says(201, QUEUED[:50]), Unknown, id="JSON that breaks off"),
        pytest.param(says(201, QUEUED, Content_Length="500"), Unknown, id="fewer bytes than announced"),
        pytest.param(says(400, BAD_TIME, Content_Length="500"), Rejected, id="400 that breaks off"),
        pytest.param(says(201, QUEUED + b" " * (2 * MAX_ANSWER)), Unknown, id="an endless answer"),
        pytest.param(says(201, QUEUED, Content_Encoding="gzip"), Accepted, id="a wrong label on plain bytes"),
        pytest.param(says(503, b"<html>"), Unknown, id="503"),
        pytest.param(lambda c: c.sendall(b"no HTTP at all\r\n\r\n"), Unknown, id="no HTTP"),
        pytest.param(lambda c: c.sendall(b"HTTP/1.1 201 Cre"), Unknown, id="half a status line"),
        pytest.param(lambda c: c.sendall(b"x" * 1_000_000), Unknown, id="endless headers"),
        pytest.param(reset, Unknown, id="reset after reading"),
        pytest.param(hang_up, Unknown, id="closed after reading"),
    ],
)
def test_one_request_and_what_it_proves(play: Play, outcome: type[Outcome]) -> None:
    with serving(play) as server, client(server.url) as provider:
        found = provider.send(provider.prepare(batch_of()))
    assert isinstance(found, outcome)
    assert not getattr(found, "retryable", False)
    assert found.posted
    assert len(server.requests) == 1
    assert "7700" not in str(found)
    assert KEY not in str(found)


def drip(server: Server, connection: socket.socket, start: bytes) -> None:
    """A byte now and then, so that no single wait is long."""
    connection.sendall(start)
    while not server.over.wait(PATIENCE / 10):
        connection.sendall(b"x")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(b"", id="status line"),
        pytest.param(b"HTTP/1.1 201 Created\r\nX-Slow: ", id="headers"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 5000\r\n\r\n", id="body"),
    ],
)
def test_a_server_that_never_ends_is_left_alone(start: bytes) -> None:
    with (
        serving(lambda connection: drip(server, connection, start)) as server,
        client(server.url, deadline=PATIENCE) as provider,
    ):
        assert isinstance(provider.send(provider.prepare(batch_of())), Unknown)
    assert len(server.requests) == 1


def test_a_server_that_is_silent_is_left_alone() -> None:
    def wait(_: socket.socket) -> None:
        server.over.wait()

    with serving(wait) as server, client(server.url, deadline=PATIENCE) as provider:
        found = provider.send(provider.prepare(batch_of()))
    assert found == Unknown("no complete answer within 0.3 seconds")


def test_where_nobody_listens_nothing_was_sent_and_it_may_be_tried_again() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses every connection
        with client(f"http://127.0.0.1:{taken.getsockname()[1]}/v2/messages") as provider:
            found = provider.send(provider.prepare(batch_of()))
    assert isinstance(found, Rejected)
    assert found.retryable
    assert not found.posted
    assert "refused" in found.reason


def test_without_tls_nothing_is_sent() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.StreamRequestHandler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with client(f"https://127.0.0.1:{server.server_address[1]}/v2/messages") as provider:
            found = provider.send(provider.prepare(batch_of()))
        thread.join()
    assert isinstance(found, Rejected)
    assert found.retryable
    assert not found.posted


def test_a_silence_before_tls_proves_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections are made and never served
        url = f"https://127.0.0.1:{silent.getsockname()[1]}/v2/messages"
        with client(url, deadline=PATIENCE) as provider:
            found = provider.send(provider.prepare(batch_of()))
    assert isinstance(found, Rejected)
    assert found.retryable
    assert not found.posted


def test_the_environment_cannot_send_requests_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(says(500)) as proxy, serving(says(201, QUEUED)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        with client(server.url) as provider:
            assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
    assert proxy.requests == []


# Connections that are kept


def raw(answer: bytes) -> Play:
    return lambda connection: connection.sendall(answer)


PLAIN = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n%s\r\n%s"


def plain(headers: bytes = b"", behind: bytes = b"", version: bytes = b"HTTP/1.1") -> Play:
    answer = PLAIN.replace(b"HTTP/1.1", version) % (len(QUEUED), headers, QUEUED)
    return raw(answer + behind)


CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%s\r\n0\r\nX: y\r\n\r\n" % (
    len(QUEUED),
    QUEUED,
)


@contextmanager
def kept(*plays: Play) -> Iterator[tuple[Server, WebexConnect]]:
    """A server that keeps connections, and a client that has seen it keep one idle, and knows it."""
    first = plain()
    with serving(first, first, *plays) as server, client(server.url) as provider:
        server.keeping = {first, *plays}
        for _ in range(2):
            assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
            time.sleep(2 * TRIED)
        assert (server.connections, len(server.requests)) == (1, 2)
        yield server, provider


@pytest.mark.parametrize("play", [plain(), raw(CHUNKED), raw(b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED)])
def test_a_connection_is_used_again(play: Play) -> None:
    with kept(play) as (server, provider):
        for _ in range(3):
            assert provider.send(provider.prepare(batch_of())) == Accepted("5f1c", 201)
        assert (server.connections, len(server.requests)) == (1, 5)


@pytest.mark.parametrize(
    "play",
    [
        pytest.param(plain(b"Connection: close\r\n"), id="it says so"),
        pytest.param(plain(b"Connection: x, Close\r\n"), id="it says so among others"),
        pytest.param(plain(b"Keep-Alive: timeout=0\r\n"), id="it keeps it for no time"),
        pytest.param(plain(version=b"HTTP/1.0"), id="an old version"),
        pytest.param(plain(behind=b"HTTP"), id="more than an answer"),
        pytest.param(plain(b"Transfer-Encoding: identity\r\n"), id="an end that is told twice"),
        pytest.param(plain(b"no header\r\n"), id="a line that is no header"),
        pytest.param(raw(PLAIN.replace(b"\r\n", b"\n") % (len(QUEUED), b"", QUEUED)), id="bare line feeds"),
        pytest.param(raw(CHUNKED.replace(b"chunked", b"chunked\r\nContent-Length: 5")), id="two lengths"),
    ],
)
def test_after_an_answer_whose_end_is_not_plain_a_new_one_is_made(play: Play) -> None:
    with kept(play) as (server, provider):
        for _ in range(2):
            provider.send(provider.prepare(batch_of()))
        assert (server.connections, len(server.requests)) == (2, 4)


@pytest.mark.parametrize("play", [reset, hang_up, raw(b"HTTP/1.1 201 Cre")])
def test_what_breaks_off_on_a_kept_connection_is_unknown_and_not_sent_again(play: Play) -> None:
    with kept(play, says(201, QUEUED)) as (server, provider):
        server.keeping.discard(play)
        assert isinstance(provider.send(provider.prepare(batch_of())), Unknown)
        assert len(server.requests) == 3
        assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
        assert server.connections == 2


def test_one_that_was_closed_meanwhile_is_replaced_and_then_none_is_kept() -> None:
    last = plain()
    with kept(last) as (server, provider):
        server.keeping.discard(last)
        provider.send(provider.prepare(batch_of()))
        time.sleep(TRIED)
        server.keeping.add(last)
        for _ in range(3):
            assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
        assert server.connections == 1 + 3


def test_a_late_word_on_an_idle_connection_is_no_answer() -> None:
    """As from a server that ends an idle connection with 408, or a second answer that nobody asked for."""
    late = raw(PLAIN % (len(QUEUED), b"", QUEUED))
    with kept(late) as (server, provider):
        connections: list[socket.socket] = []

        def both(connection: socket.socket) -> None:
            connections.append(connection)
            late(connection)

        server.plays[:] = [both, plain()]
        server.keeping.update(server.plays)
        provider.send(provider.prepare(batch_of()))
        connections[0].sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        time.sleep(TRIED)
        assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
        assert server.connections == 2


def test_until_a_server_was_seen_to_keep_one_each_request_has_its_own() -> None:
    with serving(plain()) as server, client(server.url) as provider:
        server.keeping = {server.plays[0]}
        for _ in range(3):
            provider.send(provider.prepare(batch_of()))
        assert server.connections == 3


def test_an_idle_connection_is_not_kept_for_long() -> None:
    with kept() as (server, provider):
        time.sleep(KEPT)
        assert isinstance(provider.send(provider.prepare(batch_of())), Accepted)
        assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 201 Created\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 5, 6\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nContent-Length: 1%s\r\n\r\n" % (b"0" * 5000),
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: gzip\r\n\r\n",
        CHUNKED.replace(b";a=b", b"x"),
        CHUNKED.replace(b";a=b", b"ffffffffff"),
        CHUNKED.replace(b"\r\n0\r\n", b"x\r\n0\r\n"),
        CHUNKED[:-30],
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
        b"HTTP/1.1 201 Created\r\n" + b"X: y\r\n" * 100_000,
        b"HTTP/2 201\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + QUEUED,
    ],
)
def test_what_cannot_be_framed_is_no_acceptance(answer: bytes) -> None:
    with serving(raw(answer)) as server, client(server.url) as provider:
        assert isinstance(provider.send(provider.prepare(batch_of())), Unknown)
    assert len(server.requests) == 1
