"""Reads audiences from DuckDB files, by DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from notifyctl.audience.compression import TableError
from notifyctl.audience.queries import PATIENCE, QueryTable, Values, open_query
from notifyctl.audience.readers import CHUNK


def open_duckdb(path: str, select: str) -> QueryTable:
    from notifyctl.audience.engine import EngineError
    from notifyctl.audience.sql_guard import check_query

    try:
        check_query(select, path)
    except EngineError as error:
        raise TableError(str(error)) from error
    return open_query(partial(query_duckdb, select, database=path))


def query_duckdb(
    select: str, *, database: str | None = None, readable: Sequence[str] = ()
) -> Iterator[Values]:
    from notifyctl.audience.engine import Engine, EngineError

    try:
        with Engine(readable=readable, database=database) as engine:
            yield from engine.texts(select, CHUNK, seconds=PATIENCE)
    except EngineError as error:
        raise TableError(str(error)) from error
