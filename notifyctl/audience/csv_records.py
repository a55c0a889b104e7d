"""The records of separated values: blocks of whole lines at once, odd ones record by record.

A quote opens a cell where it is its first character. One that is never closed, or that takes in the rows below it, ends the
reading with its place: what follows is the inside of a cell or rows, and nobody can tell which.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, compress
from typing import TextIO

from notifyctl.audience.compression import ConflictError, TableError
from notifyctl.audience.readers import MAX_FIELD, MAX_LINE, Lines, LineTooLongError
from notifyctl.audience.table_encoding import is_odd
from notifyctl.merge_conflicts import find_conflict

BLOCK = 1 << 16
"""Characters that are parsed together, and the rest of the last line."""
WINDOW = MAX_FIELD // 2
"""A line with a cell that is too long covers one of these, wherever it starts."""
ADDRESS = re.compile(r'[\s"]*(?:\+?[0-9][0-9\s().\-/]{5,}[0-9]|[^\s@",;|]+@[^\s@",;|]+\.[^\s@",;|]+)[\s"]*')
"""What looks like an address in a cell, quotes disregarded."""
CLOSE_IT = 'close the quote; write a quote inside a quoted cell twice: "5"" x 3"'

Record = list[str] | str
"""The cells of a record, or why it cannot be read."""
Block = tuple[Sequence[int], Sequence[Record], bool]
"""Lines on which records start, the records, and whether a character in them may be odd (`is_odd`)."""


class CsvBlocks:
    """The records of a text in blocks, without empty ones. Raises TableError for a quote that is not closed.

    A block in which each line is a record is parsed at once. Anything else, such as quoted line breaks and lines that are too
    long, is parsed record by record.
    """

    def __init__(self, text: TextIO, delimiter: str, number: int = 0) -> None:
        self._text = text
        self._delimiter = delimiter
        self.number = number
        """Lines read so far."""
        self._width: int | None = None

    def __iter__(self) -> Iterator[Block]:
        while piece := self._text.read(BLOCK):
            piece += self._text.readline(MAX_LINE)
            if (conflict := find_conflict(piece)) is not None:
                line = self.number + piece.count("\n", 0, conflict) + 1
                raise ConflictError(line)
            parsed = None if has_long_line(piece) else self._parse_at_once(piece)
            if parsed is None:
                numbered = list(self._parse(piece))
                parsed, odd = ([line for line, _ in numbered], [record for _, record in numbered]), True
            else:
                odd = is_odd(piece)
            block = (*parsed, odd)
            if self._width is None and block[1]:
                self._width = len(block[1][0])
            yield block

    def _parse_at_once(self, piece: str) -> tuple[Sequence[int], Sequence[Record]] | None:
        """None unless each line is a record."""
        lines = io.StringIO(piece, newline="").readlines()
        try:
            records = list(csv.reader(chain(lines, "\n"), delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None
        if len(records) != len(lines) + 1:  # a quoted line break
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
        for numbered in parse_records(lines, self._delimiter, self._width):
            self.number = lines.number
            yield numbered
            if stream.spent:
                return
        self.number = lines.number


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


class RecordLines:
    """Lines of a file, of which those of the present record are kept."""

    def __init__(self, lines: Lines[str]) -> None:
        self._lines = lines
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.taken.append(line)
            yield line


def parse_records(
    lines: Lines[str], delimiter: str, width: int | None = None
) -> Iterator[tuple[int, Record]]:
    """Records one by one, from lines of which the first starts a record. `width`: cells of the header, where it is known.

    Raises TableError where a quote is not closed, or takes in rows.
    """
    taking = RecordLines(lines)
    reader = csv.reader(taking, delimiter=delimiter, strict=True)
    while True:
        line = lines.number + 1
        lines.held = 0
        taking.taken.clear()
        try:
            record = next(reader)
        except StopIteration:
            return
        except (LineTooLongError, csv.Error) as error:
            yield (
                line,
                repaired(taking.taken, delimiter) or why_unreadable(error, taking.taken, line, delimiter),
            )
            # The reader may be in the middle of a line that is too long, or in its quote.
            taking = RecordLines(lines)
            reader = csv.reader(taking, delimiter=delimiter, strict=True)
        else:
            if len(taking.taken) > 1 and takes_in_rows(taking.taken, delimiter, len(record), width):
                raise open_quote(
                    line,
                    taking.taken[0],
                    delimiter,
                    "a quote opens here and is not closed before the rows below",
                )
            if record:
                width = width or len(record)
                yield line, record


def why_unreadable(error: Exception, taken: Sequence[str], line: int, delimiter: str) -> str:
    """Why a record cannot be read, where the lines below it can. Raises TableError where a quote may be open behind it."""
    several = len(taken) > 1 or (len(taken) == 1 and isinstance(error, LineTooLongError))
    if several or (taken and taken[0].count('"') % 2):
        raise open_quote(line, taken[0], delimiter, "a quote opens here and is not closed") from error
    if isinstance(error, csv.Error) and "expected after" in str(error):
        return "cannot read this row: there is text after a closing quote"
    return f"cannot read this row: {error}"


def open_quote(line: int, text: str, delimiter: str, why: str) -> TableError:
    column = 1 + find_open_quote(text, delimiter)
    return TableError(why, line=line, column=column, hint=CLOSE_IT, in_row=True)


def find_open_quote(text: str, delimiter: str) -> int:
    """Where the last quoted cell begins in the first line of a record."""
    starts = re.compile(rf'(?:^|{re.escape(delimiter)})"')
    at = 0
    for found in starts.finditer(text):
        at = found.end() - 1
        closing = re.compile(r'"(?:[^"]|"")*"(?!")').match(text, at)
        if closing is None:
            break
    return at


def repaired(taken: Sequence[str], delimiter: str) -> list[str] | None:
    """A record of one line with blanks between a closing quote and the delimiter, which some programs write."""
    if len(taken) != 1:
        return None
    gap = re.escape(delimiter)
    text = re.sub(rf'((?:^|{gap})"(?:[^"]|"")*")[ \xa0]+(?={gap}|[\r\n]|$)', r"\1", taken[0])
    try:
        [record] = csv.reader([text], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return None
    return record


def takes_in_rows(taken: Sequence[str], delimiter: str, found: int, width: int | None) -> bool:
    """Whether lines of a record look like rows: two with as many cells as a row, and an address in the same of them.

    `found`: cells of the record, `width`: of the header. If they differ, an address in any line but the first is enough.
    """
    seen: set[tuple[int, int]] = set()
    for number, line in enumerate(taken):
        cells = line.rstrip("\r\n").split(delimiter)
        addresses = {(len(cells), at) for at, cell in enumerate(cells) if ADDRESS.fullmatch(cell)}
        if number and addresses and width is not None and found != width:
            return True
        if len(cells) in {found, width}:
            if addresses & seen:
                return True
            seen |= addresses
    return False


def has_long_line(text: str) -> bool:
    """Whether a line can be longer than a cell can be. Never false if one is."""
    return any(
        text.find("\n", start, start + WINDOW) < 0 for start in range(0, len(text) - WINDOW + 1, WINDOW)
    )
