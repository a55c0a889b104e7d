"""Readers of audience files: separated values by the standard library's reader, JSON Lines by line.

A source is read in chunks of rows and handed out as columns. A row that cannot be read is reported and skipped.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, compress, islice
from typing import Any, AnyStr, BinaryIO, Generic, Protocol, Self, TextIO, TypeVar

from notifyctl.audience.compression import TableError as TableError  # noqa: PLC0414 - what readers raise
from notifyctl.audience.compression import opener
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
BLOCK = 1 << 16
"""Characters that are parsed together, and the rest of the last line."""
MAX_CHUNK_BLOCKS = 16
"""Blocks of a chunk in CSV; the last line of each can be MAX_LINE characters long."""
WINDOW = MAX_FIELD // 2
"""A line with a cell that is too long covers one of these, wherever it starts."""
TOO_LONG = f"it has {MAX_LINE:,} characters or more"
MAX_COLUMNS = 1000
UTF_8 = "utf-8-sig"
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""How a file starts → its encoding. That of UTF-8 is handled by UTF_8."""
COMMA = ","
OTHER_DELIMITERS = ";\t|"
IN_QUOTES = re.compile(r'"[^"]*"?')
NOT_DECODED_CHARACTER = re.compile("[\udc80-\udcff]")


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


Record = list[str] | str
"""The cells of a record, or why it cannot be read."""
Block = tuple[Sequence[int], Sequence[Record], bool]
"""Lines on which records start, the records, and whether a character in them may be odd (`has_odd`)."""


class Csv:
    """Separated values with a header, compressed or not.

    Without `encoding` the byte order mark decides, else UTF-8. Without `delimiter` the header decides: a comma if it has one.
    """

    def __init__(
        self, files: FileTree, path: str, *, delimiter: str | None = None, encoding: str | None = None
    ) -> None:
        """Raises TableError."""
        self._open = opener(files, path)
        self.encoding = encoding or detect_encoding(self._open)
        self.delimiter = delimiter or detect_delimiter(self._open, self.encoding)
        first = next(self.records(), None)
        if first is None or isinstance(first[1], str):
            raise TableError("the file has no header: its first line names the columns")
        self.header = check_header([name.strip() for name in first[1]])

    def records(self) -> Iterator[tuple[int, Record]]:
        """The header and the rows as they are written, with their lines."""
        for lines, records, _ in self._blocks():
            yield from zip(lines, records, strict=True)

    def _blocks(self) -> Iterator[Block]:
        csv.field_size_limit(MAX_FIELD)
        with self._open() as binary:
            # Undecodable bytes become surrogates, which mark their row as bad instead of ending the file.
            text = io.TextIOWrapper(binary, encoding=self.encoding, errors="surrogateescape", newline="")
            blocks = CsvBlocks(text, self.delimiter)
            try:
                yield from blocks
            except UnicodeDecodeError as error:
                raise TableError(
                    f"it is not {self.encoding} from line {self._count_decoded() + 1} on: {error.reason}"
                ) from error

    def _count_decoded(self) -> int:
        """Lines that can be decoded, of a file that cannot be decoded to its end."""
        with self._open() as binary:
            lines = Lines(
                io.TextIOWrapper(binary, encoding=self.encoding, errors="surrogateescape", newline="")
            )
            with suppress(UnicodeDecodeError):
                for _ in parse_records(lines, self.delimiter):
                    pass
            return lines.number

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        lines: list[int] = []
        records: list[Record] = []
        header_read = odd = False
        blocks = 0
        for block_lines, block_records, block_odd in self._blocks():
            lines += block_lines[0 if header_read else 1 :]
            records += block_records[0 if header_read else 1 :]
            header_read = header_read or bool(block_lines)
            odd = odd or block_odd
            blocks += 1
            while len(lines) >= size or (lines and blocks >= MAX_CHUNK_BLOCKS):
                yield self._chunk(lines[:size], records[:size], odd=odd)
                lines, records, blocks = lines[size:], records[size:], 0
                odd = block_odd
        if lines:
            yield self._chunk(lines, records, odd=odd)

    def _chunk(self, lines: Sequence[int], records: Sequence[Record], *, odd: bool) -> Chunk:
        width = len(self.header)
        broken: dict[int, str] = {}
        if set(map(type, records)) != {list} or set(map(len, records)) != {width} or odd:
            for position, record in enumerate(records):
                wrong = record if isinstance(record, str) else row_problem(record, width)
                if wrong:
                    broken[position] = wrong
            empty = [""] * width
            records = [empty if at in broken else record for at, record in enumerate(records)]
        raw = dict(zip(self.header, zip(*records, strict=True), strict=True))

        def read(name: str) -> Column:
            if name not in raw:
                return [None] * len(lines)
            cells = list(map(str.strip, raw[name]))
            return [cell or None for cell in cells] if "" in cells else cells

        return Chunk(lines, read, broken)

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, record in islice(self.records(), 1, None):
            wrong = record if isinstance(record, str) else row_problem(record, len(self.header))
            yield (
                line,
                wrong or {name: cell.strip() or None for name, cell in zip(self.header, record, strict=True)},
            )


