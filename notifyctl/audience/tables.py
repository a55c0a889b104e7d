"""Files as rows: separated values by the standard library's reader, JSON Lines by line. Streamed; a bad row is told, not fatal."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, AnyStr, BinaryIO, Generic, Protocol, Self, TypeVar

from notifyctl.audience.rows import Row
from notifyctl.audience.streams import TableError as TableError  # noqa: PLC0414 - also of tables, for who reads them
from notifyctl.audience.streams import opener
from notifyctl.ports import FileTree

Cells = Mapping[str, str | None]
"""One row by the source's own column names. `None` where the cell is empty: an empty cell is no value."""

OURS = ("msisdn", "email", "locale", "timezone", "correlationId")
MAX_FIELD = 1 << 20
"""Characters of a cell."""
MAX_LINE = 4 * MAX_FIELD
"""Characters of a line, or of a record of several lines (bytes in JSON Lines): what is longer is skipped without being held."""
TOO_LONG = f"it has {MAX_LINE:,} characters or more"
MAX_COLUMNS = 1000
UTF_8 = "utf-8-sig"
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""How a file begins → its encoding. That of UTF-8 is a case of UTF_8."""
COMMA = ","
OTHER_DELIMITERS = ";\t|"
IN_QUOTES = re.compile(r'"[^"]*"?')


class Table(Protocol):
    """A source with a header, whose rows come in the same order each time. Reading raises TableError where it breaks off."""

    @property
    def header(self) -> Sequence[str]: ...

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        """(line, or number from 1 where there are no lines; the row, or why it cannot be read)."""

    def rows(self, columns: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Row]:
        """`columns` maps our names, `variables` the message's, to the source's."""


class LineTooLongError(Exception):
    """A line was skipped; the next one can be read."""


T_co = TypeVar("T_co", str, bytes, covariant=True)


class Stream(Protocol[T_co]):
    def readline(self, size: int, /) -> T_co: ...


class Lines(Generic[AnyStr]):
    """The lines of a text or binary stream, in bounded memory. `number` counts those that were read or skipped, `held` the
    characters since somebody began to count: those of the record that is being read. `ended`: nothing behind them can be read.
    """

    def __init__(self, stream: Stream[AnyStr], number: int = 0) -> None:
        self.number = number
        self.held = 0
        self.ended = False
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


class Csv:
    """Separated values with a header, packed or not. `encoding` None: what the byte order mark says, else UTF-8. `delimiter`
    None: what the header says, a comma if there is one in it.
    """

    def __init__(
        self, files: FileTree, path: str, *, delimiter: str | None = None, encoding: str | None = None
    ) -> None:
        """Raises TableError."""
        opened = opener(files, path)
        self.encoding = encoding or marked(opened)
        self.delimiter = delimiter or delimiter_of(opened, self.encoding)
        self._records = partial(records, opened, self.delimiter, self.encoding)
        first = next(self._records(), None)
        if first is None or isinstance(first[1], str):
            raise TableError("the file has no header: its first line names the columns")
        self.header = sound_header([name.strip() for name in first[1]])

    def records(self) -> Iterator[tuple[int, list[str] | str]]:
        """The header and the rows as they are written, with their lines."""
        return self._records()

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, record in islice(self._records(), 1, None):
            wrong = record if isinstance(record, str) else blemish(record, len(self.header))
            yield (
                line,
                wrong or {name: cell.strip() or None for name, cell in zip(self.header, record, strict=True)},
            )

    def rows(self, columns: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Row]:
        """By position: no row is turned into a mapping. What the header has not is read from a last, empty cell."""
        at = {name: number for number, name in enumerate(self.header)}
        width = len(self.header)
        msisdn, email, locale, timezone, correlation = (at.get(columns[ours], width) for ours in OURS)
        sources = [at.get(column, width) for column in variables.values()]
        for line, record in islice(self._records(), 1, None):
            wrong = record if isinstance(record, str) else blemish(record, width)
            if wrong:
                yield broken(line, wrong)
                continue
            cells = [cell.strip() or None for cell in record]
            cells.append(None)
            number, mail = cells[msisdn], cells[email]
            yield Row(
                line,
                1,
                (number,) if number else (),
                (mail,) if mail else (),
                cells[locale],
                cells[timezone],
                cells[correlation],
                [cells[source] for source in sources],
            )


def sound_header(header: list[str]) -> list[str]:
    """Raises TableError."""
    if len(header) > MAX_COLUMNS:
        raise TableError(f"the header names {len(header):,} columns; {MAX_COLUMNS:,} are allowed")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise TableError(f"the header names a column twice: {', '.join(sorted(doubled))}")
    return header


def marked(opened: Callable[[], BinaryIO]) -> str:
    """The encoding that a byte order mark tells of."""
    with opened() as binary:
        return MARKS.get(binary.read(2), UTF_8)


def delimiter_of(opened: Callable[[], BinaryIO], encoding: str) -> str:
    """A comma, unless the header has none and another of the usual ones: then the most frequent."""
    with opened() as binary:
        text = io.TextIOWrapper(binary, encoding=encoding, errors="replace", newline="")
        bare = IN_QUOTES.sub("", text.readline(MAX_FIELD))
    return COMMA if COMMA in bare else max(COMMA + OTHER_DELIMITERS, key=bare.count)


def records(
    opened: Callable[[], BinaryIO], delimiter: str, encoding: str
) -> Iterator[tuple[int, list[str] | str]]:
    """(line on which it begins, cells or why it cannot be read) of every record that is not empty."""
    csv.field_size_limit(MAX_FIELD)
    with opened() as binary:
        # Undecodable bytes become surrogates, which mark their row as bad instead of ending the file.
        lines = Lines(io.TextIOWrapper(binary, encoding=encoding, errors="surrogateescape", newline=""))
        try:
            yield from parsed(lines, delimiter)
        except UnicodeDecodeError as error:
            raise TableError(
                f"it is not {encoding} from line {lines.number + 1} on: {error.reason}"
            ) from error


def parsed(lines: Lines[str], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """The same of lines, the first of which begins a record."""
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
                # A quote is not closed, most likely. What follows is the inside of a cell, and nobody's address.
                lines.ended = True
                yield line, f"the row cannot be read, nor those below it: {error}; is a quote not closed?"
                return
            yield line, f"the row cannot be read: {error}"
        else:
            if record:
                yield line, record


NOT_DECODED = "the row is not in the file's encoding, UTF-8 unless `source: {encoding: …}` names another"


def blemish(record: Sequence[str], width: int) -> str | None:
    """Why a record cannot be read."""
    if len(record) != width:
        return wrong_width(len(record), width)
    joined = "".join(record)
    if "\0" in joined:
        return "the row holds a NUL character"
    if not joined.isascii() and any("\udc80" <= character <= "\udcff" for character in joined):
        return NOT_DECODED
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

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, data in self.raw():
            yield line, object_of(data) if isinstance(data, bytes) else data

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

    def rows(self, columns: Mapping[str, str], variables: Mapping[str, str]) -> Iterator[Row]:
        return to_rows(self.cells(), columns, variables)


def object_of(data: bytes) -> Cells | str:
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
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_rows(
    cells: Iterator[tuple[int, Cells | str]], columns: Mapping[str, str], variables: Mapping[str, str]
) -> Iterator[Row]:
    """`columns` maps our names, `variables` the message's, to the source's columns."""
    sources = list(variables.values())
    for line, record in cells:
        if isinstance(record, str):
            yield broken(line, record)
            continue
        msisdn, email, locale, timezone, correlation = (record.get(columns[ours]) for ours in OURS)
        yield Row(
            line,
            1,
            (msisdn,) if msisdn else (),
            (email,) if email else (),
            locale,
            timezone,
            correlation,
            [record.get(column) for column in sources],
        )


def broken(line: int, why: str) -> Row:
    return Row(line, 1, (), (), None, None, None, (), why)
