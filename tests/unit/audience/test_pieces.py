"""A text cut into pieces has the records of the text, wherever it is cut."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.audience.pieces import Cutter, Lined
from notifyctl.audience.tables import UTF_8, blemish, records

TEXTS = st.text(st.sampled_from('ab,,,\n\n\r""\0é\u2028\udcff'), max_size=80)
WIDTH = 2
Numbered = list[tuple[int, list[str]]]
Told = list[tuple[int, str]]


def in_pieces(data: bytes, size: int) -> tuple[Numbered, int, Told]:
    cutter = Cutter(name="p.csv", delimiter=",", encoding=UTF_8, width=WIDTH, size=size)
    found: Numbered = []
    for piece in cutter.pieces(lambda: BytesIO(data)):
        rows = (
            [line.split(",") for line in piece.lines] if isinstance(piece, Lined) else map(list, piece.cells)
        )
        found += zip(piece.numbers, rows, strict=True)
    told = [(row.location.line, row.detail) for rows in cutter.excluded.first.values() for row in rows]
    return found, sum(cutter.excluded.counts.values()), told


def as_a_whole(data: bytes) -> tuple[Numbered, int, Told]:
    found, told = Numbered(), Told()
    for line, record in list(records(lambda: BytesIO(data), ",", UTF_8))[1:]:
        wrong = record if isinstance(record, str) else blemish(record, WIDTH)
        if wrong:
            told.append((line, wrong))
        elif not isinstance(record, str):
            found.append((line, record))
    return found, len(told), told[:20]


@settings(max_examples=600, deadline=None)
@given(
    header=st.sampled_from(["a,b\n", '\n\n"a\n",b\r\n', "a,b", 'a,"b"\r']),
    text=TEXTS,
    size=st.integers(1, 90),
)
def test_it_has_the_same_records(header: str, text: str, size: int) -> None:
    data = (header + text).encode("utf-8", "surrogateescape")
    assert in_pieces(data, size) == as_a_whole(data)