class CsvBlocks:
    """The records of a text in blocks, without empty ones.

    A block in which each line is a record is parsed at once. Anything else, such as quoted line breaks and lines that are too
    long, is parsed record by record.
    """

    def __init__(self, text: TextIO, delimiter: str) -> None:
        self._text = text
        self._delimiter = delimiter
        self.number = 0
        """Lines read so far."""
        self._ended = False

    def __iter__(self) -> Iterator[Block]:
        while not self._ended and (piece := self._text.read(BLOCK)):
            piece += self._text.readline(MAX_LINE)
            parsed = None if has_long_line(piece) else self._parse_at_once(piece)
            if parsed is not None:
                yield *parsed, has_odd(piece)
                continue
            numbered = list(self._parse(piece))
            yield [line for line, _ in numbered], [record for _, record in numbered], True

    def _parse_at_once(self, piece: str) -> tuple[Sequence[int], Sequence[Record]] | None:
        """None unless each line is a record."""
        lines = io.StringIO(piece, newline="").readlines()
        try:
            records = list(csv.reader(chain(lines, "\n"), delimiter=self._delimiter))
        except csv.Error:
            return None
        if len(records) != len(lines) + 1:  # a quoted line break, or a quote that is still open
            return None
        records.pop()
        numbers = range(self.number + 1, self.number + 1 + len(lines))
        self.number += len(lines)
        if all(records):
            return numbers, records
        return list(compress(numbers, records)), list(filter(None, records))

    def _parse(self, piece: str) -> Iterator[tuple[int, Record]]:
        """One by one. The last record can end beyond the piece."""
        stream = Continued(piece, self._text)
        lines = Lines[str](stream, self.number)
        for numbered in parse_records(lines, self._delimiter):
            self.number = lines.number
            yield numbered
            self._ended = lines.ended
            if stream.spent:
                return
        self.number = lines.number
        self._ended = True


class Continued:
    """A piece of a text, then the rest of it."""

    def __init__(self, piece: str, rest: TextIO) -> None:
        self._piece, self._size, self._rest = io.StringIO(piece, newline=""), len(piece), rest

    @property
    def spent(self) -> bool:
        """Whether the piece was read to its end."""
        return self._piece.tell() == self._size

    def readline(self, size: int, /) -> str:
        line = self._piece.readline(size)
        if len(line) == size or line.endswith(("\n", "\r")):
            return line
        return line + self._rest.readline(size - len(line))


def parse_records(lines: Lines[str], delimiter: str) -> Iterator[tuple[int, Record]]:
    """Records one by one, from lines of which the first starts a record."""
    reader = csv.reader(lines, delimiter=delimiter, strict=False)
    while True:
        line = lines.number + 1
        lines.held = 0
        try:
            record = next(reader)
        except StopIteration:
            return
        except (LineTooLongError, csv.Error) as error:
            if lines.number > line:
                # Most likely a quote is not closed. What follows is the inside of a cell, not rows.
                lines.ended = True
                yield line, f"the row cannot be read, nor those below it: {error}; is a quote not closed?"
                return
            yield line, f"the row cannot be read: {error}"
        else:
            if record:
                yield line, record


def has_long_line(text: str) -> bool:
    """Whether a line can be longer than a cell can be. Never false if one is."""
    return any(
        text.find("\n", start, start + WINDOW) < 0 for start in range(0, len(text) - WINDOW + 1, WINDOW)
    )


def has_odd(text: str) -> bool:
    """Whether a text contains a NUL, or what could not be decoded."""
    return "\0" in text or (not text.isascii() and NOT_DECODED_CHARACTER.search(text) is not None)


def check_header(header: list[str]) -> list[str]:
    """The header. Raises TableError."""
    if len(header) > MAX_COLUMNS:
        raise TableError(f"the header names {len(header):,} columns; {MAX_COLUMNS:,} are allowed")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise TableError(f"the header names a column twice: {', '.join(sorted(doubled))}")
    return header


def detect_encoding(open_file: Callable[[], BinaryIO]) -> str:
    """The encoding of a byte order mark, else UTF-8."""
    with open_file() as binary:
        return BYTE_ORDER_MARKS.get(binary.read(2), UTF_8)


def detect_delimiter(open_file: Callable[[], BinaryIO], encoding: str) -> str:
    """A comma, unless the header has none and another usual one: then the most frequent."""
    with open_file() as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
        bare = IN_QUOTES.sub("", text.readline(MAX_FIELD))
    return COMMA if COMMA in bare else max(COMMA + OTHER_DELIMITERS, key=bare.count)


NOT_DECODED = "the row is not in the file's encoding, UTF-8 unless `source: {encoding: …}` names another"


def row_problem(record: Sequence[str], width: int) -> str | None:
    """Why a record cannot be read."""
    if len(record) != width:
        return wrong_width(len(record), width)
    joined = "".join(record)
    if has_odd(joined):
        return "the row holds a NUL character" if "\0" in joined else NOT_DECODED
    return None


def wrong_width(found: int, width: int) -> str:
    return f"the row has {found} {'cell' if found == 1 else 'cells'}, the header {width}"


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
