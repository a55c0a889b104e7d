"""Reads separated values with the standard library's parser: blocks of whole lines at once, odd ones record by record."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, compress, islice
from typing import BinaryIO, TextIO

from notifyctl.audience.compression import TableError, opener
from notifyctl.audience.readers import (
    CHUNK,
    MAX_FIELD,
    MAX_LINE,
    Cells,
    Chunk,
    Column,
    Lines,
    LineTooLongError,
    check_header,
)
from notifyctl.ports import FileTree

BLOCK = 1 << 16
"""Characters that are parsed together, and the rest of the last line."""
MAX_CHUNK_BLOCKS = 16
"""Blocks of a chunk in CSV; the last line of each can be MAX_LINE characters long."""
WINDOW = MAX_FIELD // 2
"""A line with a cell that is too long covers one of these, wherever it starts."""
UTF_8 = "utf-8-sig"
BYTE_ORDER_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""How a file starts → its encoding. That of UTF-8 is handled by UTF_8."""
COMMA = ","
OTHER_DELIMITERS = ";\t|"
IN_QUOTES = re.compile(r'"[^"]*"?')
NOT_DECODED_CHARACTER = re.compile("[\udc80-\udcff]")


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
