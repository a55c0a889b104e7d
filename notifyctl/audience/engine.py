"""The columnar engine: DuckDB, fenced in. The only module that opens it; imported only where it is used.

It reads the files it is told of at its opening and no other, loads no extension, keeps to a memory cap, and spills into a
folder of its own, for this user only, that is gone when the engine is closed. What it may do cannot be widened once it is
open.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEFAULT_MEMORY = 1050 << 20
"""Bytes that the engine may hold; what is more is spilled."""
MAX_SPILL = 64 << 30
"""Bytes in the spill folder."""

Row = tuple[Any, ...]
T = TypeVar("T")
ATTACHED = "source"


class EngineError(Exception):
    """A query that the engine refuses, or that is too long or too large for it. The message is a sentence."""


class Engine:
    """An empty database in memory. `readable`: real paths that queries may read. `database`: that of a DuckDB file, which is
    opened for reading, and whose tables are at hand by their names.

    A context manager; an engine that nobody closes is closed when the last that reads from it is gone.
    """

    def __init__(
        self,
        *,
        readable: Sequence[str] = (),
        database: str | None = None,
        memory: int | None = None,
        threads: int | None = None,
        spill: bool = True,
    ) -> None:
        """Raises EngineError when `database` is none. Without `spill` what is too large for the memory ends the query."""
        import duckdb

        folder = tempfile.mkdtemp(prefix="notifyctl-") if spill else ""
        # Before it begins: a process whose memory is bounded has no room for what it would begin with.
        memory = memory or DEFAULT_MEMORY
        started: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads or count_cores(),
            "memory_limit": f"{memory}B",
            "temp_directory": folder,
        }
        self._connection: DuckDBPyConnection = duckdb.connect(":memory:", config=started)
        self.close = weakref.finalize(self, close_engine, self._connection, folder)
        settings = {
            **({"max_temp_directory_size": f"{MAX_SPILL}B"} if spill else {}),
            "allow_community_extensions": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "allowed_paths": list(readable),
            "enable_external_access": False,
            "lock_configuration": True,
        }
        self._database = database
        if database is not None:
            try:
                self._connection.execute(f"ATTACH {literal(database)} AS {ATTACHED} (TYPE duckdb, READ_ONLY)")
            except duckdb.Error as error:
                self.close()
                raise EngineError(first_line(error)) from error
        for name, value in settings.items():
            self._connection.execute(f"SET {name} = {literal(value)}")

    def rows(self, sql: str) -> list[Row]:
        return self._connection.execute(sql).fetchall()

    def texts(self, select: str, size: int, *, seconds: float) -> Iterator[Sequence[str | None]]:
        """A query that is not ours: the names of its columns, then its rows as texts, `size` fetched at a time, each time
        within so many seconds. Raises EngineError.
        """
        select = select.strip().rstrip(";")
        refuse_more_than_select(select)
        cursor = self._connection.cursor()
        limited = partial(run_limited, cursor, seconds, "the query takes too long")
        try:
            if self._database is not None:
                limited(lambda: cursor.execute(f"USE {ATTACHED}"))
            described = limited(lambda: cursor.execute(f"SELECT * FROM ({select}\n) LIMIT 0").description)
            names = [column[0] for column in described]
            listed = ", ".join(f"{quote_name(name)}::VARCHAR" for name in names)
            yield names
            limited(lambda: cursor.execute(f"SELECT {listed} FROM ({select}\n)"))
            while found := limited(lambda: cursor.fetchmany(size)):
                yield from found
        finally:
            cursor.close()

    def syntax(self, sql: str) -> dict[str, Any]:
        """The tree of SELECT statements. Raises EngineError with the parser's word."""
        [text] = self._call("SELECT json_serialize_sql(?)", sql)
        tree = json.loads(str(text))
        if tree["error"]:
            raise EngineError(tree["error_message"])
        assert isinstance(tree, dict)
        return tree

    def text(self, tree: Mapping[str, Any]) -> str:
        """The statements of a tree."""
        [text] = self._call("SELECT json_deserialize_sql(?::JSON)", json.dumps(tree))
        return str(text)

    def _call(self, sql: str, given: str) -> Row:
        import duckdb

        try:
            [row] = self._connection.execute(sql, [given]).fetchall()
        except duckdb.Error as error:
            raise EngineError(first_line(error)) from error
        return tuple(row)

    def matching(
        self,
        test: str,
        names: Sequence[str],
        columns: Sequence[Sequence[str | None]],
        *,
        count: int,
        seconds: float,
    ) -> set[int]:
        """The positions of the rows that pass, out of `count` rows in columns by `names`. Raises EngineError."""
        listed = "".join(
            f", unnest(${at}::VARCHAR[]) AS {quote_name(name)}" for at, name in enumerate(names, start=2)
        )
        row = "row" + "_" * max(map(len, names), default=0)  # longer than any name, and so none of them
        query = f"SELECT {row} FROM (SELECT unnest(range($1)) AS {row}{listed}) AS people WHERE {test}"
        return run_limited(
            self._connection,
            seconds,
            "the expression takes too long",
            lambda: {at for (at,) in self._connection.execute(query, [count, *columns]).fetchall()},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_limited(connection: DuckDBPyConnection, seconds: float, late: str, query: Callable[[], T]) -> T:
    """What a query on a connection returns, which is interrupted after so many seconds, and by Ctrl-C.

    It runs on a thread of its own: DuckDB does not always notice a signal while it works on the main thread. Raises
    EngineError, with `late` as its message when the time is up.
    """
    import duckdb

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(query)
        try:
            return running.result(seconds)
        except TimeoutError as error:
            raise EngineError(late) from error
        except duckdb.Error as error:
            raise EngineError(first_line(error)) from error
        finally:
            while not running.done():  # an interrupt before the query begins does nothing
                connection.interrupt()
                wait([running], 0.1)


def refuse_more_than_select(sql: str) -> None:
    """Raises EngineError for what is not one SELECT, or calls itself."""
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise EngineError(first_line(error)) from error
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise EngineError("it is not one SELECT, and nothing else is run")
    with duckdb.connect(":memory:") as connection:
        found = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    if found is None or '"RECURSIVE_CTE_NODE"' in found[0]:
        raise EngineError("it calls itself, and might never end")


def first_line(error: Exception) -> str:
    """What the library says, without the kind of error before it and what it guesses below it."""
    text = str(error).strip().partition("\n")[0]
    kind, colon, rest = text.partition(" Error: ")
    return rest if colon and kind.replace(" ", "").isalpha() else text


def close_engine(connection: DuckDBPyConnection, spill: str) -> None:
    connection.close()
    if spill:
        shutil.rmtree(spill, ignore_errors=True)


def count_cores() -> int:
    """Processors that this process may use: a container's share, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def literal(value: object) -> str:
    """A value as SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'
