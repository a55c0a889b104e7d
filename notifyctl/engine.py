"""The columnar engine: DuckDB, fenced in. The only module that opens it; imported only where it is used.

It reads the files it is told of at its opening and no other, loads no extension, keeps to a memory cap, and spills into a
folder of its own, for this user only, that is gone when the engine is closed. What it may do cannot be widened once it is open.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection as Engine

DEFAULT_MEMORY = 1 << 30
"""Bytes that the engine may hold; what is more is spilled."""
MAX_SPILL = 64 << 30
"""Bytes in the spill folder."""


@contextmanager
def engine(
    *, readable: Sequence[str] = (), memory: int = DEFAULT_MEMORY, seconds: float | None = None
) -> Iterator[Engine]:
    """An empty database in memory. `readable`: real paths that queries may read. `seconds`: after them whatever it does is
    interrupted, which raises duckdb.InterruptException.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="notifyctl-", ignore_cleanup_errors=True) as spill:
        connection = duckdb.connect(":memory:")
        try:
            settings = {
                "temp_directory": spill,
                "max_temp_directory_size": f"{MAX_SPILL}B",
                "memory_limit": f"{memory}B",
                "threads": cores(),
                "allow_community_extensions": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
                "allowed_paths": list(readable),
                "enable_external_access": False,
                "lock_configuration": True,
            }
            for name, value in settings.items():
                connection.execute(f"SET {name} = {literal(value)}")
            with limited(connection, seconds):
                yield connection
        finally:
            connection.close()


def cores() -> int:
    """Processors that this process may use: a container's share, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


@contextmanager
def limited(connection: Engine, seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def literal(value: object) -> str:
    """A value as SQL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return "'" + str(value).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'
