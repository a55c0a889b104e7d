"""The schema of a ledger in PostgreSQL: numbered files of SQL, each applied once, and which versions of notifyctl may use it.

A migration adds; it changes no record. Its first line tells the number of the oldest schema whose notifyctl can still write beside it,
so an older and a newer notifyctl work side by side, and the older one stops at its next request where that would not be safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from notifyctl import __version__
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError
from notifyctl.ledger.postgresql import locks

if TYPE_CHECKING:
    from psycopg import Connection

FILE = re.compile(r"(\d{4})_([a-z_]+)\.sql")
FIRST_LINE = re.compile(r"-- writes since: (\d+)(?:; also: ([a-z]+))?")

NEEDED = 2
"""The oldest schema that this version can read and write."""
REGISTER = """
CREATE TABLE IF NOT EXISTS migration (
    number       integer     PRIMARY KEY,
    name         text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    tool         text        NOT NULL,
    writes_since integer     NOT NULL
)
"""

NEWEST = "SELECT coalesce(max(number), 0), coalesce(max(writes_since), 0) FROM migration"

VACUUMED_OFTEN = """
ALTER TABLE procrastinate_jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE procrastinate_events SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
"""
"""Jobs are changed three times each and then deleted: with the server's own settings, a fifth of the table would be dead rows, through
which each worker looks for its next job."""


class Migration(Struct, frozen=True):
    """One step. `writes_since`: the schema that a notifyctl must know to write after it. `also`: a schema of others, by its name."""

    number: int
    name: str
    writes_since: int
    sql: str
    also: str | None = None


class Version(Struct, frozen=True):
    """What was applied to a database: nothing at all is number 0."""

    number: int
    writes_since: int


def queue_schema() -> str:
    from procrastinate.schema import SchemaManager

    return f"{SchemaManager.get_schema()}\n;{VACUUMED_OFTEN}"


ALSO: Mapping[str, Callable[[], str]] = {"procrastinate": queue_schema}
"""Schemas of others that a step brings, in the same transaction."""


@cache
def known_migrations() -> tuple[Migration, ...]:
    """The steps that this version knows, first to last."""
    files = (resources.files("notifyctl.ledger.postgresql") / "migrations").iterdir()
    steps = (
        read_migration(int(named[1]), named[2], file.read_text(encoding="utf-8"))
        for file in files
        if (named := FILE.fullmatch(file.name)) is not None
    )
    return tuple(sorted(steps, key=lambda step: step.number))


def read_migration(number: int, name: str, sql: str) -> Migration:
    first = FIRST_LINE.fullmatch(sql.partition("\n")[0])
    assert first is not None, f"the first line of migration {number} does not tell who can write beside it"
    return Migration(number, name, int(first[1]), sql, also=first[2])


def current(connection: Connection[Any]) -> Version:
    """What was applied to this database."""
    row = connection.execute("SELECT to_regclass('migration') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return Version(0, 0)
    row = connection.execute(NEWEST.encode()).fetchone()
    assert row is not None
    return Version(int(row[0]), int(row[1]))


def migrate(
    connection: Connection[Any], upto: int | None = None, *, steps: Sequence[Migration] | None = None
) -> list[Migration]:
    """Applies the steps that this database lacks, each in one transaction, up to the number `upto`. Returns those applied.

    Several may do this at a time: each step is applied once. Under the fence, so that no request is armed while tables change.
    Raises LedgerError for a database of a newer notifyctl that this one cannot write to, or without the right to make tables.
    """
    from psycopg import errors

    applied = []
    for step in known_migrations() if steps is None else steps:
        if upto is not None and step.number > upto:
            break
        if current(connection).number >= step.number:
            continue
        try:
            with connection.transaction():
                locks.take(connection, locks.Lock.FENCE)
                connection.execute(REGISTER.encode())
                if current(connection).number < step.number:  # nobody else did it meanwhile
                    apply(connection, step)
                    applied.append(step)
        except errors.InsufficientPrivilege as error:
            raise LedgerError(
                f"this database user cannot change the ledger's schema, and step {step.number} ({step.name}) is missing",
                hint="with the database user that owns the ledger's tables, run:"
                f" {command_line('ledger', 'upgrade')}",
            ) from error
    return applied


def apply(connection: Connection[Any], step: Migration) -> None:
    connection.execute(step.sql.encode())
    if step.also is not None:
        connection.execute(ALSO[step.also]().encode())
    connection.execute(
        "INSERT INTO migration (number, name, tool, writes_since) VALUES (%s, %s, %s, %s)",
        (step.number, step.name, __version__, step.writes_since),
    )


def latest(steps: Sequence[Migration] | None = None) -> int:
    """The number of the newest step that this version knows."""
    return max((step.number for step in (known_migrations() if steps is None else steps)), default=0)


def refuse_version(
    connection: Connection[Any], *, needs: int = NEEDED, steps: Sequence[Migration] | None = None
) -> Version:
    """What was applied to this database. Raises LedgerError unless step `needs` was, and unless this version may still use a newer one."""
    version, knows = current(connection), latest(steps)
    if version.writes_since > knows:
        raise newer_schema(version)
    if version.number < needs:
        raise LedgerError(
            f"the ledger has schema {version.number}, of an earlier version; this needs schema {needs}",
            hint=f"to upgrade it, run: {command_line('ledger', 'upgrade')}",
        )
    return version


def refuse_newer(connection: Connection[Any], *, steps: Sequence[Migration] | None = None) -> None:
    """Raises LedgerError if a step was applied that this version cannot write after. For the fence: a run may have begun before."""
    row = connection.execute(NEWEST.encode()).fetchone()
    if row is not None and int(row[1]) > latest(steps):
        raise newer_schema(Version(int(row[0]), int(row[1])))


def newer_schema(version: Version) -> LedgerError:
    return LedgerError(
        f"the ledger was upgraded to schema {version.number}, with which this version of notifyctl ({__version__}) cannot work",
        hint="install the version that upgraded it, or a newer one",
    )
