"""The slots of a recurring rule in one time zone: local times, mapped to instants and named by what the wall clock reads then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from msgspec import Struct

from notifyctl.model.project import Gap, Overlap, Schedule
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.opening import find_holiday
from notifyctl.schedule.zones import is_skipped, load_zone, read_instant, reading, to_instant, to_local

WEST, EAST = timedelta(hours=12), timedelta(hours=14)
"""How far local times are behind and ahead of UTC."""
DAY = timedelta(days=1)


class Occurrence(Struct, frozen=True):
    """One occurrence of a notification. `due` is None if it is due as soon as it is applied, or in each recipient's zone."""

    id: str
    due: datetime | None


def slots_between(schedule: Schedule, zone: str, first: datetime, last: datetime) -> list[Occurrence]:
    """The slots due from `first` to `last`, both included, earliest first. Two that a clock change moves to the same instant are
    one.
    """
    found: dict[datetime, Occurrence] = {}
    start = to_local(first, zone) - clock_change(first, zone)
    stop = to_local(last, zone) + clock_change(last, zone)
    for due in walk(schedule, zone, start, stop):
        if first <= due <= last:
            found.setdefault(due, Occurrence(reading(due, zone), due))
    return list(found.values())


def latest_slot(schedule: Schedule, zone: str, until: datetime) -> Occurrence | None:
    """The latest slot due at `until` or before."""
    from cronsim import CronSim

    assert schedule.cron is not None, "only recurring schedules have slots"
    start = to_local(until, zone) + clock_change(until, zone)
    if schedule.ends is not None:
        start = min(start, schedule.ends)
    # Slots are whole minutes. CronSim 2.6 leaves the seconds of its start out, and looks before that.
    next_minute = start.replace(second=0, microsecond=0) + timedelta(minutes=1)
    for slot in CronSim(schedule.cron, next_minute, reverse=True):
        if schedule.starts is not None and slot < schedule.starts:
            return None
        if is_allowed(schedule, slot, zone):
            due = slot_instant(schedule, slot, zone)
            if due <= until:
                return Occurrence(reading(due, zone), due)
    return None


def slot_due(schedule: Schedule, name: str, zone: str) -> datetime | None:
    """When an occurrence is due in a zone; None if the rule has none of that id there."""
    due = read_instant(name, zone)
    return due if due is not None and slots_between(schedule, zone, due, due) else None


def slots_anywhere(schedule: Schedule, span: Span) -> list[str]:
    """The ids of occurrences that are due within the span in any time zone, and of the latest before it, earliest first."""
    first, last = span.start - WEST, span.end + EAST
    ids = {each.id for each in slots_between(schedule, "UTC", first, last)}
    before = latest_slot(schedule, "UTC", first - timedelta(seconds=1))
    ids |= {before.id} if before is not None else set()
    for zone in sorted(available_timezones()):
        if clock_change(span.start, zone) or clock_change(span.end, zone):
            ids |= {each.id for each in slots_between(schedule, zone, span.start - DAY, span.end)}
    return sorted(ids)


def walk(schedule: Schedule, zone: str, start: datetime, stop: datetime) -> Iterator[datetime]:
    """When the slots between two local times are due."""
    from cronsim import CronSim

    assert schedule.cron is not None, "only recurring schedules have slots"
    for slot in CronSim(schedule.cron, start - timedelta(seconds=1)):
        if slot > stop or (schedule.ends is not None and slot > schedule.ends):
            return
        if is_allowed(schedule, slot, zone):
            yield slot_instant(schedule, slot, zone)


def is_allowed(schedule: Schedule, slot: datetime, zone: str) -> bool:
    started = schedule.starts is None or slot >= schedule.starts
    ended = schedule.ends is not None and slot > schedule.ends
    if not started or ended or find_holiday(schedule, slot.date()) is not None:
        return False
    return schedule.gap is Gap.SHIFT or not is_skipped(slot, zone)


def slot_instant(schedule: Schedule, slot: datetime, zone: str) -> datetime:
    return to_instant(slot, zone, last=schedule.overlap is Overlap.LAST)


def clock_change(moment: datetime, zone: str) -> timedelta:
    """By how much the zone's clock is changed within two days around an instant: 0 on most days."""
    place = load_zone(zone)
    before = (moment - 2 * DAY).astimezone(place).utcoffset() or timedelta()
    after = (moment + 2 * DAY).astimezone(place).utcoffset() or timedelta()
    return abs(after - before)
