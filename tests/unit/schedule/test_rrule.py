"""`rrule`: what is refused and with what advice, the examples of RFC 5545 §3.8.5.3 in a time zone, and old rules are quick."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice

import pytest
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.project import Overlap, Schedule
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.local_times import local_times
from notifyctl.schedule.slots import latest_slot, slot_due, slots_anywhere, slots_between
from notifyctl.schedule.timing import check_schedule, occurrences
from notifyctl.schedule.upcoming import slots_to_come

NEW_YORK = "America/New_York"
START = datetime(1997, 9, 2, 9)
"""DTSTART;TZID=America/New_York:19970902T090000, a Tuesday."""
PLAIN = Schedule("s", Positions("s.yaml", {("rrule",): (4, 8)}), starts=START)


def first_days(rule: str, start: datetime = START, number: int = 8) -> list[str]:
    """The local times of the first slots, as the zone's clock reads at their instants."""
    schedule = replace(PLAIN, rrule=rule, starts=start)
    since = datetime(1997, 1, 1, tzinfo=UTC)
    found = slots_between(schedule, NEW_YORK, since, since + timedelta(days=9 * 366))
    return [each.id for each in found][:number]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY;COUNT=3", ["1997-09-02", "1997-09-03", "1997-09-04"]),
        ("FREQ=DAILY;UNTIL=19970904T000000Z", ["1997-09-02", "1997-09-03"]),
        ("FREQ=DAILY;UNTIL=19970904T130000Z", ["1997-09-02", "1997-09-03", "1997-09-04"]),
        ("FREQ=DAILY;UNTIL=19970904", ["1997-09-02", "1997-09-03", "1997-09-04"]),
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", ["1997-09-02", "1997-09-12", "1997-09-22"]),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=3", ["1997-09-02", "1997-09-16", "1997-09-30"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,TH;WKST=SU", ["1997-09-02", "1997-09-04", "1997-09-16", "1997-09-18"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", ["1997-09-05", "1997-10-03", "1997-11-07"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", ["1997-09-28", "1997-10-29", "1997-11-28"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=3", ["1997-09-29", "1997-10-30", "1997-11-27"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", ["1998-02-13", "1998-03-13", "1998-11-13"]),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=1;BYDAY=SU;BYHOUR=8,9;BYMINUTE=30;COUNT=2", ["1999-01-03T08:30", "1999-01-03T09:30"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", ["1998-05-11", "1999-05-17"]),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2", ["1997-11-04", "2001-11-06"]),
    ],
)  # fmt: skip
def test_examples_of_the_rfc_are_due_at_nine_in_new_york_all_year(rule: str, expected: list[str]) -> None:
    """Before and after 26 October 1997, when New York put its clocks back."""
    assert first_days(rule) == [each if "T" in each else f"{each}T09:00" for each in expected]


def test_a_day_that_a_month_does_not_have_is_left_out() -> None:
    rule, start = "FREQ=MONTHLY", datetime(1997, 12, 31, 9)
    assert first_days(rule, start, 3) == ["1997-12-31T09:00", "1998-01-31T09:00", "1998-03-31T09:00"]


def refused(rule: str, **more: object) -> tuple[str, str]:
    (found,) = check_schedule(replace(PLAIN, rrule=rule, **more))
    assert (found.rule, str(found.location)) == ("bad-schedule", "s.yaml:4:8")
    return found.message, found.hint or ""


@pytest.mark.parametrize(
    ("rule", "message", "hint"),
    [
        ("FREQ=SECONDLY", "too frequent", "FREQ=HOURLY;BYMINUTE=0,30"),
        ("FREQ=MINUTELY;INTERVAL=30", "too frequent", "FREQ=HOURLY;BYMINUTE=0,30"),
        ("FREQ=WEEKLYY", "FREQ must be", "did you mean WEEKLY?"),
        ("BYDAY=MO", "no FREQ", "add FREQ="),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "only one of COUNT and UNTIL", "remove one"),
        ("FREQ=DAILY;FREQ=WEEKLY", "duplicate part `FREQ`", "remove one"),
        ("FREQ=DAILY;", '"" is not a part', "NAME=VALUE"),
        ("FREQ=DAILY;UNTL=20270101", "unknown part `UNTL`", "did you mean UNTIL?"),
        ("FREQ=DAILY;UNTIL=20270132", "UNTIL must be a day or a time", "UNTIL=20261224"),
        ("FREQ=DAILY;BYHOUR=24", "from 0 to 23", "BYHOUR=0"),
        ("FREQ=DAILY;BYSECOND=30", "BYSECOND is not supported", "remove BYSECOND"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a number from 1", "INTERVAL=2"),
        ("FREQ=DAILY;COUNT=100001", "from 1 to 100,000", "`until`"),
        ("FREQ=WEEKLY;BYDAY=1MO", "not defined with FREQ=WEEKLY", "write BYDAY=MO"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "not defined with FREQ=WEEKLY", "FREQ=MONTHLY"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO needs BYDAY", "BYDAY=MO"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs another", "BYSETPOS=-1"),
        ("DTSTART:20261201T090000\nRRULE:FREQ=DAILY", "DTSTART is not part", "set `from`"),
        ("TZID=Europe/London;FREQ=DAILY", "TZID is not part", "set `timezone`"),
        ("FREQ=DAILY;EXDATE=20261225", "EXDATE is not part", "add the days to `holidays`"),
        ("RRULE:FREQ=DAILY RRULE:FREQ=WEEKLY", "one rule on one line", "one rule"),
        ("", "one rule on one line", "FREQ=WEEKLY"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never occurs", "change or remove"),
        ("FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "never occurs", "change or remove"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=WE", "never occurs", "change or remove"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=10", "never occurs", "change or remove"),
    ],
)
def test_what_is_wrong_is_said_at_its_place_with_the_fix(rule: str, message: str, hint: str) -> None:
    found, advice = refused(rule)
    assert message in found
    assert hint in advice


def test_a_rule_needs_its_first_time_and_one_end() -> None:
    assert "needs `from` with a time" in refused("FREQ=DAILY", starts=None)[0]
    assert "whole minute" in refused("FREQ=DAILY", starts=START.replace(second=30))[0]
    assert "years 1900 to 2199" in refused("FREQ=DAILY", starts=datetime(1, 1, 1, 9))[0]
    ends = datetime.combine(date(2030, 1, 1), datetime.max.time())
    for part in ("COUNT=3", "UNTIL=20270101"):
        assert "use only one of" in refused(f"FREQ=DAILY;{part}", ends=ends)[0]


def test_until_of_the_schedule_ends_a_rule_at_a_day_or_a_time() -> None:
    schedule = replace(PLAIN, rrule="FREQ=HOURLY;INTERVAL=3")
    to_noon = replace(schedule, ends=datetime(1997, 9, 2, 12))
    assert list(local_times(to_noon, "UTC").after(START)) == [
        datetime(1997, 9, 2, 9),
        datetime(1997, 9, 2, 12),
    ]
    assert next(local_times(to_noon, "UTC").before(datetime(2030, 1, 1))) == datetime(1997, 9, 2, 12)


@pytest.mark.parametrize(
    ("rule", "latest", "later"),
    [
        ("FREQ=HOURLY;INTERVAL=5", "2026-06-01T13:00", "2026-06-01T18:00"),
        ("FREQ=DAILY;INTERVAL=3", "2026-05-30T09:00", "2026-06-02T09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU", "2026-06-01T09:00", "2026-06-14T09:00"),
        ("FREQ=MONTHLY;INTERVAL=5", "2026-01-02T09:00", "2026-06-02T09:00"),
        ("FREQ=YEARLY;INTERVAL=3;BYMONTH=3", "2024-03-02T09:00", "2027-03-02T09:00"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29T09:00", "2028-02-29T09:00"),
        ("FREQ=HOURLY;COUNT=100000", "2009-01-29T00:00", None),
    ],
)
def test_a_rule_of_decades_ago_keeps_its_phase(rule: str, latest: str, later: str | None) -> None:
    """What dateutil itself finds from DTSTART on; written down, as that takes it seconds."""
    schedule = replace(PLAIN, rrule=rule)
    now = datetime(2026, 6, 1, 13, 30, tzinfo=UTC)
    before = latest_slot(schedule, "UTC", now)
    assert before is not None
    assert before.id == latest
    ahead = [each.id for each in islice(slots_to_come(schedule, "UTC", now=now), 1)]
    assert ahead == ([] if later is None else [later])
    assert slot_due(schedule, latest, "UTC") == before.due


def test_the_second_of_two_equal_readings_has_its_offset_for_a_rule_too() -> None:
    schedule = replace(PLAIN, rrule="FREQ=DAILY", starts=datetime(2026, 10, 1, 1, 30), overlap=Overlap.LAST)
    day = datetime(2026, 11, 1, tzinfo=UTC)
    found = slots_between(schedule, NEW_YORK, day, day + timedelta(days=1))
    assert [each.id for each in found] == ["2026-11-01T01:30-05:00"]


def test_an_end_in_utc_is_one_instant_in_every_recipients_zone() -> None:
    """13:00 in Tokyo is before 12:00 UTC, and 13:00 in London after it."""
    schedule = replace(
        PLAIN,
        rrule="FREQ=DAILY;UNTIL=20261201T120000Z",
        starts=datetime(2026, 11, 1, 13),
        timezone="recipient",
    )
    last = "2026-12-01T13:00"
    assert slot_due(schedule, last, "Asia/Tokyo") == datetime(2026, 12, 1, 4, tzinfo=UTC)
    assert slot_due(schedule, last, "Europe/London") is None
    span = Span(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 3, tzinfo=UTC))
    assert last in slots_anywhere(schedule, span)
    assert last in {each.id for each in occurrences(schedule, zone="UTC", span=span)}


@pytest.mark.parametrize(
    ("freq", "last"),
    [
        ("YEARLY", "1997-09-02T09:00"),
        ("MONTHLY", "1997-09-02T09:00"),
        ("WEEKLY", "1997-09-02T09:00"),
        ("DAILY", "2025-01-18T09:00"),
        ("HOURLY", "2037-08-06T17:00"),
    ],
)
def test_the_longest_interval_keeps_its_phase_for_forty_years(freq: str, last: str) -> None:
    """10,000 days are 27 years, 10,000 weeks 191."""
    schedule = replace(PLAIN, rrule=f"FREQ={freq};INTERVAL=10000")
    assert check_schedule(schedule) == []
    for year, expected in ((1998, "1997-09-02T09:00"), (2037, last)):
        latest = latest_slot(schedule, "UTC", datetime(year, 9, 2, tzinfo=UTC))
        assert latest is not None
        assert latest.id == expected
