"""Databases and Parquet files as rows: each query is one SELECT that only reads, within bounds of time and memory.

SQLite files are read by the standard library, DuckDB and Parquet files by the columnar engine, PostgreSQL by its own library, a
chunk at a time. Rows are numbered from 1 in the order in which they come: it is the query's own `order by` that fixes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from notifyctl.audience.compression import TableError
from notifyctl.audience.readers import (
    CHUNK,
    MAX_COLUMNS,
    MAX_FIELD,
    Cells,
    Chunk,
    cell_text,
    check_header,
    chunks_of_rows,
)
from notifyctl.deadline import Deadline

PATIENCE = 60.0
"""Seconds that a query may take until its next rows come."""
MAX_ROWS = 50_000_000
MAX_HEAP = 512 << 20
"""Bytes that SQLite may hold in this process."""
LIGHT = 1 << 20
"""Characters of a portion after which more rows are fetched at a time."""
STEPS = 100_000
"""SQLite's virtual machine steps between two looks at the clock: a few milliseconds."""

Values = Sequence[Any]
Fetch = Callable[[], Iterator[Values]]
"""The names of the columns, then the rows."""


class QueryTable(Struct, frozen=True):
    """Implements readers.Table. Each pass runs the query again."""

    header: Sequence[str]
    fetch: Fetch

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        with closing(self.fetch()) as rows:  # type: ignore[type-var]
            next(rows)
            for number, row in enumerate(rows, start=1):
                if number > MAX_ROWS:
                    raise TableError(f"it gives more than {MAX_ROWS:,} rows; does the query end?")
                yield number, to_cells(self.header, row)

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        return chunks_of_rows(self.cells(), size)


def to_cells(header: Sequence[str], row: Values) -> Cells | str:
    cells: dict[str, str | None] = {}
    for name, value in zip(header, row, strict=True):
        if isinstance(value, bytes | list | dict | tuple):
            return f"{name!r} is neither a text nor a number"
        text = cell_text(value)
        if text is not None:
            if "\0" in text:
                return "the row holds a NUL character"
            if len(text) > MAX_FIELD:
                return f"{name!r} has {len(text):,} characters; {MAX_FIELD:,} are allowed"
            text = text.strip() or None
        cells[name] = text
    return cells


def open_query(fetch: Fetch) -> QueryTable:
    """Raises TableError when the query cannot be run."""
    with closing(fetch()) as rows:  # type: ignore[type-var]
        header = check_header([str(name) for name in next(rows)])
    return QueryTable(header, fetch)


def select_all(table: str) -> str:
    return f"SELECT * FROM {quote_name(table)}"  # noqa: S608 - a quoted name


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# SQLite

READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def open_sqlite(path: str, select: str) -> QueryTable:
    return open_query(partial(query_sqlite, path, select))


def query_sqlite(path: str, select: str) -> Iterator[Values]:
    """Reads alone: whatever else a statement would do is refused by SQLite's authoriser, recursion too."""
    patience = Deadline(PATIENCE)
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute(f"PRAGMA hard_heap_limit = {MAX_HEAP}")
            database.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MAX_COLUMNS)
            database.text_factory = partial(str, encoding="utf-8", errors="replace")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MAX_FIELD)
            database.set_authorizer(authorize_reads)
            database.set_progress_handler(lambda: not patience.remaining, STEPS)
            cursor = database.execute(select)
            if cursor.description is None:
                raise TableError("it is no query")
            yield [column[0] for column in cursor.description]
            # One by one: a row may hold megabytes.
            for number, row in enumerate(cursor):
                yield row
                if number % CHUNK == 0:
                    patience.restart()
                elif not patience.remaining:  # steps are few where each takes long
                    raise TableError("the query takes too long")
    except MemoryError as error:
        raise TableError("the query needs too much memory") from error
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise TableError(
            describe_sqlite_error(error) if patience.remaining else "the query takes too long"
        ) from error


def authorize_reads(action: int, _: str | None, second: str | None, *__: Any) -> int:
    allowed = action in READING and (second or "").lower() != "load_extension"
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def describe_sqlite_error(error: Exception) -> str:
    text = str(error)
    if "not authorized" in text or "prohibited" in text:
        return f"a query may read tables and views, and do nothing else: {text}"
    return text


# DuckDB and Parquet


def open_duckdb(path: str, select: str) -> QueryTable:
    from notifyctl.audience.engine import EngineError
    from notifyctl.audience.sql_guard import check_query

    try:
        check_query(select, path)
    except EngineError as error:
        raise TableError(str(error)) from error
    return open_query(partial(query_duckdb, select, database=path))


def open_parquet(paths: Sequence[str]) -> QueryTable:
    """One table after the other, columns told apart by their names."""
    from notifyctl.audience.engine import literal

    select = f"SELECT * FROM read_parquet({literal(list(paths))}, union_by_name = true)"  # noqa: S608 - literals
    return open_query(partial(query_duckdb, select, readable=tuple(paths)))


def query_duckdb(
    select: str, *, database: str | None = None, readable: Sequence[str] = ()
) -> Iterator[Values]:
    from notifyctl.audience.engine import Engine, EngineError

    try:
        with Engine(readable=readable, database=database) as engine:
            yield from engine.texts(select, CHUNK, seconds=PATIENCE)
    except EngineError as error:
        raise TableError(str(error)) from error


# PostgreSQL


def open_postgres(url: str, select: str) -> QueryTable:
    return open_query(partial(query_postgres, url, select))


def query_postgres(url: str, select: str) -> Iterator[Values]:
    """In a read-only transaction with a cursor on the server. No message holds the URL."""
    try:
        import psycopg
    except ImportError as error:
        raise TableError("reading PostgreSQL needs a library: pip install 'notifyctl[postgres]'") from error

    options = f"-c default_transaction_read_only=on -c statement_timeout={PATIENCE:.0f}s"
    try:
        connection = psycopg.connect(url, connect_timeout=10, options=options, application_name="notifyctl")
    except psycopg.OperationalError as error:
        raise TableError(f"the database cannot be reached: {first_line(error)}") from error
    except psycopg.Error as error:
        raise TableError("the database's URL is none: postgresql://USER@HOST/DATABASE") from error
    try:
        with connection, connection.cursor("notifyctl") as cursor:
            # With parameters, even none, the server takes one statement only; so a percent sign is written twice.
            cursor.execute(select.replace("%", "%%").encode(), ())
            yield [column.name for column in cursor.description or ()]
            yield from fetch_in_portions(cursor.fetchmany)
    except psycopg.Error as error:
        raise TableError(f"the query failed: {first_line(error)}") from error


def fetch_in_portions(fetch: Callable[[int], Sequence[Values]]) -> Iterator[Values]:
    """The rows that `fetch` gives, so many at a time that they are no burden together."""
    size = 1
    while rows := fetch(size):
        yield from rows
        weight = sum(len(value) for row in rows for value in row if isinstance(value, str | bytes))
        size = min(size * 2, CHUNK) if weight < LIGHT else max(size // 2, 1)


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
