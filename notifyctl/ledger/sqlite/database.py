"""The SQLite file of a ledger: creates it, opens it for writing, and reads it without changing a file. Implements Database.

Only this module uses `sqlite3`. Its errors become a LedgerError with a message and a hint.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from threading import RLock

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.database import Row
from notifyctl.ledger.facts import FIRST_VERSION, LAST_RUN, fact_tables
from notifyctl.ledger.sqlite.schema import (
    APPLICATION_ID,
    MOVED,
    SCHEMA_VERSION,
    schema,
    serial_query,
    upgrade,
)

SQLITE_VERSION = sqlite3.sqlite_version_info
Fingerprint = tuple[int, int, int]

OPENING_TRIES = 5
"""A reader looks again if a writer started or ended while it looked at the folder."""

LOCK_TIMEOUT = 1.0
"""Seconds to wait while another program has the file locked. Our own writers have taken `ledger.lock` before."""

RECEIPT_LOCK_TIMEOUT = 5.0
"""Seconds that a receipt waits for a run's commit; the provider waits ten for its answer."""

FILE_SUFFIXES = ("", "-wal", "-shm", "-journal")
"""Of the files that a crash can leave of a database. SQLite would replay a leftover log into the next file of its name."""


FAILURES = (sqlite3.Error, UnicodeDecodeError, OverflowError)
"""What the library raises: the second where a damaged name or text is in its own message, the third for a huge number."""


