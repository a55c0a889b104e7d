"""One session with the PostgreSQL database of a ledger. Implements Database.

Each statement is a transaction of its own unless `transaction` is open: nobody reads under one snapshot for minutes, which would
keep the server from removing dead rows. A session that was lost is replaced before the next transaction, never within one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import pairwise
from threading import RLock
from typing import Any

import psycopg
from psycopg import conninfo, pq
from psycopg.adapt import Buffer
from psycopg.types.datetime import TimestamptzBinaryLoader

from notifyctl.errors import LedgerError, SettingsError
from notifyctl.ledger.database import Row
from notifyctl.ledger.facts import FACTS_VERSION, LAST_RUN
from notifyctl.ledger.postgresql import locks, migrations
from notifyctl.ledger.postgresql.failures import damaged_error, translate_error

CONNECT_TIMEOUT = 10
"""Seconds to wait for the server, of each of its addresses."""
SETTINGS = {
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "10s",  # a process that was stopped keeps nobody waiting
    "transaction_timeout": "5min",
}
"""Of each session. The last is known to PostgreSQL 17 and later."""
PREPARE_AFTER = 5
"""Times that a statement is executed before the server is asked to remember it."""
TRANSACTION_TIMEOUT_SINCE = 170_000
KEEPALIVES = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Seconds, and milliseconds: a network that is gone is noticed within half a minute."""

NUMBERED = (
    *("outcome", "scope", "word", "receipt", "statement", "account", "likeness", "acceptance", "notice"),
    *("run", "batch", "test"),
)
"""Tables whose rows are counted by their highest number: no table is read whole."""
NUMBER_COLUMNS = {"run": "epoch", "batch": "number", "test": "number"}
COUNTED = (
    *("meta", "run_end", "opening", "attempt", "origin", "served", "plan_use", "identity_rules", "actor"),
    "test_result",
)


BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""Whatever a role or a database sets: what is read behind the fence is read after it was taken, not before."""


class TextLoader(TimestamptzBinaryLoader):
    """Times as the ledger's text for them: ISO 8601 in UTC."""

    def load(self, data: Buffer) -> Any:
        return super().load(data).isoformat()


