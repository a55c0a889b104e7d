"""Progress of a long plan, as the planner reports it."""

from __future__ import annotations

from msgspec import Struct


class Progress(Struct, frozen=True):
    """Progress of one notification's plan: `rows` read so far, and `share` of the work done, from 0 to 1, where known."""

    notification: str
    doing: str
    rows: int | None = None
    share: float | None = None


def ignore_progress(*_: object) -> None:
    """Ignores every report."""
