"""What PostgreSQL and the way to it can refuse, as errors of ours, in words for the person at the terminal."""

from __future__ import annotations

import psycopg
from psycopg import errors

from notifyctl.errors import LedgerError

LOST = "nothing more is sent until it answers; records so far are kept"


def translate_error(error: psycopg.Error, name: str, *, lost: bool) -> LedgerError:
    """`lost`: the connection is gone, or was never there."""
    if lost:
        return LedgerError(
            f"the ledger cannot be reached ({name}): {first_line(error)}",
            hint="check that the server runs and that this machine reaches it, then run the command again; records so far are kept",
        )
    for kind, (message, hint) in KNOWN.items():
        if isinstance(error, kind):
            return LedgerError(message.format(name=name, error=first_line(error)), hint=hint)
    return LedgerError(f"the ledger cannot be used ({name}): {first_line(error)}")


def damaged_error(name: str) -> LedgerError:
    return LedgerError(
        f"the ledger is damaged ({name})",
        hint="restore it from a backup; a new ledger would send everything again",
    )


def first_line(error: psycopg.Error) -> str:
    """Without the details, which may quote values."""
    return error.diag.message_primary or str(error).strip().partition("\n")[0]


KNOWN: dict[type[psycopg.Error], tuple[str, str]] = {
    errors.InsufficientPrivilege: (
        "this database user may not do that with the ledger ({name}): {error}",
        "use the database user of the ledger's owner, or give this one the right",
    ),
    errors.UndefinedTable: (
        "{name} is not a notifyctl ledger: {error}",
        "set the variable that `ledger.urlEnv` names to the ledger's database",
    ),
    errors.ReadOnlySqlTransaction: (
        "the ledger cannot be written ({name}): the server is a replica, or read-only",
        "use the URL of the primary server",
    ),
    errors.DiskFull: (
        "the disk of the database server is full: nothing can be recorded ({name}), so nothing more is sent",
        "free disk space there, then run the command again; records so far are kept",
    ),
    errors.LockNotAvailable: (
        "the ledger is busy ({name}): another session did not end its transaction in time",
        "run the command again",
    ),
    errors.NumericValueOutOfRange: ("a number is too large for the ledger ({name})", "report this"),
}
"""(message, hint) by the class of an error."""