class PostgresDatabase:
    """One connection; calls from several threads are serialised by a lock."""

    def __init__(self, url: str) -> None:
        """Raises LedgerError if the server cannot be reached."""
        self.url = url
        self._name = database_name(url)
        self._lock = RLock()
        self._depth = 0
        """Of transactions within each other."""
        self._check: Callable[[psycopg.Connection[Row]], None] | None = None
        self._connect()

    def _connect(self) -> None:
        self.connection = connect(self.url)
        # Bytes come as bytes, not as text twice as long.
        self._cursor = self.connection.cursor(binary=True)
        self._cursor.adapters.register_loader("timestamptz", TextLoader)

    @property
    def name(self) -> str:
        return self._name

    def facts_version(self) -> int:
        return FACTS_VERSION

    def schema_version(self) -> int:
        with self.session() as connection:
            return migrations.current(connection).number

    def refuse_unreadable(self) -> None:
        with self.session() as connection:
            migrations.refuse_version(connection)

    def upgrade(self) -> None:
        """Does nothing: `ledger upgrade` applies the steps of the schema, and an older one can be written to."""

    def serial(self) -> int:
        highest = [
            f"(SELECT coalesce(max({NUMBER_COLUMNS.get(table, 'id')}), 0) FROM {table})"  # noqa: S608 - our own table names
            for table in NUMBERED
        ]
        counts = [f"(SELECT count(*) FROM {table})" for table in COUNTED]  # noqa: S608 - our own table names
        return self.number(f"SELECT {' + '.join([*highest, *counts])}")

    def rows(self, sql: str, *values: object) -> list[Row]:
        with self._lock, self._translated():
            self._replace_lost()
            self._cursor.execute(placeholders(sql), [clean(value) for value in values])
            return self._cursor.fetchall() if self._cursor.description is not None else []

    def row(self, sql: str, *values: object) -> Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def number(self, sql: str, *values: object) -> int:
        found = self.rows(sql, *values)
        if len(found) != 1 or not isinstance(found[0][0], int):
            raise self.damaged_error()
        return found[0][0]

    def pages(self, sql: str, *values: object, size: int, after: int = -1) -> Iterator[list[Row]]:
        """Each page is a query of its own."""
        while page := self.rows(sql, *values, after, size):
            numbers = [row[0] for row in page]
            if any(later <= earlier for earlier, later in pairwise([after, *numbers])):
                raise self.damaged_error()
            after = numbers[-1]
            yield page

    def run(self, sql: str, *values: object) -> None:
        self.rows(sql, *values)

    def run_many(self, sql: str, entries: Sequence[Row]) -> None:
        with self._lock, self._translated():
            self._replace_lost()
            if entries:
                self._cursor.executemany(
                    placeholders(sql), [[clean(value) for value in entry] for entry in entries]
                )

    @contextmanager
    def session(self) -> Iterator[psycopg.Connection[Row]]:
        """The connection, for what is asked of the server itself. Its errors are raised as LedgerError."""
        with self._lock, self._translated():
            self._replace_lost()
            yield self.connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Shares the fence: no epoch begins and nothing is halted before it ends."""
        with self._transaction(f"SELECT {locks.SHARE_FENCE}"):
            yield

    @contextmanager
    def writing(self) -> Iterator[Row | None]:
        with self._transaction(f"SELECT {locks.SHARE_FENCE}; {LAST_RUN}") as row:
            yield row

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Has the fence alone."""
        with self._transaction(f"SELECT {locks.TAKE_FENCE}"):
            yield

    @contextmanager
    def _transaction(self, enter: str) -> Iterator[Row | None]:
        """Yields what the last statement of `enter` did. One message begins it all: each costs a way to the server and back."""
        with self._lock, self._translated():
            self._replace_lost()
            if self._depth:
                with self.connection.transaction():  # within another
                    yield self._last_row(enter)
                return
            try:
                row = self._last_row(f"{BEGIN}; {enter}")
                self._depth += 1
                try:
                    yield row
                finally:
                    self._depth -= 1
                self._commit()
            except BaseException:
                with suppress(psycopg.Error):  # the server takes back what it cannot be told to
                    self.connection.rollback()
                raise

    def _last_row(self, script: str) -> Row | None:
        cursor = self.connection.execute(script.encode())
        while cursor.nextset():
            pass
        return cursor.fetchone()

    def _commit(self) -> None:
        """Raises psycopg.Error for a transaction that the server would take back instead, because a statement in it had failed."""
        if self.connection.info.transaction_status == pq.TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction("a statement within the transaction had failed")
        self.connection.commit()

    @contextmanager
    def copying(self, sql: str) -> Iterator[Callable[[Sequence[object]], None]]:
        """Yields what writes a row of a COPY, for many rows."""
        with self._lock, self._translated(), self.connection.cursor().copy(sql.encode()) as copy:
            yield copy.write_row

    def keep_checking(self, check: Callable[[psycopg.Connection[Row]], None]) -> None:
        """Calls `check`, which raises LedgerError for what must not be written to, now and for each connection that replaces a
        lost one: it may lead to another server.
        """
        with self.session() as connection:
            check(connection)
        self._check = check

    def damaged_error(self) -> LedgerError:
        return damaged_error(self._name)

    def close(self) -> None:
        self.connection.close()

    def _replace_lost(self) -> None:
        if self.connection.closed and not self._depth:
            self._connect()
            if self._check is not None:
                try:
                    self._check(self.connection)
                except BaseException:
                    self.connection.close()  # nothing is written through it, and the next call looks again
                    raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise translate_error(error, self._name, lost=self.connection.closed) from error


def connect(url: str) -> psycopg.Connection[Row]:
    """A session in autocommit mode, with our time limits. Raises LedgerError."""
    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,  # a pooler may hand each transaction to another session, without what was prepared
            **{
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "notifyctl",
                **KEEPALIVES,
                **given(url),
            },
        )
        # As BEGIN says, for transactions that the library begins.
        connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
        if is_direct(connection):
            connection.prepare_threshold = PREPARE_AFTER
        version = connection.info.server_version
        for name, value in SETTINGS.items():
            if name != "transaction_timeout" or version >= TRANSACTION_TIMEOUT_SINCE:
                connection.execute(f"SET {name} = '{value}'".encode())
    except psycopg.Error as error:
        raise translate_error(error, database_name(url), lost=True) from error
    return connection


def is_direct(connection: psycopg.Connection[Row]) -> bool:
    """Whether no pooler is between, which would name a process of its own."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row == (connection.info.backend_pid,)


def given(url: str) -> dict[str, Any]:
    """The parts of a URL, which have precedence over ours. Raises SettingsError for what is none."""
    try:
        return conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise SettingsError(
            "the ledger's URL is not one of a PostgreSQL database",
            hint="set the variable that `ledger.urlEnv` names to postgresql://USER:PASSWORD@HOST/DATABASE",
        ) from None


def database_name(url: str) -> str:
    """What messages call it: where it is, without user and password."""
    parts = given(url)
    host, port = parts.get("host", parts.get("hostaddr", "localhost")), parts.get("port")
    where = host if port is None or host.startswith("/") else f"{host}:{port}"
    return f"PostgreSQL database {parts.get('dbname') or parts.get('user') or 'postgres'} at {where}"


@lru_cache(maxsize=512)
def placeholders(sql: str) -> bytes:
    """Our SQL in psycopg's writing."""
    return sql.replace("%", "%%").replace("?", "%s").encode()


def clean(value: object) -> object:
    """PostgreSQL keeps any text but one with the character NUL, and a provider may send anything."""
    if isinstance(value, str) and "\0" in value:
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value
