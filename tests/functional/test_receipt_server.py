"""Strangers at the server of receipts: slow, many, malformed, or steering a terminal. Each test speaks over real sockets."""

from __future__ import annotations

import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.receipts.recorder import open_recorder
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import LedgerError, OverloadedError, ProviderError
from notifyctl.providers.webexconnect.receipt_connections import Limits, limits_for
from notifyctl.providers.webexconnect.receipt_server import (
    Deferred,
    ReceiptAuth,
    ReceiptServer,
    bind,
    build_app,
)
from tests.receipt_door import PATIENCE, Door, ask, door, receipt

NEVER = 3600.0
"""A limit in seconds that no test reaches."""
HEADERS = b"POST /receipts HTTP/1.1\r\nHost: receipts.example\r\n"


def is_closed(connection: socket.socket) -> bool:
    """Waits until the server closes a connection on which it says nothing. A time-out fails the test."""
    try:
        return connection.recv(1024) == b""
    except ConnectionError:
        return True


# Slow ones


@pytest.mark.parametrize(
    "part",
    [b"", b"P", HEADERS, HEADERS + b"X-Long: a"],
    ids=["nothing", "a letter", "no end", "half a header"],
)
def test_headers_that_do_not_end_are_waited_for_no_longer_than_the_limit(part: bytes) -> None:
    with door(Limits(headers=0.3, body=NEVER, answer=NEVER), lambda _: "recorded") as server:
        with server.connect() as slow:
            slow.sendall(part)
            assert is_closed(slow)
        assert server.post(receipt()) == 200
    assert server.said[-1] == "Connections closed: 1 too slow"


