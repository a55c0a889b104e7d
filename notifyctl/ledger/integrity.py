"""Checks a ledger as a whole, and exports its facts. Reads everything and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.errors import LedgerError
from notifyctl.ledger.database import Database
from notifyctl.ledger.reader import SqliteReader
from notifyctl.ledger.schema import fact_tables
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES

MAX_PROBLEMS = 20
"""Reported of one kind; a broken disk breaks many pages."""

PACKED_COLUMNS = (
    ("batch", MEMBER_BYTES, "SELECT rowid FROM batch WHERE length(members) % ? <> 0"),
    ("opening", ID_BYTES, "SELECT rowid FROM opening WHERE length(held) % ? <> 0"),
)
"""Table, bytes per person, and the query for rows of another length."""

EXPORT_PAGE = 64
SECRET_COLUMNS = frozenset({"recipient_key"})


def tables_of(database: Database) -> tuple[str, ...]:
    return fact_tables(database.number("PRAGMA user_version"))


def find_problems(database: Database, reader: SqliteReader) -> Iterator[str]:
    """Everything that is wrong with the ledger, as sentences; the last one says what could not be read any further."""
    try:
        yield from find_readable_problems(database, reader)
    except LedgerError as error:
        yield error.message


def find_readable_problems(database: Database, reader: SqliteReader) -> Iterator[str]:
    for (message,) in database.rows(f"PRAGMA integrity_check({MAX_PROBLEMS})"):
        if message != "ok":
            yield f"SQLite finds: {message}"
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check")[:MAX_PROBLEMS]:
        yield f"row {row} of {table} speaks of a row of {parent} that is not there"
    yield from find_unguarded_tables(database)
    for table, size, query in PACKED_COLUMNS:
        for (row,) in database.rows(query, size)[:MAX_PROBLEMS]:
            yield f"row {row} of {table} has a damaged list of recipients"
    gaps = database.rows(
        "SELECT batch, max(attempt), count(*) FROM attempt GROUP BY batch HAVING max(attempt) <> count(*)"
    )
    for batch, last, count in gaps[:MAX_PROBLEMS]:
        yield f"batch {batch} has {count} attempts, the last of which is number {last}"
    orphans = database.rows("SELECT number FROM batch WHERE epoch > (SELECT max(epoch) FROM run)")
    yield from (f"batch {number} belongs to a run that never was" for (number,) in orphans[:MAX_PROBLEMS])
    reader.acceptances(), reader.notices()  # raise LedgerError for what cannot be read
    yield from find_double_acceptances(reader)


def find_unguarded_tables(database: Database) -> Iterator[str]:
    triggers = {name for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    for table in sorted(tables_of(database)):
        if not {f"{table}_update", f"{table}_delete"} <= triggers:
            yield f"the table {table} is not guarded against changes"


def find_double_acceptances(reader: SqliteReader) -> Iterator[str]:
    """Checks promise P1 against the facts: nobody is accepted in two batches of one scope."""
    for scope in reader.scopes():
        accepted_in: dict[bytes, int] = {}
        reported = 0
        for batch in reader.facts(scope):
            for position, start in enumerate(range(0, len(batch.members), MEMBER_BYTES)):
                if batch.others.get(position, batch.state) is not BatchState.ACCEPTED:
                    continue
                recipient = batch.members[start : start + ID_BYTES]
                if recipient in accepted_in and reported < MAX_PROBLEMS:
                    reported += 1
                    yield (
                        f"{scope.notification} edition {scope.edition}: one recipient is accepted in batches"
                        f" {accepted_in[recipient]} and {batch.number}"
                    )
                accepted_in[recipient] = batch.number


def export_facts(database: Database) -> Iterator[tuple[str, Mapping[str, object]]]:
    """(table, row) of every fact, table by table, in the order in which they were recorded."""
    for table in tables_of(database):
        columns = [name for (name,) in database.rows(f"SELECT name FROM pragma_table_info('{table}')")]  # noqa: S608 - a constant
        sql = f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - a constant
        for page in database.pages(sql, size=EXPORT_PAGE):
            for _, *row in page:
                yield table, {name: as_plain(value, name) for name, value in zip(columns, row, strict=True)}


def as_plain(value: object, column: str) -> object:
    """The value for JSON: bytes as hexadecimal. The key that recipients are hashed with is not exported."""
    if column in SECRET_COLUMNS:
        return None if value is None else "<kept in the ledger>"
    return value.hex() if isinstance(value, bytes) else value
