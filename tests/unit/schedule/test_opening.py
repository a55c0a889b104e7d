"""Windows, quiet hours and holidays: each minute is compared with what the wall clock says of it, in zones with odd clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.project import HolidayCountry, HolidayFile, Hours, Schedule, Window
from notifyctl.schedule.holiday_dates import HolidayError, days_in, named_days
from notifyctl.schedule.opening import find_holiday, next_opening, why_shut
from notifyctl.schedule.slots import ONCE, Occurrence
from notifyctl.schedule.timing import Gate, evaluate_timing

ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Chatham",  # 45 minutes past the hour
    "America/Havana",  # changes at midnight
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",  # goes back for Ramadan
    "America/Nuuk",  # changes the evening before
    "Asia/Beirut",
    "Africa/Cairo",
)
MINUTE = timedelta(minutes=1)
SPAN = 3 * 24 * 60
PLAIN = Schedule("any", Positions("schedule.yaml"))
OFFICE = Window((0, 1, 2, 3, 4), time(8), time(20))
NIGHT = Window(start=time(21), until=time(8))
CHRISTMAS = date(2026, 12, 25)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def changes() -> list[tuple[str, datetime]]:
    """A zone and a moment about a day and a half before its clock changes, in 2026 and 2027."""
    found = []
    for zone in ZONES:
        place, moment = ZoneInfo(zone), utc(2026, 1, 1)
        while moment.year < 2028:
            after = moment + timedelta(days=1)
            if moment.astimezone(place).utcoffset() != after.astimezone(place).utcoffset():
                found.append((zone, moment - timedelta(days=1)))
            moment = after
    return found


CHANGES = changes()


def random_window(chance: Random) -> Window:
    days = tuple(sorted(chance.sample(range(7), chance.choice([2, 4, 7, 7]))))
    start = time(chance.randrange(24), chance.choice([0, 0, 15, 30]))
    until = chance.choice([time.max, time(chance.randrange(24), chance.choice([1, 30, 45]))])
    return Window(days, start, until)


def random_hours(chance: Random, first: date) -> Hours:
    return Hours(
        windows=tuple(random_window(chance) for _ in range(chance.choice([0, 0, 1, 2, 3]))),
        quiet_hours=tuple(random_window(chance) for _ in range(chance.choice([0, 0, 1, 2]))),
        holidays=tuple(first + timedelta(days=chance.randrange(6)) for _ in range(chance.choice([0, 1, 3]))),
    )


def in_window(window: Window, local: datetime, closed: tuple[date, ...] = ()) -> bool:
    """`closed`: days on which no window starts."""
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    clock, end = local.time(), window.until
    starts = today.weekday() in window.days and today not in closed
    began = yesterday.weekday() in window.days and yesterday not in closed
    if window.start < end:
        return starts and window.start <= clock and (clock < end or end == time.max)
    return (starts and clock >= window.start) or (began and clock < end)


def allowed(schedule: Schedule, moment: datetime, place: ZoneInfo) -> bool:
    """The oracle: nothing but what the wall clock reads."""
    local = moment.astimezone(place).replace(tzinfo=None)
    sides = (schedule.hours, schedule.project_hours)
    closed = tuple(day for side in sides for day in side.holidays if isinstance(day, date))
    if local.date() in closed:
        return False
    return all(
        (not side.windows or any(in_window(each, local, closed) for each in side.windows))
        and not any(in_window(each, local) for each in side.quiet_hours)
        for side in sides
    )


@pytest.mark.parametrize("seed", range(110))
def test_an_opening_is_just_what_the_wall_clock_allows(seed: int) -> None:
    chance = Random(seed)
    zone, around = CHANGES[seed % len(CHANGES)] if seed % 4 else (chance.choice(ZONES), utc(2026, 5, 20))
    start = around + timedelta(minutes=chance.randrange(24 * 60))
    place, first = ZoneInfo(zone), start.astimezone(ZoneInfo(zone)).date()
    own, shared = random_hours(chance, first), random_hours(chance, first)
    schedule = replace(
        PLAIN,
        windows=own.windows,
        quiet_hours=own.quiet_hours,
        holidays=own.holidays,
        project_hours=shared if seed % 3 else Hours(),
    )
    open_at = [allowed(schedule, start + number * MINUTE, place) for number in range(SPAN)]
    at = 0
    while at < SPAN:
        opening = next_opening(schedule, start + at * MINUTE, zone)
        goes = opening.first(start + at * MINUTE) if opening is not None else None
        expected = next((number for number in range(at, SPAN) if open_at[number]), None)
        if expected is None:
            assert goes is None or goes >= start + SPAN * MINUTE, f"{zone}: too early"
            break
        assert opening is not None
        assert goes == start + expected * MINUTE, zone
        closed = next((number for number in range(expected, SPAN) if not open_at[number]), None)
        if closed is None:
            assert opening.closes is None or opening.closes >= start + SPAN * MINUTE
            break
        assert opening.closes == start + closed * MINUTE, zone
        shut = why_shut(schedule, opening.closes, zone)
        assert shut.startswith(("holiday ", "quiet-hours ", "outside-window")), shut
        if expected > at:
            assert next_opening(schedule, goes, zone) == opening, "the same opening from within"
        at = closed


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_sent_at_a_moment_that_is_denied(seed: int) -> None:
    chance = Random(f"sent {seed}")
    zone, around = chance.choice(CHANGES)
    place, first = ZoneInfo(zone), around.date()
    own, shared = random_hours(chance, first), random_hours(chance, first)
    schedule = replace(
        PLAIN,
        at=chance.choice([None, datetime.combine(first, time(chance.randrange(24)))]),
        grace=timedelta(hours=chance.choice([1, 30])),
        windows=own.windows,
        quiet_hours=own.quiet_hours,
        holidays=own.holidays,
        project_hours=shared,
    )
    for _ in range(60):
        now = around + chance.randrange(SPAN) * MINUTE
        when = evaluate_timing(schedule, Occurrence(ONCE, None), zone=zone, now=now)
        if when.state is Gate.DUE:
            assert allowed(schedule, now, place), (zone, now)
        if when.state is Gate.DEFERRED and when.until is not None:
            assert allowed(schedule, when.until, place), (zone, now)
            assert schedule.at is not None or not allowed(schedule, now, place)


def test_openings_that_touch_are_one_and_one_without_an_end_says_so() -> None:
    halves = (Window(start=time(0), until=time(12)), Window(start=time(12), until=time.max))
    whole = next_opening(replace(PLAIN, windows=halves), utc(2026, 12, 1, 11), "UTC")
    assert whole is not None
    assert (whole.opens, whole.closes) == (None, None)
    christmas = next_opening(replace(PLAIN, holidays=(CHRISTMAS,)), utc(2026, 12, 1), "Europe/Paris")
    assert christmas is not None
    assert (christmas.opens, christmas.closes) == (None, utc(2026, 12, 24, 23))
    assert (
        next_opening(replace(PLAIN, windows=(OFFICE,), quiet_hours=(OFFICE,)), utc(2026, 12, 1), "UTC")
        is None
    )


def test_quiet_hours_hold_on_both_sides_of_midnight_and_whoever_set_them() -> None:
    for schedule, mark in (
        (replace(PLAIN, quiet_hours=(NIGHT,)), ""),
        (replace(PLAIN, project_hours=Hours(quiet_hours=(NIGHT,))), " (project)"),
    ):
        for hour in (21, 23, 0, 7):
            day = 1 if hour > 12 else 2
            moment = utc(2026, 12, day, hour)
            opening = next_opening(schedule, moment, "UTC")
            assert opening is not None
            assert opening.first(moment) == utc(2026, 12, 2, 8)
            assert why_shut(schedule, moment, "UTC") == f"quiet-hours 21:00-08:00{mark}"
    # A schedule adds to the project's and takes nothing away.
    wide = replace(PLAIN, windows=(Window(),), project_hours=Hours(windows=(OFFICE,)))
    opening = next_opening(wide, utc(2026, 12, 5, 9), "UTC")
    assert opening is not None
    assert opening.opens == utc(2026, 12, 7, 8)
    assert why_shut(wide, utc(2026, 12, 5, 9), "UTC") == "outside-window (project)"


def test_a_holiday_shuts_its_whole_day_and_the_night_that_begins_on_it() -> None:
    late = replace(PLAIN, windows=(Window(start=time(20), until=time(2)),), holidays=(CHRISTMAS,))
    eve = next_opening(late, utc(2026, 12, 24, 21), "UTC")
    assert eve is not None
    assert eve.closes == utc(2026, 12, 25)
    after = next_opening(late, utc(2026, 12, 25), "UTC")
    assert after is not None
    assert after.opens == utc(2026, 12, 26, 20)
    assert why_shut(late, utc(2026, 12, 26, 1), "UTC") == "holiday 2026-12-25"


def test_holidays_of_a_country_have_names_in_english_and_parts() -> None:
    england, scotland = HolidayCountry("GB", "ENG"), HolidayCountry("GB", "SCT")
    assert find_holiday(replace(PLAIN, holidays=(england,)), CHRISTMAS) == "holiday 2026-12-25 Christmas Day"
    assert days_in(HolidayCountry("DE"), 2027)[date(2027, 1, 1)] == "New Year's Day"
    assert date(2026, 4, 6) in days_in(england, 2026)
    assert date(2026, 4, 6) not in days_in(scotland, 2026)
    both = replace(PLAIN, project_hours=Hours(holidays=(date(2026, 12, 25), england)))
    assert find_holiday(both, CHRISTMAS) == "holiday 2026-12-25 Christmas Day (project)"
    with pytest.raises(HolidayError):
        days_in(HolidayCountry("XX"), 2026)


def event(*lines: str) -> str:
    return "\r\n".join(
        ["BEGIN:VEVENT", "UID:a@acme.example", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""]
    )


def calendar(*events: str) -> HolidayFile:
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//acme//days//EN\r\n"
    return HolidayFile("days.ics", f"{head}{''.join(events)}END:VCALENDAR\r\n")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DTSTART;VALUE=DATE:20261224"], ["2026-12-24"]),
        (["DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227"], ["2026-12-24", "2026-12-25", "2026-12-26"]),
        (["DTSTART;VALUE=DATE:20261224", "DURATION:P2D"], ["2026-12-24", "2026-12-25"]),
        (["DTSTART;VALUE=DATE:20101231", "DTEND;VALUE=DATE:20110102", "RRULE:FREQ=YEARLY"], ["2026-01-01", "2026-12-31"]),
        (["DTSTART;VALUE=DATE:20200101", "RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:20260101"], []),
        (["DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=WEEKLY;COUNT=2"], ["2026-01-05", "2026-01-12"]),
        (["DTSTART:20260105T220000Z", "DTEND:20260106T020000Z"], ["2026-01-05", "2026-01-06"]),
        (["DTSTART:20260105T220000", "DTEND:20260106T000000"], ["2026-01-05"]),
        (["DTSTART;VALUE=DATE:20260105", "STATUS:CANCELLED"], []),
    ],
)  # fmt: skip
def test_each_day_of_an_event_is_a_holiday(lines: list[str], expected: list[str]) -> None:
    source = calendar(event(*lines, "SUMMARY:Works\\, day\\n off"))
    found = days_in(source, 2026)
    assert [day.isoformat() for day in found] == expected
    assert set(found.values()) <= {"Works, day off"}


def test_a_year_is_listed_across_sources_and_a_name_beats_a_bare_date() -> None:
    source = calendar(event("DTSTART;VALUE=DATE:20161224", "RRULE:FREQ=YEARLY", "SUMMARY:Works outing"))
    found = named_days((CHRISTMAS, HolidayCountry("GB"), source), date(2026, 12, 24), date(2027, 1, 1))
    assert [(day.isoformat(), name) for day, name in found.items()] == [
        ("2026-12-24", "Works outing"),
        ("2026-12-25", "Christmas Day"),
        ("2026-12-26", "Boxing Day"),
        ("2026-12-28", "Boxing Day (observed)"),
        ("2027-01-01", "New Year's Day"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "<!doctype html><title>Sign in</title>",
        calendar().text,
        calendar(event("DTSTART:tomorrow")).text,
        calendar(event("DTSTART:20260101T000000Z", "RRULE:FREQ=SECONDLY")).text,
        calendar(event("DTSTART;VALUE=DATE:20260101", "RRULE:FREQ=SOMETIMES")).text,
        calendar(event("DTSTART:20260101T000000Z", "RRULE:FREQ=DAILY;BYSECOND=0,1,2")).text,
        calendar(event("SUMMARY:no day")).text,
    ],
)
def test_a_file_whose_days_are_unknown_is_refused(text: str | None) -> None:
    with pytest.raises(HolidayError):
        days_in(HolidayFile("days.ics", text), 2026)
