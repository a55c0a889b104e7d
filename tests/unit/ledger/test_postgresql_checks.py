"""A server, or a way to it, on which a record could be lost or a lock held twice is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from notifyctl.errors import LedgerError
from notifyctl.ledger.postgresql import locks, timeline
from notifyctl.ledger.postgresql.checks import find_dangers, refuse_shared_session, refuse_unsafe_server
from notifyctl.testing.fakes import ManualClock
from tests.pgbouncer import pgbouncer
from tests.postgres import OwnServer, fresh_database

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def url(postgres_server: str) -> str:
    return fresh_database(postgres_server)


def connect(url: str, **settings: str) -> Connection:
    """`settings` of the server for this session."""
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    where = make_conninfo(url, options=options) if options else url
    return psycopg.connect(where, autocommit=True, prepare_threshold=None)


def reasons(connection: Connection) -> list[str]:
    return [error.message for error in find_dangers(connection)]


def test_a_server_as_it_is_installed_is_accepted(url: str) -> None:
    with connect(url) as connection:
        refuse_unsafe_server(connection, clock=ManualClock(datetime.now(UTC)))
        assert reasons(connection) == []


def test_commits_that_are_not_durable_are_refused(url: str) -> None:
    with connect(url, synchronous_commit="off") as connection:
        with pytest.raises(LedgerError, match="`synchronous_commit = off`"):
            refuse_unsafe_server(connection)
        connection.execute("SET synchronous_commit = local")
        assert reasons(connection) == []


def test_a_database_that_only_reads_is_refused(url: str) -> None:
    with connect(url, default_transaction_read_only="on") as connection:
        assert "is read-only for this user" in reasons(connection)[0]


def test_a_clock_that_is_off_is_refused(url: str) -> None:
    with connect(url) as connection:
        for seconds in (-33, 33):
            late = ManualClock(datetime.now(UTC) + timedelta(seconds=seconds))
            with pytest.raises(LedgerError, match=r"differ by 3\d s; the limit is 30 s"):
                refuse_unsafe_server(connection, clock=late)
            refuse_unsafe_server(connection, clock=late, max_clock_difference=timedelta(seconds=60))
            refuse_unsafe_server(connection, clock=late, max_clock_difference=None)
        refuse_unsafe_server(connection, clock=ManualClock(datetime.now(UTC) + timedelta(seconds=20)))


@pytest.fixture
def opener() -> Iterator[Callable[[str], Connection]]:
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(closing(connect(url)))


def test_a_direct_connection_has_a_session_of_its_own(url: str, opener: Callable[[str], Connection]) -> None:
    def never() -> Connection:
        raise AssertionError("a direct connection needs no other one")

    refuse_shared_session(opener(url), never)


def test_a_pool_by_session_serves_the_lock(url: str, opener: Callable[[str], Connection]) -> None:
    with pgbouncer(url, "session") as pooled:
        ours, theirs = opener(pooled), opener(pooled)
        refuse_shared_session(ours, lambda: connect(pooled))
        assert locks.try_session(ours, locks.Lock.WRITER)
        assert not locks.try_session(theirs, locks.Lock.WRITER)


@pytest.mark.parametrize("busy", [0, 1])
def test_a_pool_by_transaction_is_refused_for_the_lock(
    url: str, opener: Callable[[str], Connection], busy: int
) -> None:
    """There both would hold it. `busy`: others that keep servers of the pool, and come before our own connection."""
    with pgbouncer(url, "transaction") as pooled:
        ours, theirs, others = opener(pooled), opener(pooled), [opener(pooled) for _ in range(busy)]
        assert locks.try_session(ours, locks.Lock.WRITER)
        assert locks.try_session(theirs, locks.Lock.WRITER)  # why it must be refused
        with ExitStack() as stack:
            for other in others:
                stack.enter_context(other.transaction())
                other.execute("SELECT 1")
            with pytest.raises(LedgerError, match="connection pooler in transaction mode"):
                refuse_shared_session(ours, lambda: connect(pooled))


def test_a_pool_by_transaction_serves_all_else(url: str, opener: Callable[[str], Connection]) -> None:
    """Locks of a transaction, and the checks themselves, need no session of their own."""
    with pgbouncer(url, "transaction", servers=1) as pooled:
        ours = opener(pooled)
        refuse_unsafe_server(ours, clock=ManualClock(datetime.now(UTC)))
        with ours.transaction():
            assert locks.try_take(ours, locks.Lock.RECONCILE)
            locks.share(ours, locks.Lock.FENCE)
            with connect(url) as direct, direct.transaction():
                assert not locks.try_take(direct, locks.Lock.RECONCILE)
                assert not locks.try_take(direct, locks.Lock.FENCE)
        with connect(url) as direct, direct.transaction():
            assert locks.try_take(direct, locks.Lock.FENCE)


SERVER = (
    "CREATE TABLE server (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, system_identifier text NOT NULL,"
    " timeline int NOT NULL, database bigint NOT NULL, epoch bigint NOT NULL, at timestamptz NOT NULL)"
)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_promoted_or_restored_server_is_refused_until_it_is_adopted() -> None:
    with OwnServer({"fsync": "off", "restore_command": "/bin/false"}) as server:
        with connect(server.url) as connection:
            assert "`fsync = off`" in reasons(connection)[0]
            connection.execute(SERVER)
            timeline.refuse_other_server(connection)  # nobody wrote to it yet
            timeline.adopt(connection, epoch=1, at=NOW)
            timeline.refuse_other_server(connection)
            assert timeline.server_identity(connection).timeline == 1
        server.restart("fast")
        with connect(server.url) as connection:
            timeline.refuse_other_server(connection)  # a restart is none
            connection.execute("CREATE DATABASE copy TEMPLATE template0")
        server.stop("fast")
        (server.data / "recovery.signal").touch()  # as a backup is restored, and a replica promoted
        server.start()
        with connect(server.url) as connection:
            while connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                pass  # it accepts reads while it is restored
            with pytest.raises(LedgerError, match=r"promoted or restored from a backup \(timeline 1 → 2\)"):
                timeline.refuse_other_server(connection)
            timeline.adopt(connection, epoch=2, at=NOW)
            timeline.refuse_other_server(connection)
            timeline.adopt(connection, epoch=3, at=NOW)  # says nothing new
            assert connection.execute("SELECT count(*) FROM server").fetchone() == (2,)
            rows = connection.execute(
                "SELECT system_identifier, timeline, database, epoch, at FROM server"
            ).fetchall()
        with connect(f"postgresql://postgres:@/copy?host={quote(str(server.data.parent))}") as connection:
            connection.execute(SERVER)
            insert = "INSERT INTO server (system_identifier, timeline, database, epoch, at) VALUES (%s, %s, %s, %s, %s)"
            with connection.cursor() as cursor:
                cursor.executemany(insert, rows)
            with pytest.raises(LedgerError, match="for example a restored copy"):
                timeline.refuse_other_server(connection)
            timeline.adopt(connection, epoch=4, at=NOW)
            timeline.refuse_other_server(connection)


def test_another_server_is_refused(url: str) -> None:
    with connect(url) as connection:
        connection.execute(SERVER)
        found = timeline.server_identity(connection)
        connection.execute(
            "INSERT INTO server (system_identifier, timeline, database, epoch, at) VALUES ('1', %s, %s, 1, now())",
            (found.timeline, found.database),
        )
        with pytest.raises(LedgerError, match="on another server"):
            timeline.refuse_other_server(connection)
