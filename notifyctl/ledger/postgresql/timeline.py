"""Notices that a ledger's database is another one than a run last wrote to: a promoted replica, a restored backup, a copy.

Each of these may lack records that were confirmed to a run, so nothing is sent until somebody accepts it with `ledger adopt`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import astuple

from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError

if TYPE_CHECKING:
    from psycopg import Connection


class ServerIdentity(Struct, frozen=True):
    """`cluster`: made with the server's files, and the same on its replicas. `timeline`: raised when a replica is promoted or a base
    backup restored. `database`: its number, which another database has not even if it was restored from this one.
    """

    cluster: str
    timeline: int
    database: int


IDENTITY = (
    "SELECT (SELECT system_identifier FROM pg_control_system())::text,"
    # A replica has no position of its own to write at; the checkpoint of one that was just promoted names the former timeline.
    " CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END,"
    " (SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
)


def server_identity(connection: Connection[Any]) -> ServerIdentity:
    row = connection.execute(IDENTITY.encode()).fetchone()
    assert row is not None
    return ServerIdentity(str(row[0]), int(row[1]), int(row[2]))


def known_identity(connection: Connection[Any]) -> ServerIdentity | None:
    """What the last run to look found; None if none has."""
    row = connection.execute(
        "SELECT system_identifier, timeline, database FROM server ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else ServerIdentity(str(row[0]), int(row[1]), int(row[2]))


def refuse_other_server(connection: Connection[Any]) -> None:
    """Raises LedgerError unless this is the database that was last written to. A ledger that nobody wrote to is any."""
    error = find_other_server(connection)
    if error is not None:
        raise error


def find_other_server(connection: Connection[Any]) -> LedgerError | None:
    known, found = known_identity(connection), server_identity(connection)
    if known is None or known == found:
        return None
    return LedgerError(
        f"{describe_difference(known, found)}: records of the last run may be missing here; nothing was sent",
        hint="compare the records here with those of the provider (`notifyctl ledger show`, receipts),"
        f" then run: {command_line('ledger', 'adopt')}",
    )


def describe_difference(known: ServerIdentity, found: ServerIdentity) -> str:
    if known.cluster != found.cluster:
        return "the ledger's database is on another server than the one that was last written to"
    if known.timeline != found.timeline:
        return (
            "the ledger's database server was promoted or restored from a backup"
            f" (timeline {known.timeline} → {found.timeline})"
        )
    return "the ledger's database is another one than the one that was last written to, for example a restored copy"


def describe_servers(connection: Connection[Any]) -> str:
    """Both, where they differ."""
    known, found = known_identity(connection), server_identity(connection)
    if known is None:
        return "No run has written to this ledger yet."
    if known == found:
        return "It is the database that was last written to."
    words = ("server", "timeline", "database")
    return "Last written: " + ", ".join(
        f"{word} {before}" if before == now else f"{word} {before} (here: {now})"
        for word, before, now in zip(words, astuple(known), astuple(found), strict=True)
    )


def adopt(connection: Connection[Any], *, epoch: int, at: datetime) -> None:
    """Records this database as the one to write to from now on."""
    found = server_identity(connection)
    if known_identity(connection) != found:
        connection.execute(
            "INSERT INTO server (system_identifier, timeline, database, epoch, at) VALUES (%s, %s, %s, %s, %s)",
            (found.cluster, found.timeline, found.database, epoch, at),
        )
