"""Numbers and booleans of `vars`: they compare and calculate as YAML's value, and print as they are written in the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


class _Written:
    """`written`: the characters in the file, such as `9.50`, `08000123456` or `True`."""

    written: str

    def __str__(self) -> str:
        return self.written

    __repr__ = __str__


class WrittenInt(_Written, int):
    def __new__(cls, value: int, written: str) -> Self:
        made = super().__new__(cls, value)
        made.written = written
        return made


class WrittenFloat(_Written, float):
    def __new__(cls, value: float, written: str) -> Self:
        made = super().__new__(cls, value)
        made.written = written
        return made


class WrittenBool(_Written, int):
    """A boolean, which Python allows no subclass of. It equals True or False."""

    def __new__(cls, value: bool, written: str) -> Self:  # noqa: FBT001 - the value itself
        made = super().__new__(cls, value)
        made.written = written
        return made


def as_written(
    value: float | bool,  # noqa: FBT001 - the value itself
    written: str,
) -> WrittenInt | WrittenFloat | WrittenBool:
    """Ties a value to how it is written."""
    if isinstance(value, bool):
        return WrittenBool(value, written)
    return WrittenInt(value, written) if isinstance(value, int) else WrittenFloat(value, written)


def plain(value: Any) -> Any:
    """Python's own value for a written one, also inside lists and mappings."""
    if isinstance(value, WrittenBool):
        return bool(value)
    if isinstance(value, WrittenInt):
        return int(value)
    if isinstance(value, WrittenFloat):
        return float(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
