"""A ledger in PostgreSQL for the tests of what only that one can do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.testing import ManualClock
from tests.contract_ledgers import postgresql_ledger


@pytest.fixture
def store(request: pytest.FixtureRequest) -> PostgresStore:
    made = postgresql_ledger(request, ManualClock(datetime(2026, 12, 1, 9, tzinfo=UTC)))
    assert isinstance(made, PostgresStore)
    made.create()
    return made


@pytest.fixture
def database(store: PostgresStore) -> Iterator[PostgresDatabase]:
    with closing(store.connect()) as opened:
        yield opened
