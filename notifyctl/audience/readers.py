"""What every reader of an audience has in common.

A source is read in chunks of rows and handed out as columns. A row that cannot be read is reported and skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, AnyStr, Generic, NamedTuple, Protocol, Self, TypeVar

from notifyctl.audience.compression import TableError

Cells = Mapping[str, str | None]
"""One row by the source's own column names. `None` where the cell is empty: an empty cell is no value."""
Column = Sequence[str | None]

CHUNK = 4096
"""Rows of a chunk."""
MAX_CHUNK_CHARACTERS = 1 << 22
"""Characters after which a chunk ends, however few rows it has: they are in memory together."""
MAX_FIELD = 1 << 20
"""Characters of a cell."""
MAX_LINE = 4 * MAX_FIELD
"""Characters of a line, or of a record of several lines (bytes in JSON Lines). Longer ones are skipped without being held."""
TOO_LONG = f"it has {MAX_LINE:,} characters or more"
MAX_COLUMNS = 1000


class FlawedColumn(NamedTuple):
    """A column with values that are no text. `flaws`: position → what is wrong, the same sentence for the same fault; the
    cell is None there.
    """

    cells: Column
    flaws: Mapping[int, str]


class Chunk:
    """Up to some thousand rows as columns. `broken`: position → why the row cannot be read; its cells are None.

    `read`: the cells of a column by its name. A column is read when it is first used: most sources have more than a message
    uses, JSON objects can have thousands of keys, and what is wrong in a column that nobody reads hurts nobody.
    """

    def __init__(
        self,
        lines: Sequence[int],
        read: Callable[[str], Column | FlawedColumn],
        broken: Mapping[int, str] | None = None,
    ) -> None:
        self.lines = lines
        self.broken = broken or {}
        self._read = read
        self._columns: dict[str, Column] = {}
        self._flaws: dict[str, Mapping[int, str]] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Column:
        """A column by the source's name; empty cells are None, and so is every cell of an unknown column."""
        if name not in self._columns:
            read = self._read(name)
            cells, flaws = read if isinstance(read, FlawedColumn) else (read, {})
            self._columns[name], self._flaws[name] = cells, flaws
        return self._columns[name]

    def flaws(self, name: str) -> Mapping[int, str]:
        """Position → why a value of this column is no text."""
        self.column(name)
        return self._flaws[name]

    def select(self, keep: Sequence[bool]) -> Chunk:
        """The rows at which `keep` is true."""
        positions = list(compress(range(len(self.lines)), keep))

        def kept(texts: Mapping[int, str]) -> dict[int, str]:
            return {new: texts[old] for new, old in enumerate(positions) if old in texts} if texts else {}

        def read(name: str) -> FlawedColumn:
            return FlawedColumn(list(compress(self.column(name), keep)), kept(self.flaws(name)))

        return Chunk([self.lines[at] for at in positions], read, kept(self.broken))


class Table(Protocol):
    """A source with a header, whose rows come in the same order each time. Reading raises TableError where it breaks off."""

    @property
    def header(self) -> Sequence[str]: ...

    def chunks(self, size: int = CHUNK, names: Collection[str] | None = None) -> Iterator[Chunk]:
        """All rows, `size` at a time. Lines count from 1 where the source has none. `names`: the columns that are read, by
        default any.
        """

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        """(line; the row, or why it cannot be read), for sources that are small."""


class LineTooLongError(Exception):
    """A line was skipped; the next one can be read."""


T_co = TypeVar("T_co", str, bytes, covariant=True)


class Stream(Protocol[T_co]):
    """What has lines."""

    def readline(self, size: int, /) -> T_co: ...


class Lines(Generic[AnyStr]):
    """The lines of a text or binary stream, in bounded memory.

    `number` counts the lines read or skipped, `held` the characters since it was last set to 0: those of the current record.
    """

    def __init__(self, stream: Stream[AnyStr], number: int = 0) -> None:
        self.number = number
        self.held = 0
        self.ended = False
        """Whether nothing after these lines can be read."""
        self._readline: Callable[[int], AnyStr] = stream.readline

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AnyStr:
        line = self._readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE:
            rest = line
            while len(rest) == MAX_LINE:
                rest = self._readline(MAX_LINE)
            raise LineTooLongError(TOO_LONG)
        self.held += len(line)
        if self.held > MAX_LINE:
            raise LineTooLongError(TOO_LONG)
        return line


def check_header(header: list[str]) -> list[str]:
    """The header. Raises TableError."""
    if len(header) > MAX_COLUMNS:
        raise TableError(f"the header has {len(header):,} columns; the limit is {MAX_COLUMNS:,}")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise TableError(f"duplicate columns in the header: {', '.join(sorted(doubled))}")
    return header


def cell_text(value: Any) -> str | None:
    """A value as the text of a cell; None for an empty one."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
