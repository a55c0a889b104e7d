"""The schema in PostgreSQL: applied once, whoever applies it, and safe for an older and a newer notifyctl side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from notifyctl.errors import LedgerError
from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.migrations import (
    NEEDED,
    Migration,
    Version,
    current,
    known_migrations,
    latest,
    migrate,
    read_migration,
    refuse_newer,
    refuse_version,
)
from tests.postgres import fresh_database

Connection = psycopg.Connection[Any]

ONE = Migration(1, "first", 1, "CREATE TABLE a (x int); CREATE TABLE b (x int)")
TWO = Migration(2, "adds", 1, "ALTER TABLE a ADD COLUMN y int; INSERT INTO b VALUES (2)")
THREE = Migration(3, "breaks", 3, "INSERT INTO b VALUES (3)")


@pytest.fixture(scope="module")
def server(postgres_server: str) -> str:
    """The URL of a database that this module has to itself; each test has a schema of its own in it."""
    return fresh_database(postgres_server)


@pytest.fixture
def url(server: str) -> str:
    schema = f"s{uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return make_conninfo(server, options=f"-c search_path={schema}")


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def values(connection: Connection) -> list[int]:
    return [x for (x,) in connection.execute("SELECT x FROM b ORDER BY x")]


def test_steps_are_applied_in_order_and_once(connection: Connection) -> None:
    assert current(connection) == Version(0, 0)
    assert migrate(connection, 1, steps=[ONE, TWO, THREE]) == [ONE]
    assert current(connection) == Version(1, 1)
    assert migrate(connection, steps=[ONE, TWO, THREE]) == [TWO, THREE]
    assert migrate(connection, steps=[ONE, TWO, THREE]) == []
    assert (current(connection), values(connection)) == (Version(3, 3), [2, 3])


def test_of_several_at_a_time_each_step_is_applied_once(url: str, connection: Connection) -> None:
    def apply_all(_: int) -> int:
        with psycopg.connect(url, autocommit=True) as own:
            return len(migrate(own, steps=[ONE, TWO, THREE]))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(apply_all, range(4))) == 3
    assert values(connection) == [2, 3]


def test_a_step_that_fails_leaves_nothing_behind(connection: Connection) -> None:
    broken = Migration(2, "broken", 2, "INSERT INTO b VALUES (9); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(connection, steps=[ONE, broken])
    assert (current(connection), values(connection)) == (Version(1, 1), [])


def test_nothing_is_armed_while_a_step_is_applied(url: str, connection: Connection) -> None:
    """The fence: who arms shares it within its transaction, so a step waits for that, and is seen by whoever comes after."""
    migrate(connection, 1, steps=[ONE])
    with psycopg.connect(url) as arming, ThreadPoolExecutor(1) as threads:
        locks.share(arming, locks.Lock.FENCE)
        step = threads.submit(migrate, connection, steps=[ONE, TWO, THREE])
        while arming.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        ).fetchone() == (0,):
            assert not step.done()
        refuse_newer(arming, steps=[ONE])
        arming.commit()
        assert step.result() == [TWO, THREE]
        locks.share(arming, locks.Lock.FENCE)
        with pytest.raises(LedgerError, match="upgraded to schema 3"):
            refuse_newer(arming, steps=[ONE])


def test_an_older_version_works_beside_a_newer_schema_until_a_step_forbids_it(connection: Connection) -> None:
    migrate(connection, steps=[ONE, TWO])
    assert refuse_version(connection, needs=1, steps=[ONE]) == Version(2, 1)
    migrate(connection, steps=[ONE, TWO, THREE])
    for older in ([ONE], [ONE, TWO]):
        with pytest.raises(
            LedgerError, match=r"upgraded to schema 3, with which this version .* cannot work"
        ):
            refuse_version(connection, steps=older)
    assert refuse_version(connection, steps=[ONE, TWO, THREE]) == Version(3, 3)


def test_a_newer_version_works_beside_an_older_schema_as_far_as_it_can(connection: Connection) -> None:
    migrate(connection, 1, steps=[ONE, TWO])
    assert refuse_version(connection, needs=1, steps=[ONE, TWO]) == Version(1, 1)
    with pytest.raises(
        LedgerError, match="the ledger has schema 1, of an earlier version; this needs schema 2"
    ):
        refuse_version(connection, needs=2, steps=[ONE, TWO])


def test_a_user_without_the_right_to_make_tables_learns_whose_work_it_is(server: str, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as owner:
        migrate(owner, 1, steps=[ONE])
        role = f"planner_{uuid4().hex[:8]}"
        schema = owner.execute("SELECT current_schema()").fetchone()
        assert schema is not None
        owner.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema[0]} TO {role}".encode())
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema[0]} TO {role}".encode())
        owner.execute(f"SET ROLE {role}".encode())
        with pytest.raises(
            LedgerError, match=r"cannot change the ledger's schema, and step 2 \(adds\) is missing"
        ):
            migrate(owner, steps=[ONE, TWO])
        assert current(owner) == Version(1, 1)
        owner.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_locks_are_freed_with_their_session(url: str, connection: Connection) -> None:
    with psycopg.connect(url, autocommit=True) as other:
        assert locks.try_session(other, locks.Lock.WRITER)
        assert not locks.try_session(connection, locks.Lock.WRITER)
        assert locks.holder_process(connection, locks.Lock.WRITER) == other.info.backend_pid
        assert locks.try_worker(other, 7)
        assert locks.living_workers(connection) == {7}
        assert not locks.try_worker(connection, 7)
        assert not locks.release_session(connection, locks.Lock.RECONCILE)
        assert locks.release_session(other, locks.Lock.WRITER)
        assert locks.try_session(connection, locks.Lock.WRITER)
    while locks.living_workers(connection):  # the server notices the end of the session a moment later
        pass
    assert locks.try_worker(connection, 7)


def test_the_queue_has_no_newer_schema_than_the_one_that_a_step_brought() -> None:
    """If this fails, procrastinate has added migrations: a new step must bring them to databases that have the schema of before."""
    files = resources.files("procrastinate.sql") / "migrations"
    assert max(file.name for file in files.iterdir() if file.name.endswith(".sql")).startswith("03.04.00_50_")


def test_each_file_tells_who_can_write_beside_it() -> None:
    steps = known_migrations()
    assert 1 <= NEEDED <= latest()
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert all(1 <= step.writes_since <= step.number for step in steps)
    assert latest() == len(steps)
    assert (
        read_migration(4, "more", "-- writes since: 3; also: procrastinate\nSELECT 1").also == "procrastinate"
    )
    with pytest.raises(AssertionError, match="migration 4 does not tell"):
        read_migration(4, "more", "SELECT 1")
