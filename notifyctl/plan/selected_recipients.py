"""The recipients that a plan sends to, read from a scope's table and spool when they are sent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, compress

from notifyctl.model.batch import UnitColumns
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.plan.combinations import Selection
from notifyctl.plan.recipient_table import RecipientTable

Rows = list[str | None]
Chunk = tuple[int, int, int]
"""Its number in the spool, its first position and its end."""


class SelectedRecipients:
    """Some recipients of one scope. Implements model.batch.Units; each walk reads the spool anew, a chunk at a time."""

    def __init__(self, table: RecipientTable, selection: Selection, names: Sequence[str]) -> None:
        """`names` are those of the message, in its order."""
        self._table = table
        self._selection = selection
        self._columns = [table.names.index(name) for name in names]
        self._last: tuple[int, tuple[bytes, list[Rows]]] | None = None
        """What `_read` read last."""

    def __len__(self) -> int:
        return self._selection.people

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        """All of them in the order of their rows, `size` at a time."""
        for members, (destinations, correlations, *own) in self._cut(size, full=True):
            yield UnitColumns(members, destinations, own, correlations)  # type: ignore[arg-type]  # each has a destination

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        """Members and correlation ids of the same chunks."""
        if not self._table.correlated:
            for members, _ in self._cut(size, full=None):
                yield members, [None] * (len(members) // MEMBER_BYTES)
            return
        for members, (correlations,) in self._cut(size, full=False):
            yield members, correlations

    def part(self, start: int, end: int) -> UnitColumns:
        """Those between two positions. What was read last of the spool stays in memory: parts come mostly in order."""
        end = min(end, len(self))
        members = b""
        columns: list[Rows] = [[] for _ in range(2 + len(self._columns))]
        at = bisect_right(self._ends, start)
        while start < end:
            packed, found = self._read(at)
            first = self._ends[at] - len(packed) // MEMBER_BYTES
            until = min(end, self._ends[at])
            members += packed[(start - first) * MEMBER_BYTES : (until - first) * MEMBER_BYTES]
            for column, each in zip(columns, found, strict=True):
                column.extend(each[start - first : until - first])
            start, at = until, at + 1
        destinations, correlations, *own = columns
        return UnitColumns(members, destinations, own, correlations)  # type: ignore[arg-type]  # each has a destination

    def _read(self, at: int) -> tuple[bytes, list[Rows]]:
        """Those of one of `_chunks`."""
        if self._last is None or self._last[0] != at:
            self._last = at, self._select(self._chunks[at][0], full=True)
        return self._last[1]

    @cached_property
    def _chunks(self) -> list[tuple[Chunk, int]]:
        """The chunks of the table that have any of them, and how many there are up to the end of each."""
        counts = [(each, int(self._selection.mask(*each[1:]).sum())) for each in self._table.chunks()]
        some = [(each, count) for each, count in counts if count]
        return list(zip((each for each, _ in some), accumulate(count for _, count in some), strict=True))

    @cached_property
    def _ends(self) -> list[int]:
        return [end for _, end in self._chunks]

    def _cut(self, size: int, *, full: bool | None) -> Iterator[tuple[bytes, list[Rows]]]:
        """Packed members and columns, `size` at a time. `full`: all columns, correlation ids alone, or none (`None`)."""
        members = b""
        columns: list[Rows] = []
        for packed, selected in self._selected(full=full):
            members += packed
            columns = (
                [[*old, *new] for old, new in zip(columns, selected, strict=True)] if columns else selected
            )
            whole = len(members) // MEMBER_BYTES // size * size
            for start in range(0, whole, size):
                end = start + size
                yield (
                    members[start * MEMBER_BYTES : end * MEMBER_BYTES],
                    [each[start:end] for each in columns],
                )
            members = members[whole * MEMBER_BYTES :]
            columns = [each[whole:] for each in columns]
        if members:
            yield members, columns

    def _selected(self, *, full: bool | None) -> Iterator[tuple[bytes, list[Rows]]]:
        for chunk in self._table.chunks():
            packed, columns = self._select(chunk, full=full)
            if packed:
                yield packed, columns

    def _select(self, chunk: Chunk, *, full: bool | None) -> tuple[bytes, list[Rows]]:
        """Those of one chunk of the table, if any."""
        number, start, end = chunk
        mask = self._selection.mask(start, end)
        packed = self._table.members[start:end][mask].tobytes()
        if full is None or not packed:
            return packed, []
        spooled, chosen = self._table.spool.read(number), mask.tolist()
        found: list[Sequence[str | None]] = [spooled.correlation_column()]
        if full:
            nothing = [None] * len(spooled.destinations)
            own = [spooled.own[at] for at in self._columns]
            found = [spooled.destinations, *found, *(nothing if each is None else each for each in own)]
        return packed, [list(compress(column, chosen)) for column in found]
