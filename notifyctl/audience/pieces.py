"""A text of separated values cut into pieces that are worked on as wholes: lines without quotes stay lines, what has quotes is
parsed by the standard library. The records, and what is told of broken ones, are those of `tables.records`, at a
fraction of the time: nothing is made of a row that cannot be read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress, islice, repeat
from operator import and_
from typing import BinaryIO, NamedTuple, TextIO

from notifyctl.audience.excluded import LISTED_ROWS, Excluded
from notifyctl.audience.tables import MAX_FIELD, MAX_LINE, Lines, blemish, parsed
from notifyctl.diagnostics import Location
from notifyctl.model.recipients import RejectedRow, RowRejection

PIECE = 1 << 22
"""Characters of a piece. What is made of it lies in memory."""
WINDOW = MAX_FIELD // 2
"""A line with a cell that is too long covers one of these, wherever it begins."""
NOT_DECODED = re.compile("[\udc80-\udcff]")

Record = Sequence[str] | str


class Lined(NamedTuple):
    """Rows as lines without quotes: cut at each delimiter they have the header's width. Cells are not stripped."""

    numbers: Sequence[int]
    lines: Sequence[str]


class Celled(NamedTuple):
    """Rows as cells, as many as the header has. They are not stripped."""

    numbers: Sequence[int]
    cells: Sequence[Sequence[str]]


class Continued:
    """A piece of a text, and then the rest of it."""

    def __init__(self, piece: str, rest: TextIO) -> None:
        self._piece, self._size, self._rest = io.StringIO(piece, newline=""), len(piece), rest

    @property
    def spent(self) -> bool:
        return self._piece.tell() == self._size

    def readline(self, size: int) -> str:
        line = self._piece.readline(size)
        if len(line) == size or line.endswith(("\n", "\r")):
            return line
        return line + self._rest.readline(size - len(line))


class Cutter:
    """One pass over the rows of a text. `excluded` are the broken ones."""

    def __init__(self, *, name: str, delimiter: str, encoding: str, width: int, size: int = PIECE) -> None:
        self.name, self.delimiter, self.encoding, self.width, self.size = (
            name,
            delimiter,
            encoding,
            width,
            size,
        )
        self.excluded = Excluded()
        self.number = 0
        self.ended = False

    def pieces(self, opened: Callable[[], BinaryIO]) -> Iterator[Lined | Celled]:
        """Raises TableError, and UnicodeDecodeError."""
        csv.field_size_limit(MAX_FIELD)
        with opened() as binary:
            text = io.TextIOWrapper(binary, encoding=self.encoding, errors="surrogateescape", newline="")
            above = Lines(text)
            next(parsed(above, self.delimiter), None)
            self.number = above.number
            while not self.ended and (piece := text.read(self.size)):
                yield self._worked(piece + text.readline(MAX_LINE), text)

    def _worked(self, piece: str, text: TextIO) -> Lined | Celled:
        even = piece.replace("\r\n", "\n").replace("\r", "\n") if "\r" in piece else piece
        if has_long_line(even):
            return self._celled(self._parsed(piece, text))
        if '"' in piece:
            lines = io.StringIO(piece, newline="").readlines()
            if records := self._parsed_at_once(lines):
                return self._celled(records, strange=has_strange(even))
            return self._celled(self._parsed(piece, text))
        lines = even.split("\n")
        if not lines[-1]:
            lines.pop()
        return self._lined(lines, strange=has_strange(even))

    # Lines

    def _lined(self, lines: Sequence[str], *, strange: bool) -> Lined:
        numbers = range(self.number + 1, self.number + 1 + len(lines))
        self.number += len(lines)
        bars = self.width - 1
        fits = list(map(bars.__eq__, map(str.count, lines, repeat(self.delimiter))))
        if not bars:
            fits = list(map(and_, fits, map(bool, lines)))
        if strange:
            sound = ["\0" not in line and (line.isascii() or not NOT_DECODED.search(line)) for line in lines]
            fits = list(map(and_, fits, sound))
        if all(fits):
            return Lined(numbers, lines)
        count = len(lines) - lines.count("") - sum(fits)
        if count:
            bad = (at for at, fit in enumerate(fits) if not fit and lines[at])
            last = next(at for at in reversed(range(len(lines))) if not fits[at] and lines[at])
            listed = [*islice(bad, LISTED_ROWS), last]
            self._tell(count, [(numbers[at], lines[at].split(self.delimiter)) for at in listed])
        return Lined(list(compress(numbers, fits)), list(compress(lines, fits)))

    # Cells

    def _parsed_at_once(self, lines: Sequence[str]) -> list[tuple[int, Record]]:
        """Where each line is a record; else none."""
        try:
            records = list(csv.reader(chain(lines, "\n"), delimiter=self.delimiter))
        except csv.Error:
            return []
        if len(records) != len(lines) + 1:  # the line behind them is inside a quote, or one of them is
            return []
        start = self.number + 1
        self.number += len(lines)
        return [(number, record) for number, record in enumerate(records, start) if record]

    def _parsed(self, piece: str, text: TextIO) -> Iterator[tuple[int, Record]]:
        """One by one. What begins in the piece may end beyond it."""
        stream = Continued(piece, text)
        lines = Lines[str](stream, self.number)
        for numbered in parsed(lines, self.delimiter):
            self.number = lines.number
            yield numbered
            self.ended = lines.ended
            if stream.spent:
                return
        self.ended = True

    def _celled(self, records: Iterable[tuple[int, Record]], *, strange: bool = True) -> Celled:
        if not strange:
            numbers, rows = zip(*records, strict=True)
            if set(map(len, rows)) == {self.width}:
                return Celled(numbers, rows)
            records = zip(numbers, rows, strict=True)
        good: list[tuple[int, Sequence[str]]] = []
        bad: list[tuple[int, Record]] = []
        for numbered in records:
            number, record = numbered
            if isinstance(record, str) or len(record) != self.width or has_strange("".join(record)):
                bad.append(numbered)
            else:
                good.append((number, record))
        if bad:
            self._tell(len(bad), [*bad[:LISTED_ROWS], bad[-1]])
        return Celled([number for number, _ in good], [record for _, record in good])

    def _tell(self, count: int, listed: Sequence[tuple[int, Record]]) -> None:
        """`listed`: the first ones, and the last."""
        told = [self._told(*each) for each in listed]
        self.excluded.add_many(RowRejection.BAD_ROW, count, told if count > LISTED_ROWS else told[:count])

    def _told(self, line: int, record: Record) -> RejectedRow:
        why = record if isinstance(record, str) else blemish(record, self.width)
        return RejectedRow(RowRejection.BAD_ROW, Location(self.name, line, 1), str(why))


def has_long_line(text: str) -> bool:
    """Whether a line may be longer than a cell may be. Never false where one is."""
    return any(
        text.find("\n", start, start + WINDOW) < 0 for start in range(0, len(text) - WINDOW + 1, WINDOW)
    )


def has_strange(text: str) -> bool:
    """Whether there is a NUL, or what could not be decoded."""
    return "\0" in text or (not text.isascii() and NOT_DECODED.search(text) is not None)
