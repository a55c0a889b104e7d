"""Limits on the resources that a plan can use, and its progress."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct


class Progress(Struct, frozen=True):
    """Progress of one notification's plan: `rows` read so far, and `share` of the work done, from 0 to 1, where known."""

    notification: str
    doing: str
    rows: int | None = None
    share: float | None = None


def ignore_progress(*_: object) -> None:
    """Ignores every report."""


class ResourceLimits(Struct, frozen=True):
    """`memory`: bytes that DuckDB can hold before it spills to disk; None for its default."""

    memory: int | None = None
    tell: Callable[[Progress], None] = ignore_progress


DEFAULT_LIMITS = ResourceLimits()
