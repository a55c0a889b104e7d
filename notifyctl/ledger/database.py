"""The one door to SQLite: how a ledger file is made, opened for writing, and read without changing a file.

SQLite's own errors end here: each becomes a LedgerError that says what is the matter and what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.schema import schema

Row = tuple[Any, ...]
SQLITE_VERSION = sqlite3.sqlite_version_info
Fingerprint = tuple[int, int, int]

OPENING_TRIES = 5
"""A writer that comes or goes while a reader looks at the folder makes the reader look again."""

PATIENCE = 1.0
"""Seconds to wait for a program that is not ours and has the file locked; our own writers are told apart before."""

INBOX_PATIENCE = 5.0
"""Seconds that a receipt waits for a run that commits; the provider waits for ten."""

LEFTOVERS = ("", "-wal", "-shm", "-journal")
"""What a crash can leave of a database. SQLite would replay such a log into whatever file has the name next."""


class Database:
    """One connection. Calls from several threads are taken one after the other."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, frozen: Fingerprint | None = None
    ) -> None:
        """`frozen`: the connection reads the bare file and trusts that nobody writes to it, so each read is checked."""
        self._connection = connection
        self._path = path
        self._frozen = frozen
        self._turn = RLock()

    @property
    def path(self) -> Path:
        return self._path

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query. Raises LedgerError when they cannot be had as of the moment of opening."""
        with self._turn:
            try:
                found = self._connection.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise explained(error, self._path) from error
            if self._frozen is not None and fingerprint(self._path) != self._frozen:
                raise LedgerError(f"{self._path} was written to while it was read", hint="do it again")
            return found

    def row(self, sql: str, *values: object) -> Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def rows_of(self, sql: str, numbers: Sequence[int]) -> list[Row]:
        """All rows of a query that ends in `IN`."""
        return self.rows(f"{sql} ({','.join('?' * len(numbers))})", *numbers)

    def number(self, sql: str, *values: object) -> int:
        """The single number that a query gives."""
        [(found,)] = self.rows(sql, *values)
        assert isinstance(found, int)
        return found

    def run(self, sql: str, *values: object) -> None:
        self.rows(sql, *values)

    def run_many(self, sql: str, entries: Sequence[Row]) -> None:
        try:
            self._connection.executemany(sql, entries)
        except sqlite3.Error as error:
            raise explained(error, self._path) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when the block is left; nobody else writes meanwhile."""
        with self._turn:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.rollback()
                raise

    def close(self) -> None:
        """The last to close folds the write-ahead log into the file and removes it."""
        with self._turn:
            self._connection.close()


def make(path: Path, meta: Row) -> None:
    """A new file at `path` with empty tables and the `meta` row. It appears whole or not at all."""
    aside = path.with_name(f"{path.name}.new")
    try:
        for left in LEFTOVERS:
            aside.with_name(aside.name + left).unlink(missing_ok=True)
        os.close(os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(schema(sqlite3.sqlite_version_info))
            connection.execute("INSERT INTO meta VALUES (1, ?, ?, ?, ?, ?)", meta)
        aside.replace(path)
        sync_folder(path.parent)
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be made: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_for_writing(path: Path, *, patience: float = PATIENCE) -> Database:
    """Every commit is on the disk when it returns: WAL, as the file was made with, and synchronous FULL."""
    try:
        connection = connect(path, "mode=rw", patience=patience)
        with closing_on_error(connection):
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error as error:
        raise explained(error, path) from error
    return Database(connection, path)


def open_for_reading(path: Path) -> Database:
    """The ledger as it is now, whatever is written later. Changes no file, and makes none.

    Without a write-ahead log nobody has it open: the bare file is read as immutable, because SQLite would make the log
    to read by. With one, a writer is at work or has crashed: its log and index are read as they are.
    """
    failure: sqlite3.Error | None = None
    for _ in range(OPENING_TRIES):
        logged, indexed = (path.with_name(path.name + end).exists() for end in ("-wal", "-shm"))
        frozen = None if logged else fingerprint(path)
        way = "immutable=1" if not logged else "mode=ro&readonly_shm=1" if indexed else "mode=ro"
        try:
            connection = connect(path, way)
            with closing_on_error(connection):
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            return Database(connection, path, frozen=frozen)
        except sqlite3.Error as error:
            failure = error
    assert failure is not None
    raise explained(failure, path) from failure


def connect(path: Path, way: str, *, patience: float = PATIENCE) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{way}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
    )


@contextmanager
def closing_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.close()
        raise


def fingerprint(path: Path) -> Fingerprint:
    try:
        found = path.stat()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error.strerror}") from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def explained(error: sqlite3.Error, path: Path) -> LedgerError | LedgerLockedError:
    """What an error of SQLite means to the person at the terminal."""
    name: str = getattr(error, "sqlite_errorname", "")  # absent where Python itself refused the call
    if name.startswith("SQLITE_BUSY"):
        return LedgerLockedError(
            f"another program is writing to {path}", hint="close it, then run the command again"
        )
    for beginning, (message, hint) in MEANINGS.items():
        if name.startswith(beginning):
            return LedgerError(message.format(path=path), hint=hint)
    return LedgerError(f"the ledger {path} cannot be used: {error}")


MEANINGS = {
    "SQLITE_NOTADB": (
        "{path} is not a notifyctl ledger",
        "move that file away and put the ledger back from a backup; a new ledger would send everything again",
    ),
    "SQLITE_CORRUPT": (
        "the ledger {path} is damaged",
        "put it back from a backup; a new ledger would send everything again",
    ),
    "SQLITE_FULL": (
        "the disk is full: nothing more can be recorded in {path}, so nothing more is sent",
        "make room, then run the command again: what was recorded stays",
    ),
    "SQLITE_READONLY": (
        "the ledger {path} cannot be written",
        "give this user the right to write to that file and its folder",
    ),
    "SQLITE_CANTOPEN": (
        "the ledger {path} cannot be opened",
        "this user needs the right to read that file and its folder, and to write there for an apply",
    ),
    "SQLITE_IOERR": (
        "the disk failed while {path} was read or written",
        "what was recorded before stays; look after the disk, then run the command again",
    ),
}
"""By the start of SQLite's name for the error (its extended names begin with the plain one)."""
