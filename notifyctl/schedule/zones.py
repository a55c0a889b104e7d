"""Converts between local times and instants across clock changes, and names an instant by what the wall clock reads then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct


@lru_cache(maxsize=1024)
def load_zone(name: str) -> ZoneInfo:
    """The IANA zone. Raises ZoneInfoNotFoundError for any name that is not one."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:
        raise ZoneInfoNotFoundError(f'"{name}" is not an IANA time zone') from error


@lru_cache(maxsize=10_000)
def is_zone(name: str) -> bool:
    """Whether it is the name of an IANA time zone."""
    try:
        load_zone(name)
    except ZoneInfoNotFoundError:
        return False
    return True


def to_instant(local: datetime, zone_name: str, *, last: bool = False) -> datetime:
    """The UTC instant of a local time; an aware time is converted.

    A time that a clock change skips is the first instant after it. One that comes twice is its first instant, or with `last`
    its second.
    """
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    place = load_zone(zone_name)
    first = local.replace(tzinfo=place, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=place, fold=1).astimezone(UTC)
    if first <= second:
        return second if last else first
    # Inside a gap `fold` stands for the offset before and after: the change lies between the two.
    return find_transition(second, first, place)


def is_skipped(local: datetime, zone_name: str) -> bool:
    """Whether a clock change skips this naive local time."""
    return to_local(to_instant(local, zone_name), zone_name) != local


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


def reading(moment: datetime, zone_name: str) -> str:
    """What the wall clock reads at an instant, such as 2026-10-25T01:30; with the offset for the second of two equal readings.

    It follows from instant and zone alone, so it is the id of an occurrence due then.
    """
    local = moment.astimezone(load_zone(zone_name))
    return (local if local.fold else local.replace(tzinfo=None)).isoformat(timespec="minutes")


def read_instant(text: str, zone_name: str) -> datetime | None:
    """The instant that has this reading; None if the zone's clock never reads so."""
    moment = to_instant(datetime.fromisoformat(text), zone_name)
    return moment if reading(moment, zone_name) == text else None


class Readings(Struct, frozen=True):
    """All ids that stand for one instant in the facts of any version: earlier ones named what a clock change moves by the local
    time that it skips. Local times are texts, which sort as times do.
    """

    own: str
    skipped: tuple[str, str] | None = None
    """The local times that a clock change at this very instant skips: the first, and the first after them."""

    @classmethod
    def of(cls, moment: datetime, zone_name: str) -> Readings:
        place = load_zone(zone_name)
        local, before = moment.astimezone(place), (moment - timedelta(seconds=1)).astimezone(place)
        change = (local.utcoffset() or timedelta()) - (before.utcoffset() or timedelta())
        own = reading(moment, zone_name)
        if change <= timedelta():
            return cls(own)
        start = local.replace(tzinfo=None) - change
        return cls(own, (start.isoformat(timespec="minutes"), own))

    def include(self, text: str) -> bool:
        """Whether an id stands for this instant. The other of two equal readings does too: no rule makes both of them due."""
        local = text[: len("2026-10-25T01:30")]
        if local == self.own[: len(local)]:
            return True
        return self.skipped is not None and self.skipped[0] <= local < self.skipped[1]
