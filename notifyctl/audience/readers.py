"""What every reader of an audience has in common, and the reader of JSON Lines.

A source is read in chunks of rows and handed out as columns. A row that cannot be read is reported and skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, AnyStr, Generic, Protocol, Self, TypeVar

from notifyctl.audience.compression import TableError, opener
from notifyctl.ports import FileTree

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


class Chunk:
    """Up to some thousand rows as columns. `broken`: position → why the row cannot be read; its cells are None.

    `read`: the cells of a column by its name. A column is read when it is first used: most sources have more than a message
    uses, and JSON objects can have thousands of keys.
    """

    def __init__(
        self, lines: Sequence[int], read: Callable[[str], Column], broken: Mapping[int, str] | None = None
    ) -> None:
        self.lines = lines
        self.broken = broken or {}
        self._read = read
        self._columns: dict[str, Column] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def column(self, name: str) -> Column:
        """A column by the source's name; empty cells are None, and so is every cell of an unknown column."""
        if name not in self._columns:
            self._columns[name] = self._read(name)
        return self._columns[name]

    def select(self, keep: Sequence[bool]) -> Chunk:
        """The rows at which `keep` is true."""
        positions = list(compress(range(len(self.lines)), keep))
        broken = {new: self.broken[old] for new, old in enumerate(positions) if old in self.broken}
        lines = [self.lines[at] for at in positions]
        return Chunk(lines, lambda name: list(compress(self.column(name), keep)), broken)


class Table(Protocol):
    """A source with a header, whose rows come in the same order each time. Reading raises TableError where it breaks off."""

    @property
    def header(self) -> Sequence[str]: ...

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """All rows, `size` at a time. Lines count from 1 where the source has none."""

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
        raise TableError(f"the header names {len(header):,} columns; {MAX_COLUMNS:,} are allowed")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise TableError(f"the header names a column twice: {', '.join(sorted(doubled))}")
    return header


class JsonLines:
    """Objects, one a line. The header is the keys of the first one."""

    def __init__(self, files: FileTree, path: str) -> None:
        """Raises TableError."""
        self._open = opener(files, path)
        first = next((cells for _, cells in self.cells() if not isinstance(cells, str)), None)
        if first is None:
            raise TableError("the file has no line with a JSON object")
        self.header = list(first)

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        return chunks_of_rows(self.cells(), size)

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, data in self.raw():
            yield line, parse_object(data) if isinstance(data, bytes) else data

    def raw(self) -> Iterator[tuple[int, bytes | str]]:
        """(line, its bytes or why it cannot be read) of every line that is not empty."""
        with self._open() as binary:
            lines = Lines(binary)
            while True:
                lines.held = 0
                try:
                    data = next(lines)
                except StopIteration:
                    return
                except LineTooLongError as error:
                    yield lines.number, f"the line cannot be read: {error}"
                else:
                    if data.strip():
                        yield lines.number, data


def chunks_of_rows(rows: Iterable[tuple[int, Cells | str]], size: int) -> Iterator[Chunk]:
    """Numbered rows as columns. A row can have cells that the header lacks."""
    taken: list[tuple[int, Cells | str]] = []
    weight = 0
    for numbered in rows:
        taken.append(numbered)
        weight += count_characters(numbered[1])
        if len(taken) == size or weight >= MAX_CHUNK_CHARACTERS:
            yield chunk_of_rows(taken)
            taken, weight = [], 0
    if taken:
        yield chunk_of_rows(taken)


def chunk_of_rows(rows: Sequence[tuple[int, Cells | str]]) -> Chunk:
    broken = {at: row for at, (_, row) in enumerate(rows) if isinstance(row, str)}
    records: Sequence[Cells] = [{} if isinstance(row, str) else row for _, row in rows]
    return Chunk([line for line, _ in rows], lambda name: [record.get(name) for record in records], broken)


def count_characters(row: Cells | str) -> int:
    """Characters of the cells of a row and of their names."""
    return (
        len(row) if isinstance(row, str) else sum(map(len, row)) + sum(map(len, filter(None, row.values())))
    )


def parse_object(data: bytes) -> Cells | str:
    """The cells of a JSON object, or why they cannot be read."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        return f"the line is no JSON: {error}"
    if not isinstance(value, dict):
        return "the line is no JSON object"
    nested = [key for key, item in value.items() if isinstance(item, (dict, list))]
    if nested:
        return f"{nested[0]!r} is neither a text nor a number"
    return {key: cell_text(item) for key, item in value.items()}


def cell_text(value: Any) -> str | None:
    """A value as the text of a cell; None for an empty one."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
