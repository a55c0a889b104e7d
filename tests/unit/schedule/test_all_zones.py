"""Occurrences over every zone of tzdata, around each change of its clock from 2025 to 2027, at whatever moment one looks.

Zones whose clocks read the same in these three years are tried once; NOTIFYCTL_EVERY_ZONE=1 tries each by itself, and more times of
the day. The instants expected are those of `whenever`, which has its own reading of the time zone data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import pytest
from msgspec.structs import replace
from whenever import Instant, PlainDateTime, RepeatedTime, SkippedTime

from notifyctl.diagnostics import Positions
from notifyctl.model.project import Gap, Overlap, Schedule, Window
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.slots import ONCE, Occurrence, slot_due, slots_anywhere, slots_before, slots_between
from notifyctl.schedule.timing import first_opening, occurrences
from notifyctl.schedule.zones import find_transition, load_zone, reading, to_local

EVERY_ZONE = "NOTIFYCTL_EVERY_ZONE" in os.environ
FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PLAIN = Schedule("s", Positions("s.yaml"))
LOOKS = (-30 * HOUR, -HOUR, -MINUTE, timedelta(), MINUTE, HOUR, 30 * HOUR)
Change = tuple[datetime, datetime, datetime]
"""Its instant, and what the wall clock would have read then and reads."""
DOZEN = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/London",
    "Pacific/Chatham",
)
"""Changes at midnight, of half an hour and two hours, of ramadan, of a zone whose summer time is negative, and none at all."""


def find_changes(zone: str) -> Iterator[Change]:
    place, moment = load_zone(zone), FIRST
    while moment < LAST:
        before, after = moment.astimezone(place).utcoffset(), (moment + DAY).astimezone(place).utcoffset()
        assert before is not None
        assert after is not None
        if before != after:
            change = find_transition(moment, moment + DAY, place)
            wall = to_local(change, zone)
            yield change, wall - (after - before), wall
        moment += DAY


@cache
def changes_of_all() -> dict[str, list[Change]]:
    return {zone: list(find_changes(zone)) for zone in sorted(available_timezones() - {"localtime"})}


@cache
def changes() -> dict[str, list[Change]]:
    """A zone for each way in which clocks read in the three years; each zone by itself if asked for."""
    found: dict[object, str] = {}
    listed = changes_of_all()
    for zone in listed:
        found.setdefault(zone if EVERY_ZONE else (to_local(FIRST, zone), *listed[zone]), zone)
    return {zone: listed[zone] for zone in found.values()}


def all_changes() -> Iterator[tuple[str, Change]]:
    """Each different change in one zone."""
    seen = set()
    for zone, listed in changes().items():
        for change in listed:
            if EVERY_ZONE or change not in seen:
                seen.add(change)
                yield zone, change


def times_of_day(change: Change) -> list[time]:
    """The middle of what is skipped or comes twice, its first and last minute, and the hours around; always a time of its own."""
    _, before, after = change
    early, late = min(before, after), max(before, after)
    found = [early + (late - early) / 2, early, late - MINUTE, late]
    if EVERY_ZONE:
        found += [early - MINUTE, early - HOUR, late + MINUTE, late + HOUR]
    return [each.replace(second=0).time() for each in found]


def cron_daily(at: time) -> Schedule:
    return replace(PLAIN, cron=f"{at.minute} {at.hour} * * *")


def rrule_daily(at: time) -> Schedule:
    return replace(PLAIN, rrule="FREQ=DAILY", starts=datetime.combine(date(2019, 1, 1), at))


def expected(
    local: datetime, zone: str, change: Change, *, overlap: Overlap = Overlap.FIRST
) -> datetime | None:
    """By `whenever`: when a local time is; None in a gap, whose end is the change."""
    plain = PlainDateTime(local.year, local.month, local.day, local.hour, local.minute)
    try:
        return plain.assume_tz(zone, disambiguation="raise").to_instant().to_stdlib()
    except SkippedTime:
        return None
    except RepeatedTime:
        if overlap is Overlap.FIRST:
            return plain.assume_tz(zone, disambiguation="earlier").to_instant().to_stdlib()
        return plain.assume_tz(zone, disambiguation="later").to_instant().to_stdlib()


def days_around(change: Change) -> list[date]:
    """The local days from two before a change to two after it."""
    first, last = min(change[1:]).date() - 2 * DAY, max(change[1:]).date() + 2 * DAY
    return [first + n * DAY for n in range((last - first).days + 1)]


def due_on(
    days: list[date], at: time, zone: str, change: Change, gap: Gap, overlap: Overlap
) -> list[datetime]:
    """What is due of a daily time: one instant for each day, a skipped one at the change or not at all."""
    found = [expected(datetime.combine(day, at), zone, change, overlap=overlap) for day in days]
    return [due or change[0] for due in found if due is not None or gap is Gap.SHIFT]


def test_every_zone_and_every_change_is_tried() -> None:
    assert len(changes_of_all()) > 590
    assert sum(map(len, changes_of_all().values())) > 1100
    assert len(changes()) > 60
    assert len(list(all_changes())) > 170


@pytest.mark.parametrize("make", [cron_daily, rrule_daily])
def test_a_daily_time_is_once_a_day_and_has_the_same_ids_at_every_clock(make: object) -> None:
    assert callable(make)
    for zone, change in all_changes():
        days = days_around(change)
        for at in times_of_day(change):
            for gap, overlap in [(Gap.SHIFT, Overlap.FIRST), (Gap.SKIP, Overlap.LAST)]:
                schedule = replace(make(at), gap=gap, overlap=overlap)
                want = due_on(days, at, zone, change, gap, overlap)
                assert len(want) == len(set(want)) >= len(days) - (gap is Gap.SKIP)
                known = {due: reading(due, zone) for due in want}
                assert len(set(known.values())) == len(known), "one id for each instant"
                looks = LOOKS if gap is Gap.SHIFT else LOOKS[2:5]
                for look in looks:
                    now = change[0] + look
                    ahead = slots_between(schedule, zone, now, want[-1])
                    behind = slots_until(schedule, zone, now - MINUTE, want[0])
                    seen = {each.due: each.id for each in (*behind, *ahead)}
                    assert seen == known, (zone, change, at, gap, overlap, look)
                    assert len(behind) + len(ahead) == len(want), "each is seen once, before or after"


def slots_until(schedule: Schedule, zone: str, now: datetime, first: datetime) -> list[Occurrence]:
    found = []
    for each in slots_before(schedule, zone, now):
        assert each.due is not None
        if each.due < first:
            break
        found.append(each)
    return found


def test_a_single_time_is_due_once_at_the_instant_of_its_wall_clock() -> None:
    for zone, change in all_changes():
        for at in times_of_day(change):
            for day in days_around(change):
                local = datetime.combine(day, at)
                for gap, overlap in [(Gap.SHIFT, Overlap.FIRST), (Gap.SKIP, Overlap.LAST)]:
                    schedule = replace(PLAIN, at=local, gap=gap, overlap=overlap)
                    due = slot_due(schedule, ONCE, zone)
                    want = due_on([day], at, zone, change, gap, overlap)
                    assert due == next(iter(want), None)
                    for look in LOOKS[2:4]:
                        now = change[0] + look
                        span = Span(now - DAY, now + DAY)
                        assert occurrences(schedule, zone=zone, span=span) == [Occurrence(ONCE, due)]


@pytest.mark.parametrize(
    "schedule",
    [
        replace(PLAIN, cron="*/30 * * * *"),
        replace(PLAIN, rrule="FREQ=HOURLY;BYMINUTE=0,30", starts=datetime(2019, 1, 1)),
    ],
    ids=["cron", "rrule"],
)
def test_a_frequent_rule_has_every_valid_wall_time_once(schedule: Schedule) -> None:
    for zone, change in all_changes():
        moment = change[0]
        found = slots_between(schedule, zone, moment - 4 * HOUR, moment + 4 * HOUR)
        dues = [each.due for each in found if each.due is not None]
        assert dues == sorted(set(dues))
        readings = [to_local(due, zone) for due in dues]
        assert len(set(readings)) == len(readings), "no reading of the wall clock comes twice"
        for due, local in zip(dues, readings, strict=True):
            assert due == moment or local.minute in {0, 30}
            assert (expected(local, zone, change) or moment) == due
        for look in LOOKS:
            behind = slots_until(schedule, zone, moment + look - MINUTE, moment - 4 * HOUR)
            ahead = slots_between(schedule, zone, moment + look, moment + 4 * HOUR)
            inside = {
                each.due: each.id
                for each in (*behind, *ahead)
                if each.due is not None and moment - 4 * HOUR <= each.due <= moment + 4 * HOUR
            }
            assert inside == {each.due: each.id for each in found}


@pytest.mark.parametrize("zone", DOZEN)
def test_whole_years_have_one_a_day(zone: str) -> None:
    for at in (time(0, 0), time(2, 30), time(23, 30)):
        schedules = [cron_daily(at), rrule_daily(at)]
        found = [slots_between(each, zone, FIRST, LAST - MINUTE) for each in schedules]
        assert found[0] == found[1]
        days = [to_local(each.due, zone).date() for each in found[0] if each.due is not None]
        assert abs(len(days) - 1095) <= 1, (
            "a day of the zone may begin before the first or end after the last"
        )
        backwards = [slots_until(each, zone, LAST - MINUTE, FIRST) for each in schedules]
        assert backwards == [found[0][::-1]] * 2
        if zone != "America/Nuuk":
            assert len(set(days)) == len(days)
        single = [replace(PLAIN, at=datetime.combine(day, at)) for day in days[5:-5:30]]
        assert {slot_due(each, ONCE, zone) for each in single} <= {each.due for each in found[0]}


def test_a_shifted_time_that_bears_the_next_date_takes_nothing_from_that_day() -> None:
    """In Nuuk clocks skip the last hour of a day: 23:30 is due at 00:00 of the next, which has a 23:30 of its own."""
    schedule = cron_daily(time(23, 30))
    found = slots_between(
        schedule, "America/Nuuk", datetime(2026, 3, 27, 12, tzinfo=UTC), datetime(2026, 3, 31, 12, tzinfo=UTC)
    )
    names = [each.id for each in found]
    assert names == ["2026-03-27T23:30", "2026-03-29T00:00", "2026-03-29T23:30", "2026-03-30T23:30"]


def test_an_occurrence_of_each_recipients_zone_is_listed_at_every_clock() -> None:
    schedule = replace(cron_daily(time(2, 30)), timezone="recipient")
    for zone, change in list(all_changes())[::12]:
        span = Span(change[0] - DAY, change[0] + DAY)
        names = set(slots_anywhere(schedule, span))
        due = {each.id for each in slots_between(schedule, zone, span.start, span.end)}
        assert due <= names


HOURS: dict[str, dict[str, Any]] = {
    "a window": {"windows": (Window(days=(0, 1, 2, 3, 4), start=time(8), until=time(20)),)},
    "quiet hours": {"quiet_hours": (Window(start=time(21), until=time(8)),)},
    "both, with a holiday": {
        "windows": (Window(start=time(22), until=time(6)),),
        "quiet_hours": (Window(start=time(1), until=time(3)),),
        "holidays": (date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5)),
    },
}


@pytest.mark.parametrize("name", HOURS)
def test_nothing_goes_at_a_time_that_is_denied(name: str) -> None:
    """Whatever the rule, the first moment at which an occurrence goes reads as allowed on the wall clock there."""
    for zone, change in all_changes():
        at = times_of_day(change)[0]
        for schedule in (
            cron_daily(at),
            rrule_daily(at),
            replace(PLAIN, at=datetime.combine(max(change[1:]).date(), at)),
        ):
            limited = replace(schedule, **HOURS[name])
            for each in occurrences(limited, zone=zone, span=Span(change[0] - 2 * DAY, change[0] + 2 * DAY)):
                assert each.due is not None
                goes = first_opening(limited, each.due, zone)
                assert goes is not None
                local = Instant(goes).to_tz(zone).to_stdlib().replace(tzinfo=None)
                assert is_allowed(limited, local), (zone, change, limited, each, goes)
                if each.due < goes:
                    before = Instant(each.due).to_tz(zone).to_stdlib().replace(tzinfo=None)
                    assert not is_allowed(limited, before), "it goes at once where it can"


def is_allowed(schedule: Schedule, local: datetime) -> bool:
    """By plain arithmetic: in any window, in no quiet hours, and on no holiday. A holiday takes the window that starts on it along."""
    windows, quiet = schedule.windows, schedule.quiet_hours
    inside = not windows or any(is_in(each, local) for each in windows)
    if windows and (local - DAY).date() in schedule.holidays:
        inside = any(is_in(each, local) and local.time() >= each.start for each in windows)
    return inside and not any(is_in(each, local) for each in quiet) and local.date() not in schedule.holidays


def is_in(window: Window, local: datetime) -> bool:
    clock, day = local.time(), local.weekday()
    if window.start < window.until:
        return day in window.days and window.start <= clock < window.until
    return (day in window.days and clock >= window.start) or (
        (day - 1) % 7 in window.days and clock < window.until
    )
