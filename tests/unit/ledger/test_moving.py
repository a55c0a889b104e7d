"""A SQLite ledger that was handed over to another database is not used any more, by any version."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.sqlite.moving import hand_over
from notifyctl.ledger.sqlite.schema import SCHEMA_VERSION
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.testing import ManualClock

CLOCK = ManualClock(datetime(2026, 12, 1, 9, tzinfo=UTC))
PLACE = "PostgreSQL database ledger at db.example"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "staging.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    made = SqliteStore(path, clock=CLOCK)
    made.create()
    return made


def move(store: SqliteStore, path: Path, place: str = PLACE, *, failing: bool = False) -> list[int]:
    """The epochs that the other side sees."""
    with hand_over(store, path, place, holder="ada", actor="ada", clock=CLOCK) as database:
        seen = [epoch for (epoch,) in database.rows("SELECT epoch FROM run ORDER BY epoch")]
        if failing:
            raise KeyboardInterrupt
        return seen


def test_a_ledger_that_moved_says_where_it_is(store: SqliteStore, path: Path) -> None:
    with store.writer("ada"):
        pass
    assert move(store, path) == [1, 2]
    for use in (store.reader, store.writer("ada").__enter__, store.inbox().__enter__, store.verify):
        with pytest.raises(LedgerError, match=rf"was copied to {PLACE} \(2026-12-01\) and is no longer used"):
            use()


def test_an_earlier_version_refuses_it_as_a_newer_one(store: SqliteStore, path: Path) -> None:
    move(store, path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] > SCHEMA_VERSION


def test_nothing_is_marked_if_it_did_not_arrive(store: SqliteStore, path: Path) -> None:
    with suppress(KeyboardInterrupt):
        move(store, path, failing=True)
    with store.writer("ada"):
        pass
    assert store.verify() == []


def test_it_is_handed_over_again_to_the_same_place_only(store: SqliteStore, path: Path) -> None:
    move(store, path)
    with pytest.raises(LedgerError, match=f"was copied to {PLACE}"):
        move(store, path, "PostgreSQL database other at db.example")
    assert move(store, path) == [1, 2]
    with pytest.raises(LedgerError, match="is no longer used"):
        store.reader()


def test_nobody_writes_meanwhile(store: SqliteStore, path: Path) -> None:
    with hand_over(store, path, PLACE, holder="ada", actor="ada", clock=CLOCK):
        with pytest.raises(LedgerLockedError), store.writer("bob"):
            pass
        with closing(sqlite3.connect(path, timeout=0)) as receipts, pytest.raises(sqlite3.OperationalError):
            receipts.execute("BEGIN IMMEDIATE")
