"""The ledgers that contracts are tried on: each test gets one of its own, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notifyctl.ports import Clock, LedgerStore
from notifyctl.testing import TemporaryLedger
from tests.postgres import copied_database, drop_database

NAME = "acme/test"
"""Project and environment."""

Make = Callable[[pytest.FixtureRequest, Clock], LedgerStore]


def sqlite_ledger(request: pytest.FixtureRequest, clock: Clock) -> LedgerStore:
    return TemporaryLedger(clock=clock)


def postgresql_ledger(request: pytest.FixtureRequest, clock: Clock) -> LedgerStore:
    """In a database of its own, with tables and without a ledger. It is dropped at the end of the test."""
    server: str = request.getfixturevalue("postgres_server")
    url = migrated_database(server)
    request.addfinalizer(lambda: drop_database(url, server))
    return postgresql_store(url, clock)


def migrated_database(server: str) -> str:
    """The URL of a new database with tables and without a ledger."""
    return copied_database(server, "migrated", migrate)


def postgresql_store(url: str, clock: Clock) -> LedgerStore:
    """Times in tests are made up, so they are not compared with the server's."""
    from notifyctl.ledger.postgresql.store import PostgresStore

    return PostgresStore(url, name=NAME, clock=clock, max_clock_difference=None)


def migrate(url: str) -> None:
    from notifyctl.ledger.postgresql import migrations
    from notifyctl.ledger.postgresql.database import connect

    with connect(url) as connection:
        migrations.migrate(connection)


IMPLEMENTATIONS: dict[str, Make] = {"sqlite": sqlite_ledger, "postgresql": postgresql_ledger}


def lose_lock(store: LedgerStore) -> None:
    """Behaves like a file system without locks, or a network that was cut: another writer can start although this one has not
    ended.
    """
    if isinstance(store, TemporaryLedger):
        store.lose_lock()
        return
    from notifyctl.ledger.postgresql import lease
    from notifyctl.ledger.postgresql.store import PostgresStore

    assert isinstance(store, PostgresStore)
    database = store.connect()
    try:
        lease.end_holder(database)
    finally:
        database.close()
