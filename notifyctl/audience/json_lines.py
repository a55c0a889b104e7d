"""Reads JSON Lines: objects, one a line. A value is looked at when its column is read."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

from notifyctl.audience.cell_values import chunks_of_rows, text_column
from notifyctl.audience.compression import ConflictError, TableError, opener
from notifyctl.audience.readers import (
    CHUNK,
    Cells,
    Chunk,
    Column,
    FlawedColumn,
    Lines,
    LineTooLongError,
)
from notifyctl.audience.table_encoding import (
    NOT_DECODED,
    UTF_8,
    detect_encoding,
    is_utf8_name,
    refuse_other_encoding,
)
from notifyctl.merge_conflicts import find_conflict
from notifyctl.ports import FileTree

CONFLICT_SIGNS = (b"<<<<<<<", b">>>>>>>")


class JsonLines:
    """Objects, one a line. The header is the keys of the first one. Without `encoding` the byte order mark decides, else UTF-8."""

    def __init__(self, files: FileTree, path: str, *, encoding: str | None = None) -> None:
        """Raises TableError."""
        self._open = opener(files, path)
        self._encoding_checked = False
        self.encoding = encoding or detect_encoding(self._open)
        first = next((row for _, row, _ in self._rows() if not isinstance(row, str)), None)
        if first is None:
            self._refuse_other_encoding(1, "")
            raise TableError("no line of the file is a JSON object")
        self.header: Sequence[str] = [name for name in first if name.strip()]

    def _refuse_other_encoding(self, line: int, text: str) -> None:
        if is_utf8_name(self.encoding) and not self._encoding_checked:
            refuse_other_encoding(self._open, line, text)
            self._encoding_checked = True  # it took a look at the whole file

    def _rows(self) -> Iterator[tuple[int, dict[str, Any] | str, int]]:
        for line, data in self.raw():
            yield line, parse_object(data) if isinstance(data, bytes) else data, len(data)

    def chunks(
        self,
        size: int = CHUNK,
        names: Collection[str] | None = None,  # noqa: ARG002 - a column is read when it is used
    ) -> Iterator[Chunk]:
        for chunk in chunks_of_rows(self._rows(), lambda row, name: row.get(name), size, strip=False):
            yield Chunk(chunk.lines, partial(self._column, chunk), chunk.broken)

    def _column(self, chunk: Chunk, name: str) -> Column | FlawedColumn:
        """Raises TableError where the file has another encoding."""
        cells, flaws = chunk.column(name), chunk.flaws(name)
        for at, why in flaws.items():
            if why == NOT_DECODED:
                self._refuse_other_encoding(chunk.lines[at], "")
        return FlawedColumn(cells, flaws)

    def cells(self) -> Iterator[tuple[int, Cells | str]]:
        for line, row, _ in self._rows():
            if isinstance(row, str):
                yield line, row
            else:
                read = text_column(list(row.values()), strip=False)
                cells = read.cells if isinstance(read, FlawedColumn) else read
                yield line, dict(zip(row, cells, strict=True))

    def raw(self) -> Iterator[tuple[int, bytes | str]]:
        """(line, its bytes in UTF-8 or why it cannot be read) of every line that is not empty."""
        with self._open() as binary:
            text = None
            if not is_utf8_name(self.encoding):
                text = io.TextIOWrapper(
                    binary, encoding=self.encoding, errors="surrogateescape", newline="\n"
                )
            lines: Lines[Any] = Lines(binary) if text is None else Lines(text)
            while True:
                lines.held = 0
                try:
                    line: str | bytes = next(lines)
                except StopIteration:
                    return
                except LineTooLongError as error:
                    yield lines.number, f"cannot read this line: {error}"
                except UnicodeDecodeError as error:
                    raise TableError(f"it is not {self.encoding}: {error.reason}") from error
                else:
                    data = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else line
                    if (
                        data.startswith(CONFLICT_SIGNS)
                        and find_conflict(data.decode("utf-8", "replace")) is not None
                    ):
                        raise ConflictError(lines.number)
                    if data.strip():
                        yield lines.number, data


def parse_object(data: bytes) -> dict[str, Any] | str:
    """A JSON object, or why the line cannot be read. Bytes that are not UTF-8 become surrogates, for their columns to tell."""
    try:
        value = json.loads(data.decode(UTF_8, "surrogateescape"))
    except (ValueError, RecursionError) as error:
        return f"the line is not valid JSON: {error}"
    return value if isinstance(value, dict) else "the line is not a JSON object"
