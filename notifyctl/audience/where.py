"""`where`: one boolean SQL expression over an audience's columns, evaluated by SQLite in memory, fenced in.

Every column is text. The expression can read the columns of its row and call SQLite's pure functions; it can reach no
file, no other table and no statement, and it cannot run for long.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

Cells = Mapping[str, str | None]
Numbered = tuple[int, Cells | str]
Filter = Callable[[Iterator[Numbered]], Iterator[Numbered]]

CHUNK = 1000
MAX_LENGTH = 8 << 20
"""Bytes of a text inside of an expression, which `replace` and `hex` can make long; a cell has at most half of it."""
STEPS_PER_CHUNK = 200  # times 10,000 virtual machine steps: about a second for a thousand rows
FUNCTIONS = frozenset(
    [
        "abs",
        "coalesce",
        "glob",
        "hex",
        "ifnull",
        "iif",
        "instr",
        "length",
        "like",
        "lower",
        "ltrim",
        "max",
        "min",
        "nullif",
        "replace",
        "round",
        "rtrim",
        "sign",
        "substr",
        "substring",
        "trim",
        "typeof",
        "unicode",
        "upper",
        "date",
        "time",
        "datetime",
        "julianday",
        "strftime",
        "unixepoch",
    ]
)


def authorise(action: int, first: str | None, second: str | None, *_: Any) -> int:
    allowed = {
        sqlite3.SQLITE_SELECT: True,
        sqlite3.SQLITE_READ: first == "people",
        sqlite3.SQLITE_FUNCTION: (second or "").lower() in FUNCTIONS,
    }
    return sqlite3.SQLITE_OK if allowed.get(action, False) else sqlite3.SQLITE_DENY


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def compile_where(expression: str, columns: Sequence[str]) -> Filter:
    """Raises ValueError with a sentence when the expression cannot be used; the filter does when it runs too long."""
    if ";" in expression or "--" in expression or "/*" in expression:
        raise ValueError("a `where` is one expression: no `;` and no comment")
    # The brackets keep an expression from ending the condition and adding clauses of its own.
    select = f"SELECT row_number FROM people WHERE (\n{expression}\n)"  # noqa: S608 - fenced by `authorise`
    with closing(table_of(columns)) as database:
        guarded(database, select)

    def run(rows: Iterator[Numbered]) -> Iterator[Numbered]:
        with closing(table_of(columns)) as database:
            while chunk := list(islice(rows, CHUNK)):
                fill(database, columns, chunk)
                kept = guarded(database, select)
                yield from (row for n, row in enumerate(chunk) if n in kept or isinstance(row[1], str))

    return run


def table_of(columns: Sequence[str]) -> sqlite3.Connection:
    """A database in memory with an empty table of the audience's columns."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_LENGTH)
    database.execute("PRAGMA case_sensitive_like = ON")
    listed = ", ".join(quoted(name) for name in columns)
    database.execute(f"CREATE TABLE people (row_number INTEGER, {listed})")
    return database


def fill(database: sqlite3.Connection, columns: Sequence[str], chunk: Sequence[Numbered]) -> None:
    """Put a chunk of rows in place of the last one; rows that cannot be read are left out."""
    marks = ", ".join("?" * (len(columns) + 1))
    rows = [(n, *map(cells.get, columns)) for n, (_, cells) in enumerate(chunk) if not isinstance(cells, str)]
    database.execute("DELETE FROM people")
    database.executemany(f"INSERT INTO people VALUES ({marks})", rows)  # noqa: S608 - question marks


def guarded(database: sqlite3.Connection, select: str) -> set[int]:
    """Run the expression over the rows in the table, with the authoriser on and a bound on its work."""
    left = STEPS_PER_CHUNK

    def tick() -> int:
        nonlocal left
        left -= 1
        return left < 0

    database.set_progress_handler(tick, 10_000)
    database.set_authorizer(authorise)
    try:
        return {number for (number,) in database.execute(select)}
    except sqlite3.OperationalError as error:
        if left < 0:
            raise ValueError("the expression takes too long") from error
        raise ValueError(str(error)) from error
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise ValueError(f"the expression is not allowed: {error}") from error
    finally:
        database.set_authorizer(None)
        database.set_progress_handler(None, 0)
