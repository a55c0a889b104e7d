"""Reads audiences from PostgreSQL, by psycopg: a portion at a time, in a transaction that only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from notifyctl.audience.compression import TableError
from notifyctl.audience.queries import PATIENCE, QueryTable, Values, open_query
from notifyctl.audience.readers import CHUNK

LIGHT = 1 << 20
"""Characters of a portion after which more rows are fetched at a time."""


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
