"""Keeps what a plan needs of each recipient only later, such as destinations and values, out of memory."""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple
from weakref import finalize

IN_MEMORY = 16 << 20
"""Bytes up to which a spool needs no file."""
MARSHAL_VERSION = 2
"""The last one that keeps no table of what it has seen, which no column would gain by."""


class SpooledColumns(NamedTuple):
    """Columns of some recipients. `correlations` is `None` where nobody has a correlation id of the author."""

    destinations: Sequence[str]
    correlations: Sequence[str | None] | None
    own: Sequence[Sequence[str | None] | None]
    """A column for each of the table's names; `None` where the audience has no such column."""

    def correlation_column(self) -> Sequence[str | None]:
        return [None] * len(self.destinations) if self.correlations is None else self.correlations


class Spool:
    """Chunks of columns, written one after the other and then read by number.

    What is too large for memory lies in a temporary file that has no name and that nobody else can open.
    """

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the spool
        self._ends = [0]
        finalize(self, self._file.close)

    def __len__(self) -> int:
        """How many chunks there are."""
        return len(self._ends) - 1

    def append(self, columns: SpooledColumns) -> None:
        """All appends come before the first read."""
        stored: Any = tuple(columns)
        data = marshal.dumps(stored, MARSHAL_VERSION)
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def read(self, number: int) -> SpooledColumns:
        """One chunk."""
        start, end = self._ends[number : number + 2]
        self._file.seek(start)
        stored: tuple[Any, Any, Any] = marshal.loads(self._file.read(end - start))  # noqa: S302 - written by this process
        return SpooledColumns(*stored)

    def __iter__(self) -> Iterator[SpooledColumns]:
        return map(self.read, range(len(self)))
