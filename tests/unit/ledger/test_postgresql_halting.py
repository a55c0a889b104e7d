"""`halt` and `resume` in a ledger in PostgreSQL: the last row counts, and nothing is armed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from notifyctl.errors import HaltedError
from notifyctl.exit_codes import ExitCode
from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.halting import halt, halted, refuse_halted, resume
from notifyctl.model.halting import Halt
from tests.postgres import drop_database, fresh_database

Connection = psycopg.Connection[Any]

TABLE = (
    b"CREATE TABLE IF NOT EXISTS halt (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, halted boolean NOT NULL,"
    b" reason text, who text NOT NULL, at timestamptz NOT NULL)"
)
NOW = datetime(2026, 11, 29, 20, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(postgres_server: str) -> Iterator[str]:
    url = fresh_database(postgres_server)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
    yield url
    drop_database(url, postgres_server)


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], Connection]]:
    """Makes connections to a ledger where nothing is halted."""
    made: list[Connection] = []

    def connect() -> Connection:
        made.append(psycopg.connect(url, autocommit=True))
        return made[-1]

    resume(connect(), "the fixture", NOW)
    yield connect
    for each in made:
        each.close()


def test_the_last_row_counts(connect: Callable[[], Connection]) -> None:
    connection = connect()
    assert halted(connection) is None
    refuse_halted(connection)
    assert halt(connection, "wrong price", "ann@example.com", NOW) == Halt(
        "ann@example.com", NOW, "wrong price"
    )
    assert halted(connect()) == Halt("ann@example.com", NOW, "wrong price")
    assert resume(connection, "bob@example.com", NOW) == Halt("ann@example.com", NOW, "wrong price")
    assert halted(connection) is None
    assert resume(connection, "bob@example.com", NOW) is None


def test_a_second_halt_keeps_the_first_unless_it_gives_a_reason(connect: Callable[[], Connection]) -> None:
    connection = connect()
    first = halt(connection, None, "ann@example.com", NOW)
    assert halt(connection, None, "bob@example.com", NOW) == first
    assert halt(connection, "wrong price", "bob@example.com", NOW).who == "bob@example.com"
    assert halt(connection, None, "ann@example.com", NOW).reason == "wrong price"


def test_the_error_says_who_why_and_what_to_do(connect: Callable[[], Connection]) -> None:
    connection = connect()
    halt(connection, "wrong price", "ann@example.com", NOW)
    with pytest.raises(HaltedError) as raised:
        refuse_halted(connection)
    assert raised.value.exit_code is ExitCode.HALTED
    assert (
        raised.value.message == "sending was halted by ann@example.com at 2026-11-29 20:00 UTC: wrong price"
    )
    assert "notifyctl resume" in str(raised.value.hint)


def test_halt_waits_for_who_is_arming_and_lets_nobody_arm_after(connect: Callable[[], Connection]) -> None:
    arming, next_one, halting, looking = (connect() for _ in range(4))
    with ThreadPoolExecutor(2) as pool:
        with arming.transaction():
            locks.share(arming, locks.Lock.FENCE)
            refuse_halted(arming)
            pending = pool.submit(halt, halting, None, "ann@example.com", NOW)
            wait_for_waiting(looking, halting)
            assert not pending.done()
            assert halted(looking) is None, "not before what is being armed is armed"
            later = pool.submit(arm, next_one)
            wait_for_waiting(looking, next_one)
        pending.result()
        with pytest.raises(HaltedError):
            later.result()


def arm(connection: Connection) -> None:
    """What ARM does before its record."""
    with connection.transaction():
        locks.share(connection, locks.Lock.FENCE)
        refuse_halted(connection)


def wait_for_waiting(looking: Connection, other: Connection) -> None:
    """Returns once the other connection waits for a lock."""
    query = b"SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    while looking.execute(query, (other.info.backend_pid,)).fetchone() == (0,):
        pass
