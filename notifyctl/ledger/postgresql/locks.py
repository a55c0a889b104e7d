"""PostgreSQL's advisory locks of a ledger, in one number space. They belong to a database, so two ledgers never share one.

Locks report early who is at work, and order what must not overlap. Safety rests on the epoch and the claims in the ledger.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

LEDGER = 0x6E746679
"""The first of the two numbers of each lock: "ntfy" in ASCII, so that another program's locks are not ours."""
WORKERS = 0x6E746677
"""The first number of the locks of workers, "ntfw"; the second is the worker's."""


class Lock(IntEnum):
    """The second number."""

    WRITER = 1
    """Of a session: the one run that plans and records."""
    FENCE = 2
    """Of a transaction. What arms a request or plans batches shares it. What decides whether anything may be armed (a new epoch, halt,
    resume, a migration) takes it alone: once that is committed, nothing is armed under the old state."""
    NUMBERS = 3
    """Of a transaction: numbers batches without gaps."""
    RECONCILE = 4
    """Of a transaction, and only if it is free: one worker at a time looks for work that nobody has."""


SHARE_FENCE = f"pg_advisory_xact_lock_shared({LEDGER}, {Lock.FENCE.value})"
TAKE_FENCE = f"pg_advisory_xact_lock({LEDGER}, {Lock.FENCE.value})"
"""The fence as SQL, for the statement that begins a transaction."""


def try_session(connection: Connection[Any], lock: Lock) -> bool:
    """Takes a lock until it is released or the session ends. False, at once, if another session has it."""
    return truth(connection, "SELECT pg_try_advisory_lock(%s, %s)", LEDGER, lock)


def release_session(connection: Connection[Any], lock: Lock) -> bool:
    """False if this session had not taken it."""
    return truth(connection, "SELECT pg_advisory_unlock(%s, %s)", LEDGER, lock)


def share(connection: Connection[Any], lock: Lock) -> None:
    """Waits for the lock, which others may share, and keeps it until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", (LEDGER, int(lock)))


def take(connection: Connection[Any], lock: Lock) -> None:
    """Waits for the lock and keeps it, alone, until the transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LEDGER, int(lock)))


def try_take(connection: Connection[Any], lock: Lock) -> bool:
    """Takes the lock until the transaction ends. False, at once, if another session has it."""
    return truth(connection, "SELECT pg_try_advisory_xact_lock(%s, %s)", LEDGER, lock)


def holder_process(connection: Connection[Any], lock: Lock) -> int | None:
    """The server's process of the session that holds a lock alone, or None."""
    row = connection.execute(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND objsubid = 2"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid = %s::bigint::oid AND objid = %s::bigint::oid LIMIT 1",
        (LEDGER, int(lock)),
    ).fetchone()
    return None if row is None else int(row[0])


def try_worker(connection: Connection[Any], worker: int) -> bool:
    """Marks a worker as alive until this session ends. False if another session has that worker's number."""
    return truth(connection, "SELECT pg_try_advisory_lock(%s, %s)", WORKERS, worker)


def living_workers(connection: Connection[Any]) -> frozenset[int]:
    """The numbers of the workers whose sessions are alive."""
    rows = connection.execute(
        "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND classid = %s::bigint::oid",
        (WORKERS,),
    ).fetchall()
    return frozenset(int(number) for (number,) in rows)


def truth(connection: Connection[Any], sql: str, first: int, second: int) -> bool:
    row = connection.execute(sql.encode(), (first, int(second))).fetchone()
    return row is not None and row[0] is True
