"""Reads audiences from SQLite files, by the standard library."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from notifyctl.audience.compression import TableError
from notifyctl.audience.queries import PATIENCE, QueryTable, Values, open_query
from notifyctl.audience.readers import CHUNK, MAX_COLUMNS, MAX_FIELD
from notifyctl.deadline import Deadline

MAX_HEAP = 512 << 20
"""Bytes that SQLite may hold in this process."""
STEPS = 100_000
"""SQLite's virtual machine steps between two looks at the clock: a few milliseconds."""
NUMBERED = re.compile(r":[0-9]+$")
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION}


def open_sqlite(path: str, select: str) -> QueryTable:
    return open_query(partial(query_sqlite, path, select))


def query_sqlite(path: str, select: str, names: Collection[str] | None = None) -> Iterator[Values]:
    """Reads alone: whatever else a statement would do is refused by SQLite's authoriser, recursion too."""
    patience = Deadline(PATIENCE)
    try:
        with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute(f"PRAGMA hard_heap_limit = {MAX_HEAP}")
            database.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MAX_COLUMNS)
            database.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 4 * MAX_FIELD)
            database.set_authorizer(authorize_reads)
            database.set_progress_handler(lambda: not patience.remaining, STEPS)
            query = f"({select.strip().rstrip(';')}\n)"
            every = f"SELECT * FROM {query} LIMIT 0"  # noqa: S608 - the author's own query, and read alone
            header = [column[0] for column in database.execute(every).description]
            yield unnumbered(header)
            taken = [quote_column(name) for name in header if names is None or name in names] or ["NULL"]
            # One by one: a row may hold megabytes, and in columns that nobody reads more than that.
            rows = database.execute(f"SELECT {', '.join(taken)} FROM {query}")  # noqa: S608 - as above
            for number, row in enumerate(rows):
                yield row
                if number % CHUNK == 0:
                    patience.restart()
                elif not patience.remaining:  # steps are few where each takes long
                    raise TableError("the query takes too long")
    except MemoryError as error:
        raise TableError("the query needs too much memory") from error
    except (sqlite3.Error, sqlite3.Warning) as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT and patience.remaining:
            raise KeyboardInterrupt from error  # Ctrl-C while the handler looked at the clock, which hides exceptions
        raise TableError(
            describe_sqlite_error(error) if patience.remaining else "the query takes too long"
        ) from error


def unnumbered(header: Sequence[str]) -> list[str]:
    """The names of columns as the query has them: SQLite makes `id:1` of the second `id`."""
    return [NUMBERED.sub("", name) if NUMBERED.sub("", name) in header else name for name in header]


def quote_column(name: str) -> str:
    """In backticks: what stands in double quotes and is no column is a text to SQLite."""
    return "`" + name.replace("`", "``") + "`"


def authorize_reads(action: int, _: str | None, second: str | None, *__: Any) -> int:
    allowed = action in READING and (second or "").lower() != "load_extension"
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def describe_sqlite_error(error: Exception) -> str:
    text = str(error)
    if "not authorized" in text or "prohibited" in text:
        return f"a query may read tables and views, and do nothing else: {text}"
    return text
