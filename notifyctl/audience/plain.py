"""A source that a columnar engine can read by itself: where it is, and what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from notifyctl.audience.rows import Rules
from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class PlainFile:
    """A source that the engine can read by itself. `where`: a checked expression, or None."""

    paths: Sequence[str]
    """On disk; several of Parquet only."""
    name: str
    """In the project."""
    header: Sequence[str]
    columns: Mapping[str, str]
    """Our names → the source's."""
    variables: Mapping[str, str]
    rules: Rules
    open: Callable[[], BinaryIO]
    delimiter: str | None = ","
    """None: Parquet."""
    where: str | None = None
