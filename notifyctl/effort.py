"""What a plan may take, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """How far the plan of one notification is. `rows` were read; `share` of the work is done, from 0 to 1, where that is known."""

    notification: str
    doing: str
    rows: int | None = None
    share: float | None = None


def silent(*_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Effort:
    """`memory`: bytes that a columnar engine may hold, None for its usual; the rest is put aside on the disk."""

    memory: int | None = None
    tell: Callable[[Step], None] = silent


USUAL = Effort()
