"""Halts all workers of a ledger, and lets them continue. The last row of `halt` counts.

Both take the fence alone, and what arms a request asks inside it: once a halt is committed, nothing is armed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from notifyctl.command_line import command_line
from notifyctl.errors import HaltedError
from notifyctl.ledger.postgresql import locks
from notifyctl.model.halting import Halt

if TYPE_CHECKING:
    from psycopg import Connection


def halt(connection: Connection[Any], reason: str | None, who: str, at: datetime) -> Halt:
    """Halts sending, and returns the halt that is in force: an earlier one stays unless another reason is given.

    Waits for requests that are being armed at this moment. The connection is in autocommit mode.
    """
    with connection.transaction():
        locks.take(connection, locks.Lock.FENCE)
        known = halted(connection)
        if known is not None and reason in {None, known.reason}:
            return known
        record(connection, halted=True, reason=reason, who=who, at=at)
    return Halt(who, at, reason)


def resume(connection: Connection[Any], who: str, at: datetime) -> Halt | None:
    """Ends the halt and returns it; None if nothing was halted."""
    with connection.transaction():
        locks.take(connection, locks.Lock.FENCE)
        known = halted(connection)
        if known is not None:
            record(connection, halted=False, reason=None, who=who, at=at)
    return known


def halted(connection: Connection[Any]) -> Halt | None:
    """The halt in force. Only inside the fence is it certain to stay so."""
    row = connection.execute(b"SELECT halted, who, at, reason FROM halt ORDER BY id DESC LIMIT 1").fetchone()
    if row is None or not row[0]:
        return None
    _, who, at, reason = row
    return Halt(who, at.astimezone(UTC), reason)


def refuse_halted(connection: Connection[Any]) -> None:
    """Raises HaltedError while sending is halted."""
    found = halted(connection)
    if found is not None:
        raise halted_error(found)


def halted_error(found: Halt) -> HaltedError:
    why = f": {found.reason}" if found.reason else ""
    return HaltedError(
        f"sending was halted by {found.who} at {found.at:%Y-%m-%d %H:%M} UTC{why}",
        hint=f"nothing is sent until it is resumed; to continue, run: {command_line('resume')}",
    )


def record(connection: Connection[Any], *, halted: bool, reason: str | None, who: str, at: datetime) -> None:
    connection.execute(
        b"INSERT INTO halt (halted, reason, who, at) VALUES (%s, %s, %s, %s)", (halted, reason, who, at)
    )
