"""How long an apply takes at the account's rate, and who would be left when a window closes or a message expires. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from notifyctl.model.project import Limits, TpsCounts
from notifyctl.model.recipients import Scope


class Leg(Struct, frozen=True):
    """Recipients of one scope who go together: from `start` on, and until `closes` at the latest. `final`: who is left then
    expires.
    """

    scope: Scope
    people: int
    start: datetime
    closes: datetime | None = None
    final: bool = False


class Forecast(Struct, frozen=True):
    """`takes`: seconds of sending. `ends`: when the last of them is sent. `left`: who is not sent to by `closes`."""

    takes: float
    ends: datetime
    left: int = 0
    expiring: int = 0
    """Those of `left` who expire then."""
    closes: datetime | None = None


def people_per_second(limits: Limits) -> float:
    if limits.tps_counts is TpsCounts.DESTINATIONS:
        return float(limits.tps)
    return float(limits.tps * limits.destinations_per_request)


def forecast(legs: Iterable[Leg], limits: Limits) -> dict[Scope, Forecast]:
    """One after the other at the account's rate, the earliest first."""
    rate, free = people_per_second(limits), None
    found: dict[Scope, Forecast] = {}
    for leg in sorted(legs, key=lambda each: (each.start, each.scope)):
        start = leg.start if free is None else max(free, leg.start)
        most = leg.people
        if leg.closes is not None:
            most = min(most, max(0, int((leg.closes - start).total_seconds() * rate)))
        seconds, left = most / rate, leg.people - most
        free = start + timedelta(seconds=seconds)
        before = found.get(leg.scope)
        found[leg.scope] = Forecast(
            takes=seconds + (before.takes if before else 0.0),
            ends=max(free, before.ends) if before else free,
            left=left + (before.left if before else 0),
            expiring=(left if leg.final else 0) + (before.expiring if before else 0),
            closes=(leg.closes if left else None) or (before.closes if before else None),
        )
    return found
