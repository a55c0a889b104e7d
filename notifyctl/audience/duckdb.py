"""Reads audiences from DuckDB files, by DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from notifyctl.audience.cell_values import NEITHER, NoText, finite, json_value
from notifyctl.audience.compression import TableError
from notifyctl.audience.queries import PATIENCE, QueryTable, Values, open_query
from notifyctl.audience.readers import CHUNK

NESTED = frozenset({"list", "array", "struct", "map", "union", "blob", "variant"})
"""Kinds of types whose values are no text. The engine writes them as a text all the same."""
MEASURED = frozenset(
    {
        "float",
        "double",
        "date",
        "timestamp",
        "timestamp_s",
        "timestamp_ms",
        "timestamp_ns",
        "timestamp with time zone",
    }
)
"""Kinds of types with infinity, some also with NaN."""


def open_duckdb(path: str, select: str) -> QueryTable:
    from notifyctl.audience.engine import EngineError
    from notifyctl.audience.sql_guard import check_query

    try:
        check_query(select, path)
    except EngineError as error:
        raise TableError(str(error)) from error
    return open_query(partial(query_duckdb, select, database=path))


def query_duckdb(
    select: str,
    names: Collection[str] | None = None,
    *,
    database: str | None = None,
    readable: Sequence[str] = (),
) -> Iterator[Values]:
    from notifyctl.audience.engine import Engine, EngineError

    try:
        with Engine(readable=readable, database=database) as engine:
            columns, rows = engine.texts(select, CHUNK, seconds=PATIENCE, names=names)
            yield [column.name for column in columns]
            taken = [column for column in columns if names is None or column.name in names]
            convert = {
                at: made for at, column in enumerate(taken) if (made := converter(column.kind, column.type))
            }
            for row in rows:
                yield (
                    row
                    if not convert
                    else [
                        value if value is None or at not in convert else convert[at](value)
                        for at, value in enumerate(row)
                    ]
                )
    except EngineError as error:
        raise TableError(str(error)) from error


def converter(kind: str, name: str) -> Callable[[str], object] | None:
    """What to make of the texts of a column by its type; None for texts, which stay as they are."""
    if kind in NESTED:
        return lambda _: NoText(NEITHER)
    if name == "JSON":
        return json_value
    return finite if kind in MEASURED else None
