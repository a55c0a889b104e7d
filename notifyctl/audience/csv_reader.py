"""Reads separated values with the standard library's parser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import BinaryIO, TextIO

from notifyctl.audience.compression import TableError, opener
from notifyctl.audience.csv_records import Block, CsvBlocks, Record, parse_records
from notifyctl.audience.readers import (
    CHUNK,
    MAX_FIELD,
    Cells,
    Chunk,
    Column,
    FlawedColumn,
    Lines,
    check_header,
)
from notifyctl.audience.table_encoding import (
    detect_encoding,
    is_odd,
    is_utf8_name,
    odd_text,
    refuse_other_encoding,
)
from notifyctl.ports import FileTree

MAX_CHUNK_BLOCKS = 16
"""Blocks of a chunk in CSV; the last line of each can be MAX_LINE characters long."""
COMMA = ","
OTHER_DELIMITERS = ";\t|"
IN_QUOTES = re.compile(r'"[^"]*"?')
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*[\r\n]*', re.IGNORECASE)
"""The first line that Excel needs where a list has another separator than its country's."""


class Csv:
    """Separated values with a header, compressed or not.

    Without `encoding` the byte order mark decides, else UTF-8. Without `delimiter` a line `sep=;` above the header decides,
    else the header: a comma if it has one. Columns without a name are left out.
    """

    def __init__(
        self, files: FileTree, path: str, *, delimiter: str | None = None, encoding: str | None = None
    ) -> None:
        """Raises TableError."""
        self._open = opener(files, path)
        self._encoding_checked = False
        self.encoding = encoding or detect_encoding(self._open)
        said = detect_separator_line(self._open, self.encoding)
        self._lines_above = 0 if said is None else 1
        self.delimiter = delimiter or said or detect_delimiter(self._open, self.encoding)
        line, first = next(self.records(), (0, ""))
        if isinstance(first, str):
            raise TableError("the file has no header: its first line names the columns")
        self._refuse_odd_header(line, first)
        names = [name.strip() for name in first]
        self._cells = len(names)
        """Cells of the header."""
        while names and not names[-1]:
            names.pop()
        self._names = names
        """Of the columns up to the last one with a name; "" for one without."""
        self.header = check_header([name for name in names if name])
        if not self.header:
            raise TableError("the file has no header: its first line names no column")

    def _refuse_odd_header(self, line: int, header: Sequence[str]) -> None:
        for name in header:
            if is_odd(name):
                self._refuse_other_encoding(line, name)
                raise TableError(f"its header {odd_text(name)}", line=line)

    def _refuse_other_encoding(self, line: int, cell: str) -> None:
        if is_utf8_name(self.encoding) and not self._encoding_checked:
            refuse_other_encoding(self._open, line, cell)
            self._encoding_checked = True  # it took a look at the whole file

    def records(self) -> Iterator[tuple[int, Record]]:
        """The header and the rows as they are written, with their lines."""
        for lines, records, _ in self._blocks():
            yield from zip(lines, records, strict=True)

    def _text(self, binary: BinaryIO) -> TextIO:
        """From the header on."""
        # Undecodable bytes become surrogates, which mark a cell as unreadable instead of ending the file.
        text = io.TextIOWrapper(binary, encoding=self.encoding, errors="surrogateescape", newline="")
        for _ in range(self._lines_above):
            text.readline(MAX_FIELD)
        return text

    def _blocks(self) -> Iterator[Block]:
        csv.field_size_limit(MAX_FIELD)
        with self._open() as binary:
            text = self._text(binary)  # kept until the file is closed
            try:
                yield from CsvBlocks(text, self.delimiter, self._lines_above)
            except UnicodeDecodeError as error:
                raise TableError(
                    f"it is not {self.encoding} from line {self._count_decoded() + 1} on: {error.reason}"
                ) from error

    def _count_decoded(self) -> int:
        """Lines that can be decoded, of a file that cannot be decoded to its end."""
        with self._open() as binary:
            lines = Lines(self._text(binary), self._lines_above)
            with suppress(UnicodeDecodeError, TableError):
                for _ in parse_records(lines, self.delimiter):
                    pass
            return lines.number

    def chunks(
        self,
        size: int = CHUNK,
        names: Collection[str] | None = None,  # noqa: ARG002 - a column is read when it is used
    ) -> Iterator[Chunk]:
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
        broken: dict[int, str] = {}
        if set(map(type, records)) != {list} or set(map(len, records)) != {len(self._names)}:
            fitted = list(map(self._fit, records))
            broken = {at: record for at, record in enumerate(fitted) if isinstance(record, str)}
            empty = [""] * len(self._names)
            records = [empty if isinstance(record, str) else record for record in fitted]
        raw = dict(zip(self._names, zip(*records, strict=True), strict=True))

        def read(name: str) -> Column | FlawedColumn:
            if not name or name not in raw:
                return [None] * len(lines)
            cells: Column = list(map(str.strip, raw[name]))
            if "" in cells:
                cells = [cell or None for cell in cells]
            return self._without_odd(lines, cells) if odd else cells

        return Chunk(lines, read, broken)

    def _fit(self, record: Record) -> Record:
        """The cells up to the last column with a name, or why the row cannot be read. Raises TableError."""
        width = len(self._names)
        if isinstance(record, str) or len(record) == width:
            return record
        if len(record) < width or any(map(str.strip, record[self._cells :])):
            return wrong_width(len(record), self._cells)
        return record[:width]

    def _without_odd(self, lines: Sequence[int], cells: Column) -> Column | FlawedColumn:
        """Raises TableError where the file has another encoding."""
        found = [at for at, cell in enumerate(cells) if cell and is_odd(cell)]
        if not found:
            return cells
        flaws = {at: odd_text(str(cells[at])) for at in found}
        for at in found:
            self._refuse_other_encoding(lines[at], str(cells[at]))
        kept = list(cells)
        for at in found:
            kept[at] = None
        return FlawedColumn(kept, flaws)

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, record in islice(self.records(), 1, None):
            fitted = self._fit(record)
            if isinstance(fitted, str):
                yield line, fitted
                continue
            odd = next(filter(is_odd, fitted), None)
            if odd is not None:
                self._refuse_other_encoding(line, odd)
                yield line, f"the row {odd_text(odd)}"
                continue
            pairs = zip(self._names, fitted, strict=True)
            yield line, {name: cell.strip() or None for name, cell in pairs if name}


def detect_separator_line(open_file: Callable[[], BinaryIO], encoding: str) -> str | None:
    """The separator that a line above the header names."""
    with open_file() as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
        found = SEPARATOR_LINE.fullmatch(text.readline(MAX_FIELD))
    return found[1] if found else None


def detect_delimiter(open_file: Callable[[], BinaryIO], encoding: str) -> str:
    """A comma, unless the header has none and another usual one: then the most frequent."""
    with open_file() as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
        bare = IN_QUOTES.sub("", text.readline(MAX_FIELD))
    return COMMA if COMMA in bare else max(COMMA + OTHER_DELIMITERS, key=bare.count)


def wrong_width(found: int, width: int) -> str:
    return f"the row has {found} {'cell' if found == 1 else 'cells'}, the header {width}"
