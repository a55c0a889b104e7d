"""Hands a SQLite ledger over to another database: nobody writes to it meanwhile, and afterwards nobody uses it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifyctl.ledger.sqlite.database import SqliteDatabase, moved_error, open_for_writing
from notifyctl.ledger.sqlite.schema import MOVED
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.ledger.writer import stamp
from notifyctl.ports import Clock

MOVED_TABLE = "CREATE TABLE moved (place TEXT NOT NULL, at TEXT NOT NULL)"


@contextmanager
def hand_over(
    store: SqliteStore, path: Path, place: str, *, holder: str, actor: str, clock: Clock
) -> Iterator[SqliteDatabase]:
    """Yields the ledger for reading, as of the last run, and marks it as moved to `place` if the block ends well.

    A run of its own first records what earlier ones left open. Runs and receipts wait or are refused until the block ends. A
    ledger that was handed over to the same place before, where it did not arrive, is handed over again.

    Raises LedgerError, for one that was moved elsewhere too, and LedgerLockedError.
    """
    take_back(path, place)
    with store.writer(holder, actor=actor):
        database = open_for_writing(path)
        try:
            with database.transaction():
                yield database
                database.run(MOVED_TABLE)
                database.run("INSERT INTO moved VALUES (?, ?)", place, stamp(clock.now()))
                database.run(f"PRAGMA user_version = {database.facts_version() + MOVED}")
        finally:
            database.close()


def take_back(path: Path, place: str) -> None:
    """Removes the mark of an earlier hand-over to the same place."""
    if not path.exists():
        return  # the store says so
    database = open_for_writing(path)
    try:
        with database.transaction():
            version = database.facts_version()
            if version > MOVED:
                [(where, at)] = database.rows("SELECT place, at FROM moved")
                if where != place:
                    raise moved_error(path, where, at)
                database.run("DROP TABLE moved")
                database.run(f"PRAGMA user_version = {version - MOVED}")
    finally:
        database.close()
