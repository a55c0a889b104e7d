"""Values of JSON and databases as the texts of cells. What is no text is a flaw of its column, on every engine by the same rule.

Texts, numbers, truth values, dates, times and intervals are texts. Lists, objects, bytes, and numbers or times that are none
(NaN, infinity) are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, TypeVar

from msgspec import Struct

from notifyctl.audience.readers import (
    MAX_CHUNK_CHARACTERS,
    MAX_FIELD,
    Chunk,
    Column,
    FlawedColumn,
    cell_text,
)
from notifyctl.audience.table_encoding import is_odd, odd_text

NEITHER = "is neither a text nor a number"
NOT_FINITE = "is NaN or infinity, which is not a valid value"
TOO_LONG = f"has more than {MAX_FIELD:,} characters"
NOT_FINITE_TEXTS = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})
"""How engines write such numbers and times, in lower case."""
R = TypeVar("R")


class NoText(Struct, frozen=True):
    """What stands for a value that is no text: the end of a sentence about its column."""

    why: str


def text_column(values: Sequence[Any], *, strip: bool) -> Column | FlawedColumn:
    """`strip`: without blanks around texts; then a blank one is no value."""
    if are_plain_texts(values):
        if strip:
            return [(text.strip() or None) if text else None for text in values]
        return [text or None for text in values]
    cells: list[str | None] = []
    flaws: dict[int, str] = {}
    for at, value in enumerate(values):
        why = flaw_of(value)
        if why is not None:
            flaws[at] = why
            cells.append(None)
            continue
        text = cell_text(value)
        cells.append((text.strip() or None) if strip and text is not None else text)
    return FlawedColumn(cells, flaws) if flaws else cells


def are_plain_texts(values: Sequence[Any]) -> bool:
    """Whether a column has sound texts and nothing else, as nearly all have: found out of all of them together."""
    try:
        joined = "".join([value for value in values if value is not None])
    except TypeError:
        return False
    return (
        not is_odd(joined)
        and len(joined) <= MAX_CHUNK_CHARACTERS
        and all(value is None or len(value) <= MAX_FIELD for value in values)
    )


def flaw_of(value: object) -> str | None:
    """Why a value is no text: the end of a sentence."""
    if isinstance(value, str):
        if is_odd(value):
            return odd_text(value)
        return TOO_LONG if len(value) > MAX_FIELD else None
    if isinstance(value, float):
        return None if isfinite(value) else NOT_FINITE
    if isinstance(value, NoText):
        return value.why
    if isinstance(value, bytes | bytearray | memoryview | list | dict | tuple):
        return NEITHER
    return None


def json_value(text: str) -> object:
    """A value of a database's JSON column: numbers as they are written; NoText for a list or an object."""
    if text.lstrip()[:1] in {"{", "["}:
        return NoText(NEITHER)
    try:
        return json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        return text


def finite(text: str) -> object:
    """A number or time as an engine writes it."""
    return NoText(NOT_FINITE) if text.lower() in NOT_FINITE_TEXTS else text


def chunks_of_rows(
    rows: Iterable[tuple[int, R | str, int]],
    get: Callable[[R, str], Any],
    size: int,
    *,
    strip: bool = True,
) -> Iterator[Chunk]:
    """Rows with their lines and sizes in characters as columns. A row is a text where it cannot be read."""
    taken: list[tuple[int, R | str]] = []
    weight = 0
    for line, row, characters in rows:
        taken.append((line, row))
        weight += characters
        if len(taken) == size or weight >= MAX_CHUNK_CHARACTERS:
            yield chunk_of_rows(taken, get, strip=strip)
            taken, weight = [], 0
    if taken:
        yield chunk_of_rows(taken, get, strip=strip)


def chunk_of_rows(rows: Sequence[tuple[int, R | str]], get: Callable[[R, str], Any], *, strip: bool) -> Chunk:
    broken = {at: row for at, (_, row) in enumerate(rows) if isinstance(row, str)}

    def read(name: str) -> Column | FlawedColumn:
        values = [None if isinstance(row, str) else get(row, name) for _, row in rows]
        return text_column(values, strip=strip)

    return Chunk([line for line, _ in rows], read, broken)
