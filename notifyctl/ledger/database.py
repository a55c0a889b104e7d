"""What the ledger's reader and writers need of a database. Its SQL is one; `?` stands for a value.

SQLite and PostgreSQL implement it in `ledger.sqlite` and `ledger.postgresql`. Their errors become a LedgerError with a hint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from notifyctl.errors import LedgerError

Row = tuple[Any, ...]


class Database(Protocol):
    """One connection; calls from several threads are serialised."""

    @property
    def name(self) -> str:
        """What messages call the ledger: the path of its file, or the address of its database without a secret."""

    def facts_version(self) -> int:
        """The version of the tables of facts that are there; 0 if this is no ledger."""

    def schema_version(self) -> int:
        """The number of the schema, as this kind of database counts."""

    def refuse_unreadable(self) -> None:
        """Raises LedgerError unless this is a ledger, of a version that this notifyctl can read."""

    def upgrade(self) -> None:
        """Brings the tables of an earlier version to this one, in one transaction. Changes no rows."""

    def serial(self) -> int:
        """The number of rows in all tables of facts."""

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query."""

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row of a query."""

    def number(self, sql: str, *values: object) -> int:
        """The single number that a query yields."""

    def pages(self, sql: str, *values: object, size: int, after: int = -1) -> Iterator[list[Row]]:
        """The rows of a query by `size` of them, for large tables. Its first column is a number that it is ordered by; the
        last two parameters are the number to begin behind, and `size`.
        """

    def run(self, sql: str, *values: object) -> None: ...

    def run_many(self, sql: str, entries: Sequence[Row]) -> None: ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, durable when the block ends."""

    def writing(self) -> AbstractContextManager[Row | None]:
        """A transaction in which no epoch begins. Yields the epoch and the holder of the last run."""

    def alone(self) -> AbstractContextManager[None]:
        """A transaction beside which no other writes: what is numbered before it is committed before it."""

    def damaged_error(self) -> LedgerError:
        """What to raise for a value that was never written."""

    def close(self) -> None: ...
