"""Files as rows: CSV and TSV by the standard library's reader, JSON Lines by line. Streamed; a bad row is told, not fatal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any, AnyStr, Generic, Self

from notifyctl.audience.rows import Row
from notifyctl.diagnostics import Location
from notifyctl.ports import FileTree

Cells = Mapping[str, str | None]
"""One row by the source's own column names. `None` where the cell is empty: an empty cell is no value."""

Rows = Callable[[], Iterator[tuple[int, Cells | str]]]
"""Reads from the top: (line, cells or why the row is broken)."""

OURS = ("msisdn", "email", "locale", "timezone", "correlationId")
MAX_FIELD = 1 << 20
"""Characters of a cell."""
MAX_LINE = 4 * MAX_FIELD
"""Characters of a line (bytes in JSON Lines): what is longer is skipped without being held."""
MAX_COLUMNS = 1000


class TableError(Exception):
    """The source as a whole cannot be read."""


class LineTooLongError(Exception):
    """A line was skipped; the next one can be read."""


class Lines(Generic[AnyStr]):
    """The lines of a text or binary stream, in bounded memory. `number` counts those that were read or skipped."""

    def __init__(self, stream: IO[AnyStr]) -> None:
        self.number = 0
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
            raise LineTooLongError(f"it has {MAX_LINE:,} characters or more")
        return line


def read_csv(files: FileTree, path: str, *, delimiter: str = ",") -> tuple[list[str], Rows]:
    """The header, and the rows from the top each time they are asked for. UTF-8, with or without a byte order mark."""
    first = next(records(files, path, delimiter), None)
    if first is None or isinstance(first[1], str):
        raise TableError("the file has no header: its first line names the columns")
    header = [name.strip() for name in first[1]]
    if len(header) > MAX_COLUMNS:
        raise TableError(f"the header names {len(header):,} columns; {MAX_COLUMNS:,} are allowed")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise TableError(f"the header names a column twice: {', '.join(sorted(doubled))}")

    def rows() -> Iterator[tuple[int, Cells | str]]:
        for line, record in islice(records(files, path, delimiter), 1, None):
            yield line, record if isinstance(record, str) else cells_of(header, record)

    return header, rows


def records(files: FileTree, path: str, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line on which it begins, cells or why it cannot be read) of every record that is not empty."""
    csv.field_size_limit(MAX_FIELD)
    with files.open(path) as binary:
        # Undecodable bytes become surrogates, which mark their row as bad instead of ending the file.
        text = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")
        lines = Lines(text)
        reader = csv.reader(lines, delimiter=delimiter, strict=False)
        while True:
            line = lines.number + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except (LineTooLongError, csv.Error) as error:
                if lines.number > line:
                    # A quote is not closed, most likely. What follows is the inside of a cell, and nobody's address.
                    yield line, f"the row cannot be read, nor those below it: {error}; is a quote not closed?"
                    return
                yield line, f"the row cannot be read: {error}"
            else:
                if record:
                    yield line, record


def cells_of(header: Sequence[str], record: Sequence[str]) -> Cells | str:
    if len(record) != len(header):
        return f"the row has {len(record)} cells, the header {len(header)}"
    for cell in record:
        if "\0" in cell:
            return "the row holds a NUL character"
        if not cell.isascii() and any("\udc80" <= character <= "\udcff" for character in cell):
            return "the row is not UTF-8"
    return {name: cell.strip() or None for name, cell in zip(header, record, strict=True)}


def read_jsonl(files: FileTree, path: str) -> tuple[list[str], Rows]:
    """The keys of the first object, and a function that gives (line, cells or why the row is broken)."""

    def rows() -> Iterator[tuple[int, Cells | str]]:
        with files.open(path) as binary:
            lines = Lines(binary)
            while True:
                try:
                    data = next(lines)
                except StopIteration:
                    return
                except LineTooLongError as error:
                    yield lines.number, f"the line cannot be read: {error}"
                else:
                    if data.strip():
                        yield lines.number, object_of(data)

    for _, cells in rows():
        if not isinstance(cells, str):
            return list(cells), rows
    raise TableError("the file has no line with a JSON object")


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
    cells: Iterator[tuple[int, Cells | str]],
    *,
    file: str,
    columns: Mapping[str, str],
    variables: Mapping[str, str],
) -> Iterator[Row]:
    """`columns` maps our names, `variables` the message's, to the source's columns."""
    sources = list(variables.values())
    for line, record in cells:
        place = Location(file, line, 1)
        if isinstance(record, str):
            yield Row(place, {}, None, None, None, (), record)
            continue
        given = {ours: record.get(theirs) for ours, theirs in columns.items()}
        addresses = {name: (given[name],) for name in ("msisdn", "email") if given.get(name)}
        yield Row(
            place,
            addresses,  # type: ignore[arg-type] # empty cells are left out above
            given.get("locale"),
            given.get("timezone"),
            given.get("correlationId"),
            [record.get(column) for column in sources],
        )
