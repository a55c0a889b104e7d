"""The recipients that a plan sends to, read from a scope's table and spool when they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

from notifyctl.model.batch import UnitColumns
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.plan.combinations import Selection
from notifyctl.plan.recipient_table import RecipientTable

Rows = list[str | None]


class SelectedRecipients:
    """Some recipients of one scope. Implements model.batch.Units; each walk reads the spool anew, a chunk at a time."""

    def __init__(self, table: RecipientTable, selection: Selection, names: Sequence[str]) -> None:
        """`names` are those of the message, in its order."""
        self._table = table
        self._selection = selection
        self._columns = [table.names.index(name) for name in names]

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
        for number, start, end in self._table.chunks():
            mask = self._selection.mask(start, end)
            if not mask.any():
                continue
            packed = self._table.members[start:end][mask].tobytes()
            if full is None:
                yield packed, []
                continue
            spooled, chosen = self._table.spool.read(number), mask.tolist()
            found: list[Sequence[str | None]] = [spooled.correlation_column()]
            if full:
                nothing = [None] * len(spooled.destinations)
                own = [spooled.own[at] for at in self._columns]
                found = [spooled.destinations, *found, *(nothing if each is None else each for each in own)]
            yield packed, [list(compress(column, chosen)) for column in found]
