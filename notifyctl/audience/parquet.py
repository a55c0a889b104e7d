"""Reads audiences from Parquet files, by DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from notifyctl.audience.duckdb import query_duckdb
from notifyctl.audience.queries import QueryTable, open_query


def open_parquet(paths: Sequence[str]) -> QueryTable:
    """One table after the other, columns told apart by their names."""
    from notifyctl.audience.engine import literal

    select = f"SELECT * FROM read_parquet({literal(list(paths))}, union_by_name = true)"  # noqa: S608 - literals
    return open_query(partial(query_duckdb, select, readable=tuple(paths)))
