"""Checks a ledger in PostgreSQL as a whole, and exports its facts, by short queries. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from notifyctl.errors import LedgerError
from notifyctl.ledger.database import Row
from notifyctl.ledger.facts import FACTS
from notifyctl.ledger.integrity import MAX_PROBLEMS, as_plain, find_wrong_facts
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.reader import Reader

EXPORT_PAGE = 64
ORDERS: Mapping[str, tuple[str, ...]] = {
    "meta": ("one",),
    "run": ("epoch",),
    "run_end": ("epoch",),
    "opening": ("scope", "part"),
    "batch": ("number",),
    "attempt": ("batch", "attempt"),
    "origin": ("epoch",),
    "served": ("statement", "part", "scope"),
    "plan_use": ("plan",),
    "identity_rules": ("version",),
    "actor": ("epoch",),
    "test": ("number",),
    "test_result": ("test",),
}
"""The unique columns by which a table is read page by page, where it is not `id`."""
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
GUARDED = (
    "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgfoid = to_regproc('refuse_change') AND tgenabled = 'O'"
    " GROUP BY 1 HAVING count(*) >= 2"
)
UNCLAIMED = (
    "SELECT DISTINCT outcome.batch FROM outcome JOIN batch ON batch.number = outcome.batch WHERE kind = 'accepted'"
    " AND NOT EXISTS (SELECT 1 FROM claim WHERE claim.scope = batch.scope AND claim.recipient = substring(members FROM 1 FOR 16))"
    " ORDER BY 1 LIMIT ?"
)


def find_problems(database: PostgresDatabase, reader: Reader) -> Iterator[str]:
    """Everything that is wrong with the ledger, as sentences; the last one says what could not be read any further."""
    try:
        yield from find_unguarded_tables(database)
        for (number,) in database.rows(UNCLAIMED, MAX_PROBLEMS):
            yield f"batch {number} was accepted, but its recipients are not claimed: another batch could be sent to them"
        yield from find_wrong_facts(database, reader)
    except LedgerError as error:
        yield error.message


def find_unguarded_tables(database: PostgresDatabase) -> Iterator[str]:
    guarded = {table for (table,) in database.rows(GUARDED)}
    for table in sorted(set(FACTS) - guarded):
        yield f"the table {table} is not guarded against changes"


def export_facts(database: PostgresDatabase) -> Iterator[tuple[str, Mapping[str, object]]]:
    """(table, row) of every fact, table by table, in the order in which they were recorded."""
    for table in FACTS:
        columns = [name for (name,) in database.rows(COLUMNS, table)]
        for page in pages(database, table, columns):
            for row in page:
                yield table, {name: as_plain(value, name) for name, value in zip(columns, row, strict=True)}


def pages(database: PostgresDatabase, table: str, columns: Sequence[str]) -> Iterator[list[Row]]:
    """The rows of a table, a page at a time, each by a query of its own."""
    order = ORDERS.get(table, ("id",))
    keys, marks = ", ".join(order), ", ".join("?" * len(order))
    select = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - our own names
    places = [columns.index(key) for key in order]
    page = database.rows(f"{select} ORDER BY {keys} LIMIT ?", EXPORT_PAGE)
    while page:
        yield page
        last = [page[-1][place] for place in places]
        page = database.rows(
            f"{select} WHERE ({keys}) > ({marks}) ORDER BY {keys} LIMIT ?", *last, EXPORT_PAGE
        )
