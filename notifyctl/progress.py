"""Limits on the resources that a plan can use, and its progress."""

from __future__ import annotations

from collections.abc import Callable

from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of one notification's plan: `rows` read so far, and `share` of the work done, from 0 to 1, where known."""

    notification: str
    doing: str
    rows: int | None = None
    share: float | None = None


def ignore_progress(*_: object) -> None:
    """Ignores every report."""


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """`memory`: bytes that DuckDB can hold before it spills to disk; None for its default."""

    memory: int | None = None
    tell: Callable[[Progress], None] = ignore_progress


DEFAULT_LIMITS = ResourceLimits()
