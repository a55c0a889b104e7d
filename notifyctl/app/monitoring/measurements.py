"""What `/metrics` and `status --watch` show of an environment, read anew each time by short queries with a time limit."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from notifyctl.app.ledger import postgres_store, sqlite_store
from notifyctl.app.workspace import Workspace
from notifyctl.ledger.database import Database
from notifyctl.ledger.postgresql.progress import read_workers_progress
from notifyctl.ledger.postgresql.server_health import (
    Connections,
    Horizon,
    TableHealth,
    read_clock,
    read_connections,
    read_horizon,
    read_settings,
    read_tables,
)
from notifyctl.ledger.reader import Reader
from notifyctl.model.progress import LedgerProgress, WorkersProgress
from notifyctl.model.project import Environment
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.store import PostgresStore

SECONDS = 5
"""For a query. What takes longer is ended by the server: whoever asks for numbers must not burden who sends."""


class ServerMeasurements(Struct, frozen=True):
    """Of a PostgreSQL server. `horizon` is None if nothing is seen that holds back VACUUM. `clock_ahead`: of this machine, in seconds."""

    horizon: Horizon | None
    tables: tuple[TableHealth, ...]
    connections: Connections
    autovacuum: bool
    clock_ahead: float


class Measurements(Struct, frozen=True):
    """`workers` and `server` are None for a ledger in SQLite."""

    ledger: LedgerProgress
    workers: WorkersProgress | None = None
    server: ServerMeasurements | None = None


def measure(workspace: Workspace, environment: Environment) -> Measurements | None:
    """None if there is no ledger yet. Raises NotifyctlError."""
    if environment.ledger.url is not None:
        return measure_postgres(postgres_store(workspace, environment), workspace.clock)
    store = sqlite_store(workspace, environment)
    if not store.exists():
        return None
    with closing(store.reader()) as reader:
        return Measurements(reader.progress())


def measure_place(place: tuple[Workspace, Environment] | None) -> Measurements | None:
    """Of a service that may not have read its project yet."""
    return measure(*place) if place is not None else None


def measure_postgres(store: PostgresStore, clock: Clock) -> Measurements | None:
    """In one session, without a snapshot over all of it: what changes meanwhile is in the later numbers."""
    from notifyctl.ledger.postgresql.store import is_there

    with closing(store.connect()) as database:
        if not is_there(database):
            return None
        # For this transaction alone: a pooler may hand the session to others. The fence is left to those who send.
        with database.session() as connection, connection.transaction():
            database.run(f"SET LOCAL statement_timeout = '{SECONDS}s'")
            progress = Reader(database, store.identify(database)).progress()
            return Measurements(progress, read_workers_progress(database), measure_server(database, clock))


def measure_server(database: Database, clock: Clock) -> ServerMeasurements:
    rows = database.rows
    before = clock.now()
    theirs = read_clock(rows)
    ahead = before + (clock.now() - before) / 2 - theirs
    settings = read_settings(rows)
    return ServerMeasurements(
        horizon=read_horizon(rows),
        tables=tuple(read_tables(rows)),
        connections=read_connections(rows),
        autovacuum=settings.get("autovacuum") == "on" and settings.get("track_counts") == "on",
        clock_ahead=ahead / timedelta(seconds=1),
    )
