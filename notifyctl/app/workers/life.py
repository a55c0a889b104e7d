"""The session that shows that a worker lives: it holds a lock as long as the process has its connection, and reconciles over it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from notifyctl import __version__
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, SettingsError
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase
    from notifyctl.ledger.postgresql.store import PostgresStore


class WorkerLife:
    """A worker as the ledger knows it. After its connection was lost it goes on under its number if nobody has it, else under another."""

    def __init__(self, store: PostgresStore, name: str, clock: Clock, *, revision: str | None) -> None:
        self._store = store
        self._name = name
        self._clock = clock
        self._revision = revision
        self._database: PostgresDatabase | None = None
        self.number = 0

    @property
    def database(self) -> PostgresDatabase:
        """The session. Connects where there is none. Raises LedgerError while the server cannot be reached."""
        if self._database is not None and not self._database.connection.closed:
            return self._database
        self.drop()
        database = self._store.connect_to_write()
        try:
            self._begin(database)
        except BaseException:
            database.close()
            raise
        self._database = database
        return database

    def drop(self) -> None:
        """Ends the session without a word."""
        if self._database is not None:
            with suppress(Exception):
                self._database.close()
        self._database = None

    def end(self, how: str) -> None:
        """Records the end of the worker, if it can be recorded."""
        from notifyctl.ledger.writer import stamp

        if self._database is not None and self.number:
            with suppress(LedgerError):
                self._database.run(
                    "INSERT INTO worker_end (worker, at, how) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    *(self.number, stamp(self._clock.now()), how),
                )
        self.drop()

    def _begin(self, database: PostgresDatabase) -> None:
        from notifyctl.ledger.postgresql import campaigns, checks, locks, migrations
        from notifyctl.ledger.writer import stamp

        with database.session() as connection:
            migrations.refuse_version(connection, needs=campaigns.SCHEMA)
            checks.refuse_shared_session(connection, lambda: self._store.connect().connection)
            if self.number and locks.try_worker(connection, self.number):
                return
            row = database.row(
                "INSERT INTO worker (name, started_at, version, revision) VALUES (?, ?, ?, ?) RETURNING id",
                *(self._name, stamp(self._clock.now()), __version__, self._revision),
            )
            assert row is not None
            if not locks.try_worker(connection, row[0]):
                raise LedgerError(f"the lock of worker {row[0]} is in use by another session")
            self.number = row[0]


def postgres_store_of(store: object, environment: str) -> PostgresStore:
    """The store, for what only a ledger in PostgreSQL can do. Raises SettingsError for another."""
    from notifyctl.ledger.sqlite.store import SqliteStore

    if isinstance(store, SqliteStore):
        raise SettingsError(
            f"workers need a ledger in PostgreSQL; that of environment `{environment}` is in SQLite",
            hint=f"set `ledger.urlEnv` of the environment, then copy the ledger: {command_line('ledger', 'copy', env=environment)}",
        )
    from notifyctl.ledger.postgresql.store import PostgresStore

    assert isinstance(store, PostgresStore)
    return store
