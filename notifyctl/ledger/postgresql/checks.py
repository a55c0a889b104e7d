"""Refuses a PostgreSQL server, or a way to it, on which a record could be lost or the lock could be held twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from notifyctl.errors import LedgerError
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from psycopg import Connection

OLDEST_SERVER = 140_000
"""As `server_version_num`. Tests use 18."""
MAX_CLOCK_DIFFERENCE = timedelta(seconds=30)
PROBES = 3
"""Connections that are tried beside the lock's, in case that others use the pool at that moment."""

SETTINGS = (
    "SELECT current_setting('server_version_num')::int, current_setting('fsync'), current_setting('synchronous_commit'),"
    " pg_is_in_recovery(), current_setting('transaction_read_only'), current_setting('server_encoding'), clock_timestamp()"
)

Open = Callable[[], "AbstractContextManager[Connection[Any]]"]
"""Opens one more connection, the same way as the lock's, for a moment."""


def refuse_unsafe_server(
    connection: Connection[Any],
    *,
    clock: Clock | None = None,
    max_clock_difference: timedelta | None = MAX_CLOCK_DIFFERENCE,
) -> None:
    """Raises LedgerError for the first reason why nothing may be recorded through this connection. One query."""
    for error in find_dangers(connection, clock=clock, max_clock_difference=max_clock_difference):
        raise error


def find_dangers(
    connection: Connection[Any],
    *,
    clock: Clock | None = None,
    max_clock_difference: timedelta | None = MAX_CLOCK_DIFFERENCE,
) -> Iterator[LedgerError]:
    """Every reason why nothing may be recorded through this connection."""
    before = clock.now() if clock is not None else None
    row = connection.execute(SETTINGS.encode()).fetchone()
    after = clock.now() if clock is not None else None
    assert row is not None
    version, fsync, commits, replica, read_only, encoding, at = row
    if version < OLDEST_SERVER:
        yield LedgerError(
            f"the ledger's database server is PostgreSQL {version // 10_000}; {OLDEST_SERVER // 10_000} or newer is required",
            hint="upgrade the server",
        )
    if replica or read_only == "on":
        what = "a replica" if replica else "read-only for this user"
        yield LedgerError(
            f"the ledger's database is {what}, so nothing can be recorded and nothing was sent",
            hint="set the URL of the primary server, for example with `target_session_attrs=read-write`",
        )
    if encoding != "UTF8":
        yield LedgerError(
            f"the ledger's database has the encoding {encoding}: not every text of a provider could be recorded; nothing was sent",
            hint="create a database for the ledger with: CREATE DATABASE NAME ENCODING 'UTF8' TEMPLATE template0",
        )
    if fsync == "off":
        yield LedgerError(
            "the ledger's database server runs with `fsync = off`: a power cut could lose records, and recipients would be"
            " sent messages twice; nothing was sent",
            hint="set `fsync = on` in the server's configuration, then restart the server",
        )
    if commits == "off":
        yield LedgerError(
            "the ledger's database confirms commits before they are durable (`synchronous_commit = off`): a crash could lose"
            " records, and recipients would be sent messages twice; nothing was sent",
            hint="to set it for the ledger's database, run in psql: ALTER DATABASE NAME SET synchronous_commit = on;\n"
            "a setting of the database user (ALTER ROLE) or in the URL has precedence",
        )
    if before is not None and after is not None and max_clock_difference is not None:
        yield from find_clock_difference(at, before, after, max_clock_difference)


def find_clock_difference(
    theirs: datetime, before: datetime, after: datetime, allowed: timedelta
) -> Iterator[LedgerError]:
    """`theirs` was read at some moment between `before` and `after`, by our clock."""
    if theirs < before - allowed or theirs > after + allowed:
        seconds = (before - theirs if theirs < before else theirs - after).total_seconds()
        yield LedgerError(
            f"the clock of this machine and that of the ledger's database server differ by {seconds:,.0f} s;"
            f" the limit is {allowed.total_seconds():,.0f} s, and nothing was sent",
            hint="synchronise both clocks (NTP), then run the command again",
        )


def refuse_shared_session(connection: Connection[Any], open_another: Open) -> None:
    """Raises LedgerError if `connection` is no session of its own, so that a lock taken through it protects nothing.

    A pooler that hands out servers by transaction lets the next client take the same lock: it is already that session's. A
    direct connection is recognised by its process, which the server named when it was opened, without another connection.
    """
    process = backend(connection)
    if process == connection.info.backend_pid:
        return
    for _ in range(PROBES):
        with open_another() as other, other.transaction():
            # It keeps its server until the transaction ends. Ours may not be that one, and must still be the same.
            if backend(other) == process or backend(connection) != process:
                raise LedgerError(
                    "the ledger is reached through a connection pooler in transaction mode, where locks are not exclusive;"
                    " nothing was sent",
                    hint="use a URL that connects to the server directly, or a pool with `pool_mode = session`",
                )


def backend(connection: Connection[Any]) -> int:
    """The server's process that serves this statement."""
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])