class SqliteDatabase:
    """One connection; calls from several threads are serialised by a lock."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, *, frozen: Fingerprint | None = None
    ) -> None:
        """`frozen`: the fingerprint of a file that is read as immutable; each read checks that it is still the same."""
        self._connection = connection
        self._path = path
        self._frozen = frozen
        self._lock = RLock()

    @property
    def name(self) -> str:
        return str(self._path)

    def facts_version(self) -> int:
        return self.number("PRAGMA user_version")

    def schema_version(self) -> int:
        return self.facts_version()

    def refuse_unreadable(self) -> None:
        if self.number("PRAGMA application_id") != APPLICATION_ID:
            raise not_a_ledger_error(self._path)
        version = self.facts_version()
        if version > MOVED:
            raise moved_error(
                self._path, *(self.row("SELECT place, at FROM moved") or ("another database", ""))
            )
        if not FIRST_VERSION <= version <= SCHEMA_VERSION:
            raise LedgerError(
                f"{self._path} is a ledger of version {version}; this notifyctl reads up to version {SCHEMA_VERSION}",
                hint="upgrade notifyctl: the ledger was written by a newer one",
            )

    def upgrade(self) -> None:
        with self.transaction():
            version = self.facts_version()
            if version < SCHEMA_VERSION:
                for statement in upgrade(SQLITE_VERSION, version):
                    self.run(statement)

    def serial(self) -> int:
        return self.number(serial_query(fact_tables(self.facts_version())))

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query. Raises LedgerError if a file that is read as immutable has changed since it was opened."""
        with self._lock:
            try:
                rows = self._connection.execute(sql, values).fetchall()
            except FAILURES as error:
                raise translate_error(error, self._path) from error
            if self._frozen is not None and fingerprint(self._path) != self._frozen:
                raise LedgerError(f"{self._path} was written to while it was read", hint="do it again")
            return rows

    def row(self, sql: str, *values: object) -> Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def number(self, sql: str, *values: object) -> int:
        """The single number that a query yields."""
        found = self.rows(sql, *values)
        if len(found) != 1 or not isinstance(found[0][0], int):
            raise damaged_error(self._path)
        return found[0][0]

    def pages(self, sql: str, *values: object, size: int, after: int = -1) -> Iterator[list[Row]]:
        """The rows of a query by `size` of them, for large tables. Its first column is a number that it is ordered by; the
        last two parameters are the number to begin behind, and `size`.

        Raises LedgerError if a row comes again: in a damaged file they can go round for ever.
        """
        while page := self.rows(sql, *values, after, size):
            numbers = [row[0] for row in page]
            if not all(isinstance(number, int) for number in numbers) or any(
                later <= earlier for earlier, later in pairwise([after, *numbers])
            ):
                raise damaged_error(self._path)
            after = numbers[-1]
            yield page

    def run(self, sql: str, *values: object) -> None:
        self.rows(sql, *values)

    def run_many(self, sql: str, entries: Sequence[Row]) -> None:
        try:
            self._connection.executemany(sql, entries)
        except FAILURES as error:
            raise translate_error(error, self._path) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, durable when the block ends; nobody else can write meanwhile."""
        with self._lock:
            self.run("BEGIN IMMEDIATE")
            try:
                yield
                self.run("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.rollback()
                raise

    @contextmanager
    def writing(self) -> Iterator[Row | None]:
        with self.transaction():
            yield self.row(LAST_RUN)

    def alone(self) -> AbstractContextManager[None]:
        return self.transaction()

    def damaged_error(self) -> LedgerError:
        return damaged_error(self._path)

    def close(self) -> None:
        """The last connection to close merges the write-ahead log into the file and removes it."""
        with self._lock:
            self._connection.close()


def create_file(path: Path, meta: Row) -> None:
    """Creates the file `path` with empty tables and the `meta` row; it appears whole or not at all."""
    temporary = path.with_name(f"{path.name}.new")
    try:
        remove_database(temporary)
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            # Without a log until it is whole: SQLite does not say that it could not merge one when it is closed.
            connection.executescript(f"BEGIN;\n{schema(sqlite3.sqlite_version_info)}")
            connection.execute("INSERT INTO meta VALUES (1, ?, ?, ?, ?, ?)", meta)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        refuse_unfinished(temporary, meta)
        temporary.replace(path)
        sync_folder(path.parent)
    except FAILURES as error:
        raise translate_error(error, path) from error
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be made: {error.strerror}") from error
    finally:
        with suppress(OSError):
            remove_database(temporary)


def refuse_unfinished(path: Path, meta: Row) -> None:
    """Raises sqlite3.Error or OSError unless the file, without any log, is a sound ledger with this `meta` row."""
    if any(path.with_name(path.name + suffix).exists() for suffix in FILE_SUFFIXES[1:]):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with closing(connect(path, "immutable=1")) as connection:
        sound = connection.execute("PRAGMA integrity_check(1)").fetchall() == [("ok",)]
        [written] = connection.execute("SELECT * FROM meta").fetchall()
    if not sound or written != (1, *meta):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def remove_database(path: Path) -> None:
    for suffix in FILE_SUFFIXES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_for_writing(path: Path, *, timeout: float = LOCK_TIMEOUT) -> SqliteDatabase:
    """Every commit is on the disk when it returns: synchronous FULL, with the WAL mode that the file was created in."""
    try:
        connection = connect(path, "mode=rw", timeout=timeout)
        with closing_on_error(connection):
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
    except FAILURES as error:
        raise translate_error(error, path) from error
    return SqliteDatabase(connection, path)


def open_for_reading(path: Path) -> SqliteDatabase:
    """The ledger as it is now, whatever is written later. Changes no file and creates none.

    Without a write-ahead log nobody has the ledger open: the file is read as immutable, because SQLite would otherwise
    create a log. With one, a writer is at work or has crashed: its log and index are read as they are.
    """
    failure: Exception | None = None
    for _ in range(OPENING_TRIES):
        has_log, has_index = (path.with_name(path.name + suffix).exists() for suffix in ("-wal", "-shm"))
        frozen = None if has_log else fingerprint(path)
        mode = "mode=ro&readonly_shm=1" if has_index else "mode=ro"
        parameters = mode if has_log else "immutable=1"
        try:
            connection = connect(path, parameters)
            with closing_on_error(connection):
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            return SqliteDatabase(connection, path, frozen=frozen)
        except FAILURES as error:
            failure = error
    assert failure is not None
    raise translate_error(failure, path) from failure


def connect(path: Path, parameters: str, *, timeout: float = LOCK_TIMEOUT) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{parameters}",
        uri=True,
        timeout=timeout,
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
        status = path.stat()
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error.strerror}") from error
    return status.st_ino, status.st_size, status.st_mtime_ns


def translate_error(error: Exception, path: Path) -> LedgerError | LedgerLockedError:
    """One of FAILURES as an error of ours, in words for the person at the terminal."""
    if isinstance(error, UnicodeDecodeError):
        return damaged_error(path)
    if isinstance(error, OverflowError):
        return LedgerError(f"a number is too large for the ledger {path}")
    name: str = getattr(error, "sqlite_errorname", "")  # absent where Python itself refused the call
    if name.startswith("SQLITE_BUSY"):
        return LedgerLockedError(
            f"another program is writing to {path}", hint="close it, then run the command again"
        )
    for prefix, (message, hint) in ERRORS.items():
        if name.startswith(prefix):
            return LedgerError(message.format(path=path), hint=hint)
    return LedgerError(f"the ledger {path} cannot be used: {error}")


def damaged_error(path: Path) -> LedgerError:
    return known_error("SQLITE_CORRUPT", path)


def not_a_ledger_error(path: Path) -> LedgerError:
    return known_error("SQLITE_NOTADB", path)


def moved_error(path: Path, place: str, at: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} was copied to {place} ({at[:10]}) and is no longer used",
        hint="set `ledger.urlEnv` in the environment, as where it was copied",
    )


def known_error(name: str, path: Path) -> LedgerError:
    message, hint = ERRORS[name]
    return LedgerError(message.format(path=path), hint=hint)


ERRORS = {
    "SQLITE_NOTADB": (
        "{path} is not a notifyctl ledger",
        "move that file away and restore the ledger from a backup; a new ledger would send everything again",
    ),
    "SQLITE_CORRUPT": (
        "the ledger {path} is damaged",
        "restore it from a backup; a new ledger would send everything again",
    ),
    "SQLITE_FULL": (
        "the disk is full: nothing can be recorded in {path}, so nothing more is sent",
        "free disk space, then run the command again; records so far are kept",
    ),
    "SQLITE_READONLY": (
        "the ledger {path} cannot be written",
        "give this user write permission for the file and its folder",
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
"""(message, hint) by the start of SQLite's name of an error; extended names begin with the plain one."""
