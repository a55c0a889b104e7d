"""The rows of a query as a table. Each query is one SELECT that only reads, within bounds of time and memory.

Rows are numbered from 1 in the order in which they come: the query's own `order by` fixes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from msgspec import Struct

from notifyctl.audience.compression import TableError
from notifyctl.audience.engine import quote_name
from notifyctl.audience.readers import CHUNK, MAX_FIELD, Cells, Chunk, cell_text, check_header, chunks_of_rows

PATIENCE = 60.0
"""Seconds that a query may take until its next rows come."""
MAX_ROWS = 50_000_000

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
