"""Chunks of a file are the rows that its records are, whatever the size of the chunks and blocks they are read in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience import readers
from notifyctl.audience.compression import TableError
from notifyctl.audience.csv_reader import Csv
from notifyctl.audience.csv_records import CsvBlocks, parse_records
from notifyctl.audience.json_lines import JsonLines
from notifyctl.audience.readers import Chunk, Lines
from notifyctl.testing import MemoryFiles

cells = st.one_of(
    st.text(st.sampled_from("ab \t\u00e9\u20ac"), max_size=4),
    st.sampled_from(
        [
            "",
            "+447700900123",
            "x\0y",
            '"a,b"',
            '"a\nb"',
            '"open',
            "\udcff",
            "ada@reader.example",
            '""',
            "a\rb",
        ]
    ),
)
rows = st.lists(st.lists(cells, min_size=1, max_size=5).map(",".join), max_size=12)
headers = st.lists(st.sampled_from(["msisdn", "name", "phone", "area"]), min_size=3, max_size=4, unique=True)
ends = st.sampled_from(["\n", "\r\n", "\r"])


def table(header: list[str], body: list[str], end: str) -> Csv:
    text = end.join([",".join(header), *body])
    return Csv(MemoryFiles({"p.csv": text.encode("utf-8", "surrogateescape")}), "p.csv")


@given(header=headers, body=rows, end=ends, size=st.integers(1, 5))
def test_chunks_are_the_rows_by_columns(header: list[str], body: list[str], end: str, size: int) -> None:
    found = outcome(lambda: [table(header, body, end)])
    if isinstance(found, str):
        return  # a quote of the first rows is open
    [rows] = found

    def by_chunks() -> Iterator[Any]:
        for chunk in rows.chunks(size):
            assert len(chunk) <= size
            columns = [chunk.column(name) for name in header]
            for at, line in enumerate(chunk.lines):
                cells = {name: column[at] for name, column in zip(header, columns, strict=True)}
                flaw = next((chunk.flaws(name)[at] for name in header if at in chunk.flaws(name)), None)
                yield line, chunk.broken.get(at) or (flaw and f"the row {flaw}") or cells

    assert outcome(by_chunks) == outcome(rows.cells)


def outcome(read: Callable[[], Iterable[Any]]) -> list[Any] | str:
    """What is read, or why nothing is."""
    try:
        return list(read())
    except TableError as error:
        return f"{error}"


class Text:
    """A text stream whose blocks are a few characters."""

    def __init__(self, text: str, block: int) -> None:
        import io

        self._stream, self._block = io.StringIO(text, newline=""), block

    def read(self, _size: int) -> str:
        return self._stream.read(self._block)

    def readline(self, size: int) -> str:
        return self._stream.readline(size)


@given(header=headers, body=rows, end=ends, block=st.integers(1, 40))
def test_blocks_are_the_records_one_by_one(header: list[str], body: list[str], end: str, block: int) -> None:
    csv.field_size_limit(readers.MAX_FIELD)
    text = end.join([",".join(header), *body])
    one_by_one = outcome(lambda: parse_records(Lines(Text(text, 1)), ",", len(header)))
    blocks = CsvBlocks(Text(text, block), ",")  # type: ignore[arg-type]
    assert (
        outcome(lambda: (row for lines, records, _ in blocks for row in zip(lines, records, strict=True)))
        == one_by_one
    )


def test_a_chunk_ends_when_it_is_large() -> None:
    long = "x" * (1 << 20)
    rows = [f"+4477009{n:05},{long}" for n in range(40)]
    files = MemoryFiles({"p.csv": "\n".join(["msisdn,name", *rows]).encode()})
    chunks = list(Csv(files, "p.csv").chunks())
    assert [line for chunk in chunks for line in chunk.lines] == list(range(2, 42))
    assert max(map(len, chunks)) < 20
    lines = [f'{{"msisdn": "+4477009{n:05}", "name": "{long}"}}' for n in range(40)]
    files = MemoryFiles({"p.jsonl": "\n".join(lines).encode()})
    assert [len(chunk) for chunk in JsonLines(files, "p.jsonl").chunks()] == [4] * 10


def test_a_column_is_read_when_it_is_used() -> None:
    read: list[str] = []

    def cells(name: str) -> list[str | None]:
        read.append(name)
        return [name, None, name]

    chunk = Chunk([2, 3, 4], cells, {1: "broken"})
    kept = chunk.select([False, True, True])
    assert (read, list(kept.lines), kept.broken) == ([], [3, 4], {0: "broken"})
    assert [kept.column("a"), kept.column("a"), chunk.column("a")] == [[None, "a"]] * 2 + [["a", None, "a"]]
    assert read == ["a"]


def test_where_a_file_cannot_be_decoded_is_told_by_its_line() -> None:
    """As far as the decoder comes: it reads some thousand bytes ahead, and not a block."""
    text = "msisdn,name\n" + "+447700900001,Ada\n" * 60_000
    files = MemoryFiles({"p.csv": text.encode("utf-16-le") + b"\x00\xd8\x00\x00"})
    with pytest.raises(TableError, match=r"from line (59[89][0-9]{2}|60000) on"):
        list(Csv(files, "p.csv", encoding="utf-16-le").chunks())
