"""Reads audiences from PostgreSQL, by psycopg: a portion at a time, in a transaction that only reads.

Values are the texts that the server writes: times in UTC, whatever the zone of this machine, of the server or of its user is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from notifyctl.audience.cell_values import NEITHER, NoText, finite, json_value
from notifyctl.audience.compression import TableError
from notifyctl.audience.queries import PATIENCE, QueryTable, Values, open_query, pick
from notifyctl.audience.readers import CHUNK

if TYPE_CHECKING:
    from psycopg import Connection

LIGHT = 1 << 20
"""Characters of a portion after which more rows are fetched at a time."""
SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}
"""What decides how the server writes values. Set in the session: environment variables, the URL and roles have their own."""
ARRAY, COMPOSITE, PSEUDO = "A", "C", "P"
"""Categories of types in `pg_type`."""
BOOL, BYTEA, JSON, JSONB = 16, 17, 114, 3802
MEASURED = frozenset({700, 701, 1700, 1082, 1114, 1184, 1186})
"""Object ids of the types with infinity, some also with NaN: float4, float8, numeric, date, timestamp, timestamptz, interval."""
Convert = Callable[[str], object]


def open_postgres(url: str, select: str) -> QueryTable:
    return open_query(partial(query_postgres, url, select))


def query_postgres(url: str, select: str, names: Collection[str] | None = None) -> Iterator[Values]:
    """In a read-only transaction with a cursor on the server. No message holds the URL."""
    try:
        import psycopg
    except ImportError as error:
        raise TableError("reading PostgreSQL needs a library: pip install 'notifyctl[postgres]'") from error

    options = f"-c default_transaction_read_only=on -c statement_timeout={PATIENCE:.0f}s"
    try:
        connection = psycopg.connect(
            url, connect_timeout=10, options=options, application_name="notifyctl", client_encoding="utf-8"
        )
    except psycopg.OperationalError as error:
        raise TableError(f"the database cannot be reached: {first_line(error)}") from error
    except psycopg.Error as error:
        raise TableError("invalid database URL; use postgresql://USER@HOST/DATABASE") from error
    try:
        take_texts(connection)
        with connection, connection.cursor("notifyctl") as cursor:
            settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SESSION.items())
            connection.execute(f"SELECT {settings}".encode())
            # With parameters, even none, the server takes one statement only; so a percent sign is written twice.
            cursor.execute(select.replace("%", "%%").encode(), ())
            header = [column.name for column in cursor.description or ()]
            types = [column.type_code for column in cursor.description or ()]
            yield header
            taken = [at for at, name in enumerate(header) if names is None or name in names]
            made = converters(connection, [types[at] for at in taken])
            for row in pick(header, names, fetch_in_portions(cursor.fetchmany)):
                yield (
                    row
                    if not made
                    else [
                        value if value is None or at not in made else made[at](value)
                        for at, value in enumerate(row)
                    ]
                )
    except psycopg.Error as error:
        raise TableError(f"the query failed: {first_line(error)}") from error


def take_texts(connection: Connection[Any]) -> None:
    """Has every value handed out as the text that the server sends."""
    from psycopg.abc import Buffer
    from psycopg.adapt import Loader
    from psycopg.types.string import TextLoader

    class EscapingLoader(Loader):
        """A server that knows no encoding sends what it has: what is no UTF-8 becomes surrogates, for its column to tell."""

        def load(self, data: Buffer) -> str:
            return bytes(data).decode("utf-8", "surrogateescape")

    unknown = connection.info.parameter_status("server_encoding") == "SQL_ASCII"
    loader: type[Loader] = EscapingLoader if unknown else TextLoader
    connection.adapters.register_loader(0, loader)  # types that psycopg does not know
    for known in connection.adapters.types:
        for number in filter(None, (known.oid, known.array_oid)):
            connection.adapters.register_loader(number, loader)


def converters(connection: Connection[Any], types: Sequence[int]) -> dict[int, Convert]:
    """What to make of the texts of columns by the object ids of their types; nothing for texts, which stay as they are."""
    found = connection.execute(
        "SELECT oid, typcategory FROM pg_catalog.pg_type WHERE oid = ANY(%s)", [list(set(types))]
    ).fetchall()
    nested = {int(number) for number, category in found if category in {ARRAY, COMPOSITE, PSEUDO}}
    made: dict[int, Convert] = {}
    for at, number in enumerate(types):
        if number == BYTEA or number in nested:
            made[at] = lambda _: NoText(NEITHER)
        elif number == BOOL:
            made[at] = {"t": "true", "f": "false"}.__getitem__
        elif number in {JSON, JSONB}:
            made[at] = json_value
        elif number in MEASURED:
            made[at] = finite
    return made


def fetch_in_portions(fetch: Callable[[int], Sequence[Values]]) -> Iterator[Values]:
    """The rows that `fetch` gives, so many at a time that they are no burden together."""
    size = 1
    while rows := fetch(size):
        yield from rows
        weight = sum(len(value) for row in rows for value in row if isinstance(value, str | bytes))
        size = min(size * 2, CHUNK) if weight < LIGHT else max(size // 2, 1)


def first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
