"""Takes what stored values cannot be turned into for damage: a disk can change any byte, and a database notices few of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isfunction, isgeneratorfunction
from typing import Any, TypeVar

from notifyctl.ledger.database import Database

Read = TypeVar("Read", bound=type)

UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    AssertionError,
    struct.error,
)
"""What reading a value raises that was never written."""


@contextmanager
def reading(database: Database) -> Iterator[None]:
    """Raises LedgerError, which says that the ledger is damaged, for whatever the block could not read."""
    try:
        yield
    except UNREADABLE as error:
        raise database.damaged_error() from error


def reads_checked(reader: Read) -> Read:
    """A class decorator: each public method of a reader works within `reading`. The reader keeps its `_database`."""
    for name, method in list(vars(reader).items()):
        if isfunction(method) and not name.startswith("_"):
            setattr(reader, name, checked(method))
    return reader


def checked(method: Any) -> Any:
    if isgeneratorfunction(method):

        @wraps(method)
        def walk(self: Any, *arguments: Any, **named: Any) -> Any:
            with reading(database_of(self)):
                yield from method(self, *arguments, **named)

        return walk

    @wraps(method)
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        with reading(database_of(self)):
            return method(self, *arguments, **named)

    return call


def database_of(reader: Any) -> Database:
    database: Database = reader._database  # noqa: SLF001 - of the class that is decorated
    return database
