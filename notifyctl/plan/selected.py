"""Units that lie in the columnar engine, as what is sent: read by pages, never all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from notifyctl.ahead import Ahead
from notifyctl.delivery import UnitColumns
from notifyctl.engine import Engine
from notifyctl.plan.packed import MEMBER
from notifyctl.records import dataclass

PAGE = 1 << 15
"""Units that are fetched at a time."""


@dataclass(frozen=True, slots=True)
class Selected:
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
        for members, sent, *rest in self._cut([MEMBER, "sent", *correlation, *own], size):
            yield UnitColumns(
                members=b"".join(members),
                destinations=sent,
                own=rest[-len(own) :] if own else [],
                correlations=rest[0] if correlation else [None] * len(sent),
            )

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        for members, *rest in self._cut([MEMBER, *self.correlation], size):
            yield b"".join(members), rest[0] if rest else [None] * len(members)

    @property
    def correlation(self) -> list[str]:
        """The column, if anybody has one."""
        return ["correlation"] if self.correlated else []

    def _cut(self, columns: Sequence[str], size: int) -> Iterator[list[list[Any]]]:
        """Columns, `size` rows at a time."""
        rest: list[list[Any]] = [[] for _ in columns]
        for page in Ahead(self._pages(columns)):
            rest = [[*old, *new] for old, new in zip(rest, page, strict=True)]
            whole = len(rest[0]) - len(rest[0]) % size
            for start in range(0, whole, size):
                yield [column[start : start + size] for column in rest]
            rest = [column[whole:] for column in rest]
        if rest[0]:
            yield rest

    def _pages(self, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
        people = " JOIN (SELECT * EXCLUDE id FROM people) USING (n)" if set(columns) - {MEMBER} else ""
        named = ", ".join(f"{column} AS c{at}" for at, column in enumerate(columns))
        [last] = self.engine.row("SELECT max(n) FROM units")
        for start in range(0, last + 1, PAGE):
            page = f"n >= {start} AND n < {start + PAGE}"
            yield self.engine.columns(
                f"SELECT {named} FROM (SELECT * FROM units WHERE {page} AND {self.test}){people} ORDER BY n"
            )
