"""The lock of the one run that plans and records, held by a session that does nothing else. It is free when that session ends.

The lock reports early who is at work. Safety rests on the epoch in the ledger, not on the lock.
"""

from __future__ import annotations

from contextlib import suppress

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.database import PostgresDatabase

NAME_BYTES = 63
"""Of the name of a session."""
MOMENT = "500ms"
WHO = "SELECT application_name, backend_start FROM pg_stat_activity WHERE pid = ?"


def take(database: PostgresDatabase, holder: str) -> None:
    """Takes the lock until the session ends. Raises LedgerLockedError naming the holder if another session has it."""
    with database.session() as connection:
        taken = locks.try_session(connection, locks.Lock.WRITER)
    if not taken and not wait(database):
        raise LedgerLockedError(
            f"the ledger ({database.name}) is locked by {find_holder(database) or 'another run'}",
            hint="wait for that run to finish, or stop it; the lock is released with its process",
        )
    name = holder.encode(errors="replace")[:NAME_BYTES].decode(errors="ignore")
    database.rows("SELECT set_config('application_name', ?, false)", name)


def wait(database: PostgresDatabase) -> bool:
    """Takes the lock if it becomes free: of a process that has just died, the server ends the session a moment later."""
    database.rows("SELECT set_config('lock_timeout', ?, false)", MOMENT)
    try:
        database.rows("SELECT pg_advisory_lock(?, ?)", locks.LEDGER, int(locks.Lock.WRITER))
    except LedgerError:
        return False
    return True


def find_holder(database: PostgresDatabase) -> str | None:
    """Who holds the lock, and since when; None if it is free."""
    with database.session() as connection:
        process = locks.holder_process(connection, locks.Lock.WRITER)
    row = database.row(WHO, process) if process is not None else None
    if row is None:
        return None
    name, since = row
    return f"{name or 'another run'} since {since[:19]}+00:00" if since else str(name or "another run")


def end_holder(database: PostgresDatabase) -> None:
    """Ends the session that has the lock, if this user may. If not, the server ends it once it notices that the machine is gone."""
    with database.session() as connection:
        process = locks.holder_process(connection, locks.Lock.WRITER)
    if process is not None:
        with suppress(LedgerError):
            database.rows("SELECT pg_terminate_backend(?)", process)
