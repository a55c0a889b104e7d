"""A ledger looked at as a whole: is it sound, and what stands in it. Reads every fact and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.ledger.database import Database
from notifyctl.ledger.reader import SqliteReader
from notifyctl.ledger.schema import FACTS_1, FACTS_2, SCHEMA_VERSION
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES

MOST_FAULTS = 20
"""Of one kind; a broken disk breaks many pages."""


BROKEN = (
    ("batch", MEMBER_BYTES, "SELECT rowid FROM batch WHERE length(members) % ? <> 0"),
    ("opening", ID_BYTES, "SELECT rowid FROM opening WHERE length(held) % ? <> 0"),
)


def tables(database: Database) -> tuple[str, ...]:
    newer = database.number("PRAGMA user_version") >= SCHEMA_VERSION
    return (*FACTS_1, *FACTS_2) if newer else FACTS_1


def faults(database: Database, reader: SqliteReader) -> Iterator[str]:
    for (said,) in database.rows(f"PRAGMA integrity_check({MOST_FAULTS})"):
        if said != "ok":
            yield f"SQLite finds: {said}"
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check")[:MOST_FAULTS]:
        yield f"row {row} of {table} speaks of a row of {parent} that is not there"
    guards = {name for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    bare = {table for table in tables(database) if not {f"{table}_update", f"{table}_delete"} <= guards}
    for table in sorted(bare):
        yield f"the table {table} is not guarded against changes"
    for name, odd, sql in BROKEN:
        for (row,) in database.rows(sql, odd)[:MOST_FAULTS]:
            yield f"row {row} of {name} has a broken list of people"
    gaps = database.rows(
        "SELECT batch, max(attempt), count(*) FROM attempt GROUP BY batch HAVING max(attempt) <> count(*)"
    )
    for batch, last, count in gaps[:MOST_FAULTS]:
        yield f"batch {batch} has {count} attempts, the last of which is number {last}"
    late = database.rows("SELECT number FROM batch WHERE epoch > (SELECT max(epoch) FROM run)")
    yield from (f"batch {number} belongs to a run that never was" for (number,) in late[:MOST_FAULTS])
    yield from doubled(reader)


def doubled(reader: SqliteReader) -> Iterator[str]:
    """P1, looked for in the facts themselves: nobody is accepted in two batches of one scope."""
    for scope in reader.scopes():
        seen: dict[bytes, int] = {}
        told = 0
        for batch in reader.facts(scope):
            for position, start in enumerate(range(0, len(batch.members), MEMBER_BYTES)):
                if batch.others.get(position, batch.state) is not BatchState.ACCEPTED:
                    continue
                person = batch.members[start : start + ID_BYTES]
                if person in seen and told < MOST_FAULTS:
                    told += 1
                    yield (
                        f"{scope.notification} edition {scope.edition}: one person is accepted in batches"
                        f" {seen[person]} and {batch.number}"
                    )
                seen[person] = batch.number


def exported(database: Database) -> Iterator[tuple[str, Mapping[str, object]]]:
    for table in tables(database):
        names = [name for (name,) in database.rows(f"SELECT name FROM pragma_table_info('{table}')")]  # noqa: S608 - a constant
        last = -1
        while page := database.rows(
            f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT 64",  # noqa: S608 - a constant
            last,
        ):
            for rowid, *row in page:
                last = rowid
                yield table, {name: plain(value, name) for name, value in zip(names, row, strict=True)}


SECRET = frozenset({"recipient_key"})


def plain(value: object, name: str) -> object:
    """The key that people are hashed with stays where it is."""
    if name in SECRET:
        return None if value is None else "<kept in the ledger>"
    return value.hex() if isinstance(value, bytes) else value
