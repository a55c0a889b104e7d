"""Copies every record of a SQLite ledger into a database without one, and compares both before anything counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256

from msgspec import Struct

from notifyctl.errors import LedgerError
from notifyctl.ledger.database import Row
from notifyctl.ledger.facts import FACTS
from notifyctl.ledger.postgresql import integrity, timeline
from notifyctl.ledger.postgresql.database import PostgresDatabase, clean
from notifyctl.ledger.reader import Identity, Reader
from notifyctl.ledger.sqlite.database import SqliteDatabase
from notifyctl.ledger.writer import stamp

PAGE = 256
"""Rows read at a time: 7 MB of batches of 1,000."""
SUM_BYTES = 32

COLUMNS = (
    "SELECT attname, format_type(atttypid, NULL), attidentity <> '' FROM pg_attribute"
    " WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
UNLIMITED = ("idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout")
CLAIM_ATTEMPTED = (
    "INSERT INTO claim (scope, batch, recipient)"
    " SELECT scope, max(number), substring(members FROM place FOR 16)"
    " FROM batch CROSS JOIN LATERAL generate_series(1, length(members), 28) AS place"
    " WHERE EXISTS (SELECT 1 FROM attempt WHERE attempt.batch = batch.number)"
    " GROUP BY scope, substring(members FROM place FOR 16)"
)
"""As ARM would have: a person belongs to the last batch that was begun with them in it."""


class Table(Struct, frozen=True):
    """A table of both. `columns` are those of SQLite; `times`: the places of those that are times in PostgreSQL."""

    name: str
    columns: tuple[str, ...]
    times: frozenset[int]
    numbered: bool
    """Whether PostgreSQL numbers its rows."""


class Sum(Struct):
    """Rows, and a sum over them that does not depend on their order."""

    rows: int = 0
    value: int = 0

    def add(self, row: Sequence[object], times: frozenset[int]) -> None:
        plain = [as_text(value, is_time=place in times) for place, value in enumerate(row)]
        digest = sha256(json.dumps(plain).encode()).digest()
        self.rows += 1
        self.value = (self.value + int.from_bytes(digest)) % (1 << (8 * SUM_BYTES))


def as_text(value: object, *, is_time: bool) -> object:
    if is_time and isinstance(value, str):
        return stamp(datetime.fromisoformat(value))
    return value.hex() if isinstance(value, bytes) else clean(value)


def copy_facts(
    source: SqliteDatabase, target: PostgresDatabase, *, identity: Identity, name: str, at: datetime
) -> int:
    """Copies all records within the transaction that the caller has open, and returns their number. `name`: project/environment.

    The last run of the source, which hands it over, ends here. Raises LedgerError if what was copied is not what was read.
    """
    lift_limits(target)
    total = 0
    for table in tables(source, target):
        read = copy_table(source, target, table, name)
        if table.numbered:
            # The next row gets the next number, as the last one in SQLite had it.
            highest = f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}"  # noqa: S608 - our own table names
            target.rows(f"SELECT setval(pg_get_serial_sequence(?, 'id'), ({highest}), false)", table.name)
        refuse_difference(table, read, sum_of(target_rows(target, table), table.times))
        total += read.rows
    target.run(CLAIM_ATTEMPTED)
    epoch = target.number("SELECT max(epoch) FROM run")
    target.run("INSERT INTO run_end (epoch, ended_at, how) VALUES (?, ?, 'copied')", epoch, stamp(at))
    timeline.adopt(target.connection, epoch=epoch, at=at.astimezone(UTC))
    for problem in integrity.find_problems(target, Reader(target, identity)):
        raise LedgerError(f"the copy has a problem, and was not kept: {problem}")
    return total


def lift_limits(target: PostgresDatabase) -> None:
    """A copy may take minutes. Nobody else uses its tables meanwhile."""
    for (setting,) in target.rows("SELECT name FROM pg_settings WHERE name = ANY (?)", list(UNLIMITED)):
        target.run(f"SET LOCAL {setting} = 0")


def tables(source: SqliteDatabase, target: PostgresDatabase) -> Iterator[Table]:
    for name in FACTS:
        columns = tuple(column for (column,) in source.rows(f"SELECT name FROM pragma_table_info('{name}')"))  # noqa: S608 - a constant
        types = {column: (kind, numbered) for column, kind, numbered in target.rows(COLUMNS, name)}
        times = {place for place, column in enumerate(columns) if types[column][0].startswith("timestamp")}
        yield Table(name, columns, frozenset(times), any(numbered for _, numbered in types.values()))


def copy_table(source: SqliteDatabase, target: PostgresDatabase, table: Table, name: str) -> Sum:
    """Copies a table, and sums up what was read."""
    read = Sum()
    more = (name,) if table.name == "meta" else ()
    columns = ", ".join((*table.columns, *(["name"] if more else [])))
    with target.copying(f"COPY {table.name} ({columns}) FROM STDIN") as write:
        for row in source_rows(source, table):
            read.add(row, table.times)
            write([*map(clean, row), *more])
    return read


def source_rows(source: SqliteDatabase, table: Table) -> Iterator[Row]:
    sql = f"SELECT rowid, {', '.join(table.columns)} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - our own names
    for page in source.pages(sql, size=PAGE):
        for _, *row in page:
            yield tuple(row)


def target_rows(target: PostgresDatabase, table: Table) -> Iterator[Row]:
    for page in integrity.pages(target, table.name, table.columns):
        yield from page


def sum_of(rows: Iterable[Row], times: frozenset[int]) -> Sum:
    total = Sum()
    for row in rows:
        total.add(row, times)
    return total


def refuse_difference(table: Table, read: Sum, written: Sum) -> None:
    if (read.rows, read.value) != (written.rows, written.value):
        raise LedgerError(
            f"the copy of the table {table.name} differs from the ledger ({read.rows:,} rows read, {written.rows:,} found);"
            " it was not kept",
            hint="run the command again; if it happens again, report it",
        )
