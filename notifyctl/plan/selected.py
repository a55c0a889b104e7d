"""Units that lie in the columnar engine, as what is sent: read by pages, never all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from notifyctl.engine import Engine
from notifyctl.model.batch import UnitColumns
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.plan.packed import halves_of_unit, members_of
from notifyctl.prefetch import Prefetcher

PAGE = 1 << 15
"""Units that are fetched at a time."""


class Selected(Struct, frozen=True):
    """Units that lie in the engine. Implements delivery.Units; each walk reads them anew, in their order, a page at a time and
    the next one while the last is used.
    """

    engine: Engine
    test: str
    own: Sequence[str]
    """The message's values, as columns of people or NULL."""
    correlated: bool
    """Whether anybody has a correlation id of the author."""
    count: int

    def __len__(self) -> int:
        return self.count

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        own, correlation = self.own, self.correlation
        for members, (sent, *rest) in self._cut(["sent", *correlation, *own], size):
            yield UnitColumns(
                members=members,
                destinations=sent,
                own=rest[-len(own) :] if own else [],
                correlations=rest[0] if correlation else [None] * len(sent),
            )

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        for members, rest in self._cut(self.correlation, size):
            yield members, rest[0] if rest else [None] * (len(members) // MEMBER_BYTES)

    @property
    def correlation(self) -> list[str]:
        """The column, if anybody has one."""
        return ["correlation"] if self.correlated else []

    def _cut(self, columns: Sequence[str], size: int) -> Iterator[tuple[bytes, list[list[Any]]]]:
        """Packed members and columns, `size` units at a time."""
        members, rest = b"", [list[Any]() for _ in columns]
        for packed, page in Prefetcher(self._pages(columns)):
            members += packed
            rest = [[*old, *new] for old, new in zip(rest, page, strict=True)]
            count = len(members) // MEMBER_BYTES
            whole = count - count % size
            for start in range(0, whole, size):
                end = start + size
                yield members[start * MEMBER_BYTES : end * MEMBER_BYTES], [each[start:end] for each in rest]
            members = members[whole * MEMBER_BYTES :]
            rest = [each[whole:] for each in rest]
        if members:
            yield members, rest

    def _pages(self, columns: Sequence[str]) -> Iterator[tuple[bytes, list[list[Any]]]]:
        halves = ", ".join(f"{value} AS {name}" for name, value in halves_of_unit().items())
        named = "".join(f", {column} AS c{at}" for at, column in enumerate(columns))
        [last] = self.engine.row("SELECT max(n) FROM units")
        for start in range(0, last + 1, PAGE):
            within = f"n >= {start} AND n < {start + PAGE}"
            # The engine does not see by itself that the page is one of the people too.
            people = f" JOIN (SELECT * EXCLUDE id FROM people WHERE {within}) USING (n)" if columns else ""
            found = self.engine.arrays(
                f"SELECT {halves}{named} FROM (SELECT * FROM units WHERE {within} AND {self.test}){people} ORDER BY n"
            )
            yield members_of(found), [found[f"c{at}"].tolist() for at in range(len(columns))]
