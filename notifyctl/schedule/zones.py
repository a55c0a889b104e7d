"""Converts between local times and instants across daylight saving: a gap maps to its first valid instant, an overlap
to its first hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=512)
def load_zone(name: str) -> ZoneInfo:
    """The IANA zone. Raises ZoneInfoNotFoundError for any name that is not one."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ZoneInfoNotFoundError(f"{name!r} is no time zone") from error


def to_instant(local: datetime, zone_name: str) -> datetime:
    """The UTC instant of a local time; an aware time is converted."""
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    place = load_zone(zone_name)
    first = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    if first.astimezone(place).replace(tzinfo=None) == local:
        return first
    return find_transition(local.replace(tzinfo=place, fold=1).astimezone(UTC), first, place)


def find_transition(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """The instant, to the second, between two others at which the zone's offset changes."""
    old = before.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(place).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def to_local(moment: datetime, zone_name: str) -> datetime:
    """The local time of an instant, naive."""
    return moment.astimezone(load_zone(zone_name)).replace(tzinfo=None)
