"""DuckDB with restricted access. The only module that opens it; imported on demand.

The engine reads only the files named when it is opened, loads no extensions, has a memory limit, and spills to a private
folder that is deleted on close. Its configuration is locked.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DEFAULT_MEMORY = 1050 << 20
"""Bytes of memory; larger intermediate results are spilled to disk."""
MAX_SPILL = 64 << 30
"""Limit of the spill folder in bytes."""

TIME_ZONE = "UTC"
"""In which times with a zone are written: the same on every machine, whatever its own zone is."""

Row = tuple[Any, ...]
T = TypeVar("T")
CLOSING_ATTEMPTS, CLOSING_PAUSE = 100, 0.05
"""How often, and at which interval in seconds, a busy connection is closed."""
ATTACHED = "source"


class EngineColumn(NamedTuple):
    """A column of a query: its name, the kind of its type, such as `list`, and the type in the engine's words."""

    name: str
    kind: str
    type: str


class EngineError(Exception):
    """A query that is refused, times out or exceeds the memory. The message is a sentence."""


class Engine:
    """An empty in-memory database. `readable`: real paths that queries can read. `database`: path of a DuckDB file, attached
    read-only, whose tables queries can use by name.

    A context manager. An engine that is not closed is closed when it is garbage-collected.
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
        """Raises EngineError if `database` cannot be opened. Without `spill`, exceeding the memory ends the query."""
        import duckdb

        folder = tempfile.mkdtemp(prefix="notifyctl-") if spill else ""
        # Set on connect: with its defaults, DuckDB may not start in a process with little memory.
        memory = memory or DEFAULT_MEMORY
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": threads or count_cores(),
            "memory_limit": f"{memory}B",
            "temp_directory": folder,
        }
        self._connection: DuckDBPyConnection = duckdb.connect(":memory:", config=config)
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
        # For every cursor, which is a session of its own.
        self._connection.execute(f"SET GLOBAL TimeZone = {literal(TIME_ZONE)}")
        self._database = database
        if database is not None:
            try:
                self._connection.execute(f"ATTACH {literal(database)} AS {ATTACHED} (TYPE duckdb, READ_ONLY)")
            except duckdb.Error as error:
                self.close()
                raise EngineError(first_line(error)) from error
        for name, value in settings.items():
            setting = f"SET {name} = {literal(value)}"
            interruptible(partial(self._connection.execute, setting))

    def rows(self, sql: str) -> list[Row]:
        return interruptible(lambda: self._connection.execute(sql).fetchall())

    def texts(
        self, select: str, size: int, *, seconds: float, names: Collection[str] | None = None
    ) -> tuple[list[EngineColumn], Iterator[Sequence[str | None]]]:
        """Runs a user's query. Returns all its columns, and rows of the columns `names` as strings, by default of all. Fetches
        `size` rows at a time, each within `seconds`. Raises EngineError.
        """
        select = select.strip().rstrip(";")
        refuse_more_than_select(select)
        cursor = self._connection.cursor()
        limited = partial(run_limited, cursor, seconds, "the query takes too long")
        try:
            if self._database is not None:
                limited(lambda: cursor.execute(f"USE {ATTACHED}"))
            described = limited(lambda: cursor.execute(f"SELECT * FROM ({select}\n) LIMIT 0").description)
        except BaseException:
            cursor.close()
            raise
        columns = [EngineColumn(name, kind.id, str(kind)) for name, kind, *_ in described]
        taken = [column for column in columns if names is None or column.name in names]
        listed = ", ".join(f"{quote_name(column.name)}::VARCHAR" for column in taken) or "NULL"

        def rows() -> Iterator[Sequence[str | None]]:
            try:
                limited(lambda: cursor.execute(f"SELECT {listed} FROM ({select}\n)"))
                while found := limited(lambda: cursor.fetchmany(size)):
                    yield from found
            finally:
                cursor.close()

        return columns, rows()

    def syntax(self, sql: str) -> dict[str, Any]:
        """Parses SELECT statements to a syntax tree. Raises EngineError with the parser's message."""
        [text] = self._call("SELECT json_serialize_sql(?)", sql)
        tree = json.loads(str(text))
        if tree["error"]:
            raise EngineError(tree["error_message"])
        assert isinstance(tree, dict)
        return tree

    def text(self, tree: Mapping[str, Any]) -> str:
        """Converts a syntax tree to SQL."""
        [text] = self._call("SELECT json_deserialize_sql(?::JSON)", json.dumps(tree))
        return str(text)

    def _call(self, sql: str, argument: str) -> Row:
        import duckdb

        try:
            [row] = interruptible(lambda: self._connection.execute(sql, [argument]).fetchall())
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
        """Returns the positions of the rows that pass `test`. `columns` are named by `names`, with `count` rows. Raises EngineError."""
        listed = "".join(
            f", unnest(${at}::VARCHAR[]) AS {quote_name(name)}" for at, name in enumerate(names, start=2)
        )
        row = "row" + "_" * max(map(len, names), default=0)  # longer than any name, so it cannot collide
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


def interruptible(query: Callable[[], T]) -> T:
    """Runs a short query on the main thread. Raises KeyboardInterrupt on Ctrl-C, for which DuckDB raises RuntimeError."""
    try:
        return query()
    except RuntimeError as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise


def run_limited(connection: DuckDBPyConnection, seconds: float, late: str, query: Callable[[], T]) -> T:
    """Returns the result of a query, which is interrupted after `seconds` and by Ctrl-C.

    Uses a separate thread, because DuckDB does not always notice signals on the main thread. Raises EngineError, with the
    message `late` on timeout.
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
            while not running.done():  # an interrupt before the query starts has no effect
                connection.interrupt()
                wait([running], 0.1)


def refuse_more_than_select(sql: str) -> None:
    """Raises EngineError unless the query is one SELECT without recursion."""
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise EngineError(first_line(error)) from error
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise EngineError("it must be one SELECT")
    with duckdb.connect(":memory:") as connection:
        tree = interruptible(lambda: connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone())
    if tree is None or '"RECURSIVE_CTE_NODE"' in tree[0]:
        raise EngineError("recursive queries are not allowed")


def first_line(error: Exception) -> str:
    """The library's message, without the error kind before it and the suggestions below it."""
    text = str(error).strip().partition("\n")[0]
    kind, colon, message = text.partition(" Error: ")
    return message if colon and kind.replace(" ", "").isalpha() else text


def close_engine(connection: DuckDBPyConnection, spill: str) -> None:
    import duckdb

    for _ in range(CLOSING_ATTEMPTS):
        try:
            connection.close()
        except duckdb.Error:  # a query that was interrupted has not ended yet
            connection.interrupt()
            Event().wait(CLOSING_PAUSE)
        else:
            break
    if spill:
        shutil.rmtree(spill, ignore_errors=True)


def count_cores() -> int:
    """CPU cores available to this process, including container limits where the system reports them."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def literal(value: object) -> str:
    """Quotes a value as an SQL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """Quotes a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
