"""What a plan may take, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the plan of one notification is. `rows` were read; `share` of the work is done, from 0 to 1, where that is known."""

    notification: str
    doing: str
    rows: int | None = None
    share: float | None = None


def ignore_progress(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """`memory`: bytes that a columnar engine may hold, None for its usual; the rest is put aside on the disk."""

    memory: int | None = None
    tell: Callable[[Progress], None] = ignore_progress


DEFAULT_LIMITS = ResourceLimits()
