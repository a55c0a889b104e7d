"""The slots of a schedule in one time zone: its local times, mapped to instants and named by what the wall clock reads then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from zoneinfo import available_timezones

from msgspec import Struct

from notifyctl.model.project import Gap, Overlap, Schedule
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.local_times import local_times
from notifyctl.schedule.opening import find_holiday
from notifyctl.schedule.zones import is_skipped, load_zone, read_instant, reading, to_instant, to_local

ONCE = "once"
"""The id of the occurrence of an `at`, and of a notification that is due as soon as it is applied."""
CLOCK_CHANGE = "clock-change"

WEST, EAST = timedelta(hours=12), timedelta(hours=14)
"""How far local times are behind and ahead of UTC."""
EASTERNMOST = "Etc/GMT-14"
"""Where each local time comes first; its clocks are never changed."""
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
    for local in takewhile(lambda each: each <= stop, local_times(schedule, zone).after(start)):
        if why_left_out(schedule, local, zone) is None:
            due = slot_instant(schedule, local, zone)
            if first <= due <= last:
                found.setdefault(due, Occurrence(name_slot(schedule, due, zone), due))
    return list(found.values())


def slots_before(schedule: Schedule, zone: str, until: datetime) -> Iterator[Occurrence]:
    """The slots due at `until` or before, latest first."""
    start = to_local(until, zone) + clock_change(until, zone)
    later = None
    for local in local_times(schedule, zone).before(start):
        if why_left_out(schedule, local, zone) is None:
            due = slot_instant(schedule, local, zone)
            if due <= until and due != later:
                yield Occurrence(name_slot(schedule, due, zone), due)
                later = due


def latest_slot(schedule: Schedule, zone: str, until: datetime) -> Occurrence | None:
    """The latest slot due at `until` or before."""
    return next(slots_before(schedule, zone, until), None)


def slot_due(schedule: Schedule, name: str, zone: str) -> datetime | None:
    """When an occurrence is due in a zone; None if the schedule has none of that id there."""
    if schedule.at is not None:
        local = next(local_times(schedule, zone).after(datetime.min))  # noqa: DTZ901 - a wall-clock time
        skipped = name != ONCE or why_left_out(schedule, local, zone) is not None
        return None if skipped else slot_instant(schedule, local, zone)
    due = read_instant(name, zone) if name != ONCE else None
    return due if due is not None and slots_between(schedule, zone, due, due) else None


def slots_anywhere(schedule: Schedule, span: Span) -> list[str]:
    """The ids of occurrences that are due within the span in any time zone, and of the latest before it, earliest first."""
    # What clocks can read there, as instants of a zone that has all of it: UNTIL in UTC ends a rule at the latest local time there.
    first, last = span.start - WEST - EAST, span.end
    ids = {each.id for each in slots_between(schedule, EASTERNMOST, first, last)}
    before = latest_slot(schedule, EASTERNMOST, first - timedelta(seconds=1))
    ids |= {before.id} if before is not None else set()
    for zone in sorted(available_timezones()):
        if clock_change(span.start, zone) or clock_change(span.end, zone):
            ids |= {each.id for each in slots_between(schedule, zone, span.start - DAY, span.end)}
    return sorted(ids)


def name_slot(schedule: Schedule, due: datetime, zone: str) -> str:
    """The id of what is due at an instant: it follows from instant and zone alone, for every rule."""
    return ONCE if schedule.at is not None else reading(due, zone)


def slot_instant(schedule: Schedule, local: datetime, zone: str) -> datetime:
    """When a local time of the schedule is due; an `at` with an offset is that instant."""
    wall = schedule.at if schedule.at is not None and schedule.at.tzinfo is not None else local
    return to_instant(wall, zone, last=schedule.overlap is Overlap.LAST)


def why_left_out(schedule: Schedule, local: datetime, zone: str) -> str | None:
    """Why a local time of the schedule is no slot. An `at` on a holiday is one, which goes later."""
    holiday = find_holiday(schedule, local.date()) if schedule.recurs else None
    if holiday is not None:
        return holiday
    return CLOCK_CHANGE if schedule.gap is Gap.SKIP and is_skipped(local, zone) else None


def clock_change(moment: datetime, zone: str) -> timedelta:
    """By how much the zone's clock is changed within two days around an instant: 0 on most days."""
    place = load_zone(zone)
    before = (moment - 2 * DAY).astimezone(place).utcoffset() or timedelta()
    after = (moment + 2 * DAY).astimezone(place).utcoffset() or timedelta()
    return abs(after - before)
