"""`policy.accept`: what the acceptance of a series needs."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class AcceptBy(StrEnum):
    """Who can accept a series."""

    ANYONE = "anyone"
    ANOTHER = "another"  # somebody who wrote none of it


class AcceptRule(Struct, frozen=True):
    """`above`: the most recipients of an occurrence up to which `by` is not asked for. `proven`: a claimed name is not enough."""

    by: AcceptBy = AcceptBy.ANYONE
    above: int = 0
    proven: bool = False
