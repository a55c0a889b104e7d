"""What `halt` finds in a ledger in PostgreSQL: which requests have no outcome, whose they are, and where each sender stopped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.in_flight import (
    active_run,
    count_batches,
    find_in_flight,
    still_in_flight,
    where_stopped,
)
from notifyctl.ledger.postgresql.migrations import migrate
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.model.halting import InFlight, WhereStopped
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.testing import ManualClock
from tests.postgres import copied_database, drop_database

Connection = psycopg.Connection[Any]
AT = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)


def prepare(url: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        migrate(connection)


@pytest.fixture
def url(postgres_server: str) -> Iterator[str]:
    url = copied_database(postgres_server, "empty ledger", prepare)
    yield url
    drop_database(url, postgres_server)


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


class Campaign:
    """Run 2 of a ledger, with ten batches of three recipients, and what its workers record."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.execute
        for epoch in (1, 2):
            self._run(b"INSERT INTO run VALUES (%s, %s, 'ann@web0 pid 7', '1')", (epoch, AT))
        self._run(b"INSERT INTO run_end VALUES (1, %s, 'finished')", (AT,))
        self._run(b"INSERT INTO scope VALUES (1, 'offer', 1, 'once', 'sms')")
        for number in range(1, 13):
            self._run(
                b"INSERT INTO batch (scope, number, epoch, at, members) VALUES (1, %s, %s, %s, %s)",
                (number, 1 if number < 3 else 2, AT, bytes(3 * MEMBER_BYTES)),
            )
        self.arm(1, worker=None, epoch=1)  # an earlier run died over it; that is no request in flight
        self._run(
            b"INSERT INTO campaign VALUES (2, 'd', 'shop/live', NULL, %s, '{}', 3, 10, 30, '', %s)", (AT, AT)
        )

    def worker(self, name: str) -> int:
        row = self._run(
            b"INSERT INTO worker (name, started_at, version) VALUES (%s, %s, '1') RETURNING id", (name, AT)
        ).fetchone()
        assert row is not None
        return int(row[0])

    def arm(self, batch: int, *, worker: int | None, epoch: int = 2, attempt: int = 1) -> None:
        self._run(
            b"INSERT INTO attempt VALUES (%s, %s, %s, %s, %s, %s)",
            (batch, attempt, epoch, AT, b"seal", worker),
        )

    def settle(self, batch: int, kind: str, attempt: int = 1) -> None:
        self._run(
            b"INSERT INTO outcome (batch, attempt, kind, epoch, at) VALUES (%s, %s, %s, 2, %s)",
            (batch, attempt, kind, AT),
        )


def test_each_sender_s_last_batch_and_what_it_left_open(url: str, connection: Connection) -> None:
    campaign = Campaign(connection)
    done, busy, dead, idle, gone = (
        campaign.worker(name) for name in ("done", "busy", "dead", "idle", "gone")
    )
    connection.execute(b"INSERT INTO worker_end VALUES (%s, %s, 'finished')", (gone, AT))
    for batch, worker in ((3, done), (4, busy), (5, dead)):
        campaign.arm(batch, worker=worker)
        campaign.settle(batch, "accepted")
    campaign.arm(6, worker=busy)
    campaign.settle(6, "rejected")
    campaign.arm(6, worker=busy, attempt=2)
    campaign.arm(7, worker=dead)
    connection.execute(b"INSERT INTO batch_end VALUES (9, 'opted out', 2, %s)", (AT,))

    run = active_run(connection)
    assert run == (2, "ann@web0 pid 7")
    known = find_in_flight(connection, 2)
    assert known == [InFlight(6, 2, busy, AT, 3), InFlight(7, 1, dead, AT, 3)]
    assert still_in_flight(connection, known) == known
    with closing(psycopg.connect(url, autocommit=True)) as alive:
        for worker in (done, busy, idle):
            assert locks.try_worker(alive, worker)
        assert where_stopped(connection, run, known) == [
            WhereStopped(done, "done", True, 1, 3),
            WhereStopped(busy, "busy", True, 3, 6, (known[0],)),
            WhereStopped(dead, "dead", False, 2, 7, (known[1],)),
            WhereStopped(idle, "idle", True, 0, None),
        ]
    assert count_batches(connection, 2) == (10, 4)
    campaign.settle(6, "accepted", attempt=2)
    assert still_in_flight(connection, known) == known[1:]
    assert still_in_flight(connection, []) == []


def test_a_run_that_sends_by_itself_is_a_sender_too(url: str, connection: Connection) -> None:
    campaign = Campaign(connection)
    campaign.arm(3, worker=None)
    run = active_run(connection)
    assert run is not None
    known = find_in_flight(connection, 2)
    with closing(psycopg.connect(url, autocommit=True)) as applying:
        assert locks.try_session(applying, locks.Lock.WRITER)
        assert where_stopped(connection, run, known) == [
            WhereStopped(None, "ann@web0 pid 7", True, 1, 3, tuple(known))
        ]
    [stopped] = where_stopped(connection, run, known)
    assert not stopped.alive
    connection.execute(b"INSERT INTO run_end VALUES (2, %s, 'interrupted')", (AT,))
    assert active_run(connection) is None


def test_an_extent_has_every_receipt_numbered_below_it(url: str) -> None:
    """It waits for who is recording one: a number is given before its commit."""
    store = PostgresStore(url, name="shop/live", clock=ManualClock(AT), max_clock_difference=None)
    store.create()
    receipt = b"INSERT INTO receipt (digest, at, status) VALUES (%s, %s, 'delivered')"
    with store.writer("ann@web0 pid 7") as writer, closing(store.connect()) as folding:
        with ThreadPoolExecutor(1) as pool:
            with folding.transaction():
                folding.connection.execute(receipt, (b"first", AT))
                found = pool.submit(writer.extent)
                with closing(psycopg.connect(url, autocommit=True)) as looking:
                    while not waiting(looking):
                        pass
                assert not found.done()
            extent = found.result()
        assert extent.receipts == 1
        folding.connection.execute(receipt, (b"second", AT))
        assert writer.extent().receipts == 2


def waiting(connection: Connection) -> bool:
    """Whether any session waits for an advisory lock of this database."""
    query = (
        b"SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = current_database()"
        b" AND locktype = 'advisory' AND NOT granted"
    )
    return connection.execute(query).fetchone() != (0,)
