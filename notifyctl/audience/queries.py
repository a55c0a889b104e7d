"""The rows of a query as a table. Each query is one SELECT that only reads, within bounds of time and memory.

Rows are numbered from 1 in the order in which they come: the query's own `order by` fixes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from typing import Any, Protocol

from msgspec import Struct

from notifyctl.audience.cell_values import chunks_of_rows, text_column
from notifyctl.audience.compression import TableError
from notifyctl.audience.engine import quote_name
from notifyctl.audience.readers import CHUNK, Cells, Chunk, FlawedColumn, check_header

PATIENCE = 60.0
"""Seconds that a query may take until its next rows come."""
MAX_ROWS = 50_000_000

Values = Sequence[Any]


class Fetch(Protocol):
    """The names of all columns, then the rows: of the columns `names` alone, in the order of the header; by default all."""

    def __call__(self, names: Collection[str] | None = None) -> Iterator[Values]: ...


class QueryTable(Struct, frozen=True):
    """Implements readers.Table. Each pass runs the query again."""

    header: Sequence[str]
    fetch: Fetch

    def _rows(self, names: Collection[str] | None) -> Iterator[tuple[int, Values, int]]:
        with closing(self.fetch(names)) as rows:  # type: ignore[type-var]
            next(rows)
            for number, row in enumerate(rows, start=1):
                if number > MAX_ROWS:
                    raise TableError(f"it gives more than {MAX_ROWS:,} rows; does the query end?")
                yield number, row, sum(len(value) for value in row if isinstance(value, str | bytes))

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for number, row, _ in self._rows(None):
            read = text_column(row, strip=True)
            cells = read.cells if isinstance(read, FlawedColumn) else read
            yield number, dict(zip(self.header, cells, strict=True))

    def chunks(self, size: int = CHUNK, names: Collection[str] | None = None) -> Iterator[Chunk]:
        taken = [name for name in self.header if names is None or name in names]
        places = {name: at for at, name in enumerate(taken)}

        def get(row: Values, name: str) -> Any:
            return row[places[name]] if name in places else None

        return chunks_of_rows(self._rows(taken), get, size)


def open_query(fetch: Fetch) -> QueryTable:
    """Raises TableError when the query cannot be run."""
    with closing(fetch()) as rows:  # type: ignore[type-var]
        header = check_header([str(name) for name in next(rows)])
    return QueryTable(header, fetch)


def pick(header: Sequence[str], names: Collection[str] | None, rows: Iterator[Values]) -> Iterator[Values]:
    """The values of some columns, of rows with all of them."""
    at = [position for position, name in enumerate(header) if names is None or name in names]
    if len(at) == len(header):
        return rows
    if len(at) == 1:
        return ((row[at[0]],) for row in rows)
    return map(itemgetter(*at), rows) if at else (() for _ in rows)


def select_all(table: str) -> str:
    return f"SELECT * FROM {quote_name(table)}"  # noqa: S608 - a quoted name
