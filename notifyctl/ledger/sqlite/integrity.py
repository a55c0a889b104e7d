"""Checks a SQLite ledger as a whole, and exports its facts. Reads everything and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.errors import LedgerError
from notifyctl.ledger.facts import fact_tables
from notifyctl.ledger.integrity import MAX_PROBLEMS, as_plain, find_wrong_facts
from notifyctl.ledger.reader import Reader
from notifyctl.ledger.sqlite.database import SqliteDatabase

EXPORT_PAGE = 64


def tables_of(database: SqliteDatabase) -> tuple[str, ...]:
    return fact_tables(database.facts_version())


def find_problems(database: SqliteDatabase, reader: Reader) -> Iterator[str]:
    """Everything that is wrong with the ledger, as sentences; the last one says what could not be read any further."""
    try:
        yield from find_readable_problems(database, reader)
    except LedgerError as error:
        yield error.message


def find_readable_problems(database: SqliteDatabase, reader: Reader) -> Iterator[str]:
    for (message,) in database.rows(f"PRAGMA integrity_check({MAX_PROBLEMS})"):
        if message != "ok":
            yield f"SQLite finds: {message}"
    for table, row, parent, _ in database.rows("PRAGMA foreign_key_check")[:MAX_PROBLEMS]:
        yield f"row {row} of {table} speaks of a row of {parent} that is not there"
    yield from find_unguarded_tables(database)
    yield from find_wrong_facts(database, reader)


def find_unguarded_tables(database: SqliteDatabase) -> Iterator[str]:
    triggers = {name for (name,) in database.rows("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    for table in sorted(tables_of(database)):
        if not {f"{table}_update", f"{table}_delete"} <= triggers:
            yield f"the table {table} is not guarded against changes"


def export_facts(database: SqliteDatabase) -> Iterator[tuple[str, Mapping[str, object]]]:
    """(table, row) of every fact, table by table, in the order in which they were recorded."""
    for table in tables_of(database):
        columns = [name for (name,) in database.rows(f"SELECT name FROM pragma_table_info('{table}')")]  # noqa: S608 - a constant
        sql = f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - a constant
        for page in database.pages(sql, size=EXPORT_PAGE):
            for _, *row in page:
                yield table, {name: as_plain(value, name) for name, value in zip(columns, row, strict=True)}