@pytest.mark.parametrize(
    "part",
    [
        b"Content-Length: 9\r\n\r\n",
        b"Content-Length: 9\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_a_body_that_does_not_end_is_waited_for_no_longer_than_the_limit(part: bytes) -> None:
    with door(Limits(headers=NEVER, body=0.3, answer=NEVER), lambda _: "recorded") as server:
        with server.connect() as slow:
            slow.sendall(HEADERS + part)
            assert is_closed(slow)
        assert server.post(receipt()) == 200
    assert [line for line in server.said if not line.startswith("Connections")] == ["200 delivered: recorded"]


@pytest.mark.parametrize("start", [HEADERS + b"X: ", HEADERS + b"Content-Length: 200000\r\n\r\n"])
def test_a_trickle_extends_no_deadline(start: bytes) -> None:
    """Each byte comes within the limit, and yet the connection ends."""
    with (
        door(Limits(headers=0.3, body=0.3, answer=NEVER), lambda _: "recorded") as server,
        server.connect() as slow,
    ):
        slow.sendall(start)
        for _ in range(PATIENCE * 50):
            if select.select([slow], [], [], 0.02)[0]:
                break
            slow.sendall(b" ")
        assert is_closed(slow)


def test_the_body_of_a_request_that_is_answered_already_ends_too() -> None:
    with (
        door(Limits(headers=0.3, body=NEVER, answer=NEVER), lambda _: "recorded") as server,
        server.connect() as slow,
    ):
        slow.sendall(b"GET /receipts HTTP/1.1\r\nHost: receipts.example\r\nContent-Length: 200000\r\n\r\n")
        assert slow.recv(1024).startswith(b"HTTP/1.1 200")
        for _ in range(PATIENCE * 50):
            if select.select([slow], [], [], 0.02)[0]:
                break
            slow.sendall(b" ")
        assert is_closed(slow)


def test_a_connection_serves_many_receipts() -> None:
    """The deadline is one of a request, not of the connection."""
    with door(Limits(headers=NEVER, body=NEVER, answer=NEVER), lambda _: "recorded") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        for _ in range(5):
            connection.request("POST", "/receipts", json.dumps(receipt()))
            response = connection.getresponse()
            response.read()
            assert response.status == 200
        connection.close()
    assert server.said == ["200 delivered: recorded"] * 5


def test_a_receipt_that_takes_for_ever_to_record_is_given_up() -> None:
    held = threading.Event()

    def record(_: Any) -> str:
        assert held.wait(PATIENCE)
        return "recorded"

    limits = Limits(headers=NEVER, body=NEVER, answer=0.3)
    with door(limits, record) as server, server.connect() as client:
        try:
            body = json.dumps(receipt()).encode()
            client.sendall(HEADERS + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert is_closed(client)
        finally:
            held.set()


# Many


@pytest.mark.parametrize("part", [b"", HEADERS, HEADERS + b"Content-Length: 9\r\n\r\n{"])
def test_half_open_requests_lock_nobody_out(part: bytes) -> None:
    limits = Limits(connections=8, accepted=4, headers=NEVER, body=NEVER, answer=NEVER)
    with door(limits, lambda _: "recorded") as server, ExitStack() as open_ones:
        held = [open_ones.enter_context(server.connect()) for _ in range(60)]
        for each in held:
            try:
                each.sendall(part)
            except ConnectionError:  # it was among the first, which made room
                continue
        assert [server.post(receipt()) for _ in range(3)] == [200, 200, 200]
        assert sum(1 for each in held if not select.select([each], [], [], 0)[0]) <= limits.connections


def test_who_is_being_answered_is_not_displaced() -> None:
    held, entered = threading.Event(), threading.Event()

    def record(_: Any) -> str:
        entered.set()
        assert held.wait(PATIENCE)
        return "recorded"

    limits = Limits(connections=1, headers=NEVER, body=NEVER, answer=NEVER)
    with door(limits, record) as server, server.connect() as client:
        try:
            body = json.dumps(receipt()).encode()
            client.sendall(HEADERS + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert entered.wait(PATIENCE)
            with server.connect() as newer:
                assert is_closed(newer)
        finally:
            held.set()
        assert client.recv(1024).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("open_files", [64, 128, 256, 1024, 4096, 1 << 20])
def test_connections_leave_file_descriptors_for_the_ledger(open_files: int) -> None:
    limits = limits_for(open_files)
    assert limits.connections >= 1
    assert limits.connections + limits.accepted + 32 <= open_files


def test_too_few_open_files_are_refused_with_the_command_that_raises_them() -> None:
    with pytest.raises(ProviderError) as refused:
        limits_for(32)
    assert refused.value.hint == "to raise it, run: ulimit -n 1024"


# Many in one commit


def test_requests_that_share_a_commit_are_answered_after_it() -> None:
    """More than there are threads: none of them holds one."""
    offered: list[Future[None]] = []
    lock = threading.Lock()

    def offer(_: Any) -> Future[None]:
        with lock:
            offered.append(Future())
            return offered[-1]

    statuses: list[int] = []
    with door(Limits(), Deferred(offer, lambda: True)) as server:
        clients = [
            threading.Thread(target=lambda: statuses.append(server.post(receipt()))) for _ in range(100)
        ]
        for client in clients:
            client.start()
        for _ in range(PATIENCE * 100):
            if len(offered) == len(clients):
                break
            time.sleep(0.01)
        assert statuses == []
        for each in offered:
            each.set_result(None)
        for client in clients:
            client.join(PATIENCE)
    assert statuses == [200] * 100


def test_what_is_refused_at_present_can_be_posted_again_and_a_balancer_learns_of_it() -> None:
    def offer(_: Any) -> Future[None]:
        raise OverloadedError("too many receipts wait to be stored", retry_after=7)

    with door(Limits(), Deferred(offer, lambda: False)) as server:
        assert ask(server.port, "POST", "/receipts") == (503, "7")
        assert ask(server.port, "GET", "/ready") == (503, None)
        assert ask(server.port, "HEAD", "/receipts") == (200, None)
    assert server.said == ["503 too many receipts wait to be stored"]


def test_what_cannot_be_recorded_can_be_posted_again() -> None:
    def record(_: Any) -> str:
        raise LedgerError("the disk is full")

    with door(Limits(), record) as server:
        assert ask(server.port, "POST", "/receipts") == (503, "5")
        assert ask(server.port, "GET", "/ready") == (200, None)


# Malformed ones


@pytest.fixture
def ledger(production: Any) -> Iterator[Callable[[Any], str]]:
    workspace = open_workspace(production.root)
    with open_recorder(workspace, workspace.environment("production")) as recorder:
        yield recorder.record


def in_status(text: str) -> bytes:
    return b'{"deliveryInfoNotification":{"deliveryInfo":{"deliveryStatus":"%s"}}}' % text.encode()


MALFORMED = {
    "status": in_status(r"\ud800"),
    "low surrogate": in_status(r"a\udfffb"),
    "reversed pair": in_status(r"\ude00\ud83d"),
    "raw surrogate": b'{"deliveryInfoNotification":{"deliveryInfo":{"deliveryStatus":"\xed\xa0\x80"}}}',
    "NUL": in_status(r"Delivered\u0000"),
    "not UTF-8": b'{"deliveryInfoNotification":{"deliveryInfo":{"deliveryStatus":"\xff"}}}',
    "blank": in_status("  "),
    "elsewhere": json.dumps({**receipt(), "other": [{"deep": "\ud800"}]}).encode(),
    "key": json.dumps({**receipt(), "\udc00": 1}).encode(),
    "address": json.dumps(receipt(destination="+44770090000\ud800")).encode(),
    "event": json.dumps({"event": "unsubscribe", "msisdn": "\ud800"}).encode(),
    "deep": json.dumps(receipt()).encode()[:-1] + b',"x":' + b"[" * 400 + b"]" * 400 + b"}",
    "deeper": b"[" * 100_000,
    "long number": b'{"x":' + b"9" * 10_000 + b"}",
    "nothing": b"",
    "NULs": bytes(100),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_text_is_answered_with_400(ledger: Any, body: bytes) -> None:
    with door(Limits(), ledger) as server:
        assert server.post(body) == 400
        assert server.post(receipt()) == 200
    assert server.said[0].startswith("400 it ")
    assert server.said[0].isprintable()


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_file_with_it_names_the_line_and_takes_the_others(production: Any, body: bytes) -> None:
    (production.root / "receipts.jsonl").write_bytes(body + b"\n" + json.dumps(receipt()).encode() + b"\n")
    result = production("receipts", "ingest", str(production.root / "receipts.jsonl"))
    assert result.out == "Receipts: 1 recorded without a matching recipient.\n"
    assert result.code == (1 if body else 0)
    assert ("receipts.jsonl:1: not a receipt" in result.err) == bool(body)


ODD = ["\x1b[2J", "\u202e", "x" * 20_000, "a@" + "b." * 90 + "example", "a@\u2028.example", "n2" + "_" * 22, "n1" + "-" * 23,
       "notifyctl:acme/production:999999999999999:1", "notifyctl:acme/production:-1:1", "_1", "+" + "9" * 40]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_text_in_any_field_is_kept(ledger: Any, odd: str) -> None:
    document = receipt(destination=odd, code=odd, timeStamp=odd, Description=odd)
    document["deliveryInfoNotification"] |= {"correlationid": odd, "callbackData": odd, "transid": odd}
    with door(Limits(), ledger) as server:
        assert server.post(document) == 200
        assert (
            server.post({"event": "unsubscribe", "email": odd, "tid": odd, "ts": odd, "channel": odd}) == 200
        )
    assert server.said[0] == "200 delivered: recorded without a matching recipient"


# What strangers print


STEERING = [
    "\x1b]0;owned\x07",
    "\x9b2J",
    "\u202edelivered",
    "\u200f",
    "\u061c",
    "a\n200 delivered: recorded",
    "\r\tz",
    "\u200b",
    "\U000e0041",
]


@pytest.mark.parametrize("text", STEERING, ids=[text.encode("unicode_escape").decode() for text in STEERING])
def test_a_status_steers_no_terminal(production: Any, ledger: Any, text: str) -> None:
    with door(Limits(), ledger) as server:
        assert server.post(receipt(deliveryStatus=f"odd{text}end")) == 200
    [line] = server.said
    assert line.isprintable()
    assert line.startswith("200 odd")
    for command in (["status"], ["status", "--format", "json"], ["ledger", "show"], ["history"]):
        shown = production(*command).out
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200f\u202e\U000e0041]", shown)


# As a command


@contextmanager
def serving(root: Path, *, open_files: int) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The command in a process of its own, and the port that its first line names."""
    serve = [sys.executable, "-m", "notifyctl", "-C", str(root), "-e", "production", "receipts", "serve"]
    limited = ["sh", "-c", f'ulimit -n {open_files} && exec "$@"', "sh", *serve, "--insecure", "--port", "0"]
    with subprocess.Popen(limited, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            where = re.search(r"http://127\.0\.0\.1:(\d+)/receipts\.", line)
            assert where is not None, line
            yield int(where[1]), process
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_a_flood_beyond_the_open_files_neither_stops_it_nor_fills_the_log(production: Any) -> None:
    with serving(production.root, open_files=96) as (port, process), ExitStack() as open_ones:
        server = Door(port, [])
        for _ in range(300):
            open_ones.enter_context(server.connect())
        assert [server.post(receipt()), server.post(in_status("\\ud800"))] == [200, 400]
        process.terminate()
        assert process.stderr is not None
        log = process.stderr.read()
    assert "Traceback" not in log
    assert log.splitlines()[:2] == [
        "200 delivered: recorded without a matching recipient",
        "400 it has text with NUL or an incomplete character",
    ]
    assert re.fullmatch(r"Connections closed: [0-9]+ for newer ones", log.splitlines()[2])


def test_the_line_is_printed_when_a_connection_succeeds() -> None:
    """The callback that prints it connects, before the server does anything else."""
    bound = bind("127.0.0.1", 0)
    address, connected, tried = bound.getsockname(), list[object](), threading.Event()

    def connect() -> None:
        try:
            with socket.create_connection(address, timeout=PATIENCE) as connection:
                connected.append(connection.getpeername())
        finally:
            tried.set()

    app = build_app(ReceiptAuth(), lambda _: "", lambda _: None)
    server = ReceiptServer(app, Limits(), on_start=connect, on_line=lambda _: None)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        assert tried.wait(PATIENCE)
        assert connected == [address]
        assert Door(address[1], []).post(receipt()) == 200
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        bound.close()


def test_a_port_that_somebody_listens_on_is_refused_before_the_line() -> None:
    taken = bind("127.0.0.1", 0)
    try:
        with pytest.raises(ProviderError, match="Address already in use"):
            bind("127.0.0.1", taken.getsockname()[1])
    finally:
        taken.close()


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "nowhere.invalid", "a..example"])
def test_a_host_that_is_none_is_a_sentence(host: str) -> None:
    with pytest.raises(ProviderError, match="cannot receive receipts at"):
        bind(host, 0)
