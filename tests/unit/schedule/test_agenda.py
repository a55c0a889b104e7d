"""A calendar cannot promise what no apply keeps: it is compared with what a plan at each moment would send."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.project import Gap, HandOff, Hours, Overlap, Schedule, Window
from notifyctl.schedule.agenda import DatedSlot, Fate, open_hours, slots_of_days
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.opening import next_opening
from notifyctl.schedule.slots import Occurrence
from notifyctl.schedule.timing import Gate, evaluate_timing, occurrences
from notifyctl.schedule.zones import to_instant, to_local

ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Havana",
    "UTC",
)
CHANGES = (date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 10, 23), date(2026, 10, 30))
"""Fridays before clocks are changed in some of the zones."""
RULES = (
    "0 9 * * *",
    "30 1,2 * * *",
    "0 */5 * * *",
    "15 8-20/3 * * MON-FRI",
    "59 23 * * SAT",
    "0 0 * * *",
    "*/40 7-9 * * *",
    "FREQ=DAILY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=SA,SU;BYHOUR=2,20",
)
STEP = timedelta(minutes=20)


def random_schedule(chance: Random, first: date) -> Schedule:
    days = tuple(sorted(chance.sample(range(7), chance.randint(3, 7))))
    start, until = time(chance.randrange(24)), time(chance.randrange(24), 30)
    window, quiet = Window(days, start, until), Window(start=time(21), until=time(7, 30))
    rule = chance.choice(RULES)
    from_nine = datetime.combine(first - timedelta(days=7), time(9))
    return Schedule(
        "any",
        Positions("schedule.yaml"),
        cron=None if rule.startswith("FREQ") else rule,
        rrule=rule if rule.startswith("FREQ") else None,
        starts=from_nine if rule.startswith("FREQ") else None,
        windows=chance.choice([(), (window,), (Window(days),), (window, Window((5, 6)))]),
        quiet_hours=chance.choice([(), (), (quiet,), (quiet, Window(start=time(12), until=time(13)))]),
        project_hours=chance.choice([Hours(), Hours(quiet_hours=(quiet,), holidays=(first,))]),
        holidays=tuple(first + timedelta(days=each) for each in chance.sample(range(5), chance.randrange(3))),
        grace=timedelta(minutes=chance.choice([1, 30, 120, 1_000])),
        gap=chance.choice(list(Gap)),
        overlap=chance.choice(list(Overlap)),
        expire_after=chance.choice([None, timedelta(hours=3)]),
    )


def due_at(schedule: Schedule, zone: str, moment: datetime) -> set[str]:
    """What a plan of that moment would send."""
    span = Span(moment - timedelta(hours=1), moment + timedelta(seconds=1))
    listed = occurrences(schedule, zone=zone, span=span)
    timings = {each.id: evaluate_timing(schedule, each, zone=zone, now=moment) for each in listed}
    return {name for name, timing in timings.items() if timing.state is Gate.DUE}


@pytest.mark.parametrize("seed", range(16))
def test_what_the_calendar_shows_is_what_a_plan_of_each_moment_sends(seed: int) -> None:
    chance = Random(seed)
    first, zone = chance.choice(CHANGES), chance.choice(ZONES)
    schedule = random_schedule(chance, first)
    last = first + timedelta(days=3)
    start, end = midnight(first, zone), midnight(last, zone)
    early = first - timedelta(days=2)
    shown = slots_of_days(schedule, zone, first=early, last=last, now=start - timedelta(days=20))
    to_come = {each.id: each for each in shown if each.fate is Fate.TO_COME}
    moments = {each.goes for each in to_come.values()} | {each.due for each in shown}
    moments |= {start + chance.random() * (end - start) for _ in range(12)}
    for moment in sorted(moments):
        if start <= moment < end:
            for name in due_at(schedule, zone, moment):
                assert name in to_come, (zone, schedule, moment)
                assert to_come[name].goes <= moment
    for each in to_come.values():
        assert each.id in due_at(schedule, zone, each.goes), (zone, schedule, each)
        assert each.id not in due_at(schedule, zone, each.goes - timedelta(seconds=1))
    assert all(each.reason for each in shown if each.goes != each.due or each.fate is Fate.SKIPPED)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_past_is_told_as_a_plan_of_the_present_decides_it(seed: int) -> None:
    chance = Random(seed)
    first, zone = chance.choice(CHANGES), chance.choice(ZONES)
    schedule = random_schedule(chance, first)
    early = first - timedelta(days=2)
    for hours in range(0, 72, 11):
        now = midnight(first, zone) + timedelta(hours=hours)
        shown = slots_of_days(schedule, zone, first=early, last=first + timedelta(days=4), now=now)
        assert {each.id for each in shown if each.fate is Fate.DUE} == due_at(schedule, zone, now)
        assert all(each.due <= now for each in shown if each.fate is Fate.EXPIRED)
        assert all(each.goes > now for each in shown if each.fate is Fate.TO_COME)


@pytest.mark.parametrize("seed", range(8))
def test_the_provider_is_handed_what_the_calendar_shows_and_for_that_moment(seed: int) -> None:
    chance = Random(seed)
    first, zone = chance.choice(CHANGES), chance.choice(ZONES)
    schedule = replace(random_schedule(chance, first), hand_off=HandOff.PROVIDER)
    early, last = first - timedelta(days=2), first + timedelta(days=5)
    shown = slots_of_days(
        schedule, zone, first=early, last=last, now=midnight(first, zone) - timedelta(days=20)
    )
    to_come = {each.id: each.goes for each in shown if each.fate is Fate.TO_COME}
    for hours in range(0, 72, 7):
        now = midnight(first, zone) + timedelta(hours=hours)
        span = Span(now - timedelta(hours=1), now + timedelta(days=2))
        for each in occurrences(schedule, zone=zone, span=span):
            timing = evaluate_timing(schedule, each, zone=zone, now=now)
            if timing.send_at is not None:
                # What is handed over late, in an opening after its first, goes later than shown.
                assert each.id in to_come, (zone, schedule, now, each)
                assert timing.send_at == to_come[each.id] or to_come[each.id] <= now, (zone, schedule, each)


@pytest.mark.parametrize("seed", range(8))
def test_what_a_plan_defers_is_in_the_calendar_and_due_when_the_plan_says(seed: int) -> None:
    chance = Random(seed)
    first, zone = chance.choice(CHANGES), chance.choice(ZONES)
    schedule = random_schedule(chance, first)
    early, last = first - timedelta(days=2), first + timedelta(days=5)
    shown = slots_of_days(
        schedule, zone, first=early, last=last, now=midnight(first, zone) - timedelta(days=20)
    )
    to_come = {each.id for each in shown if each.fate is Fate.TO_COME}
    for hours in range(0, 72, 7):
        now = midnight(first, zone) + timedelta(hours=hours)
        span = Span(now - timedelta(hours=1), now + timedelta(days=2))
        for each in occurrences(schedule, zone=zone, span=span):
            timing = evaluate_timing(schedule, each, zone=zone, now=now)
            if timing.state is Gate.DEFERRED:
                assert timing.until is not None
                assert each.id in to_come, (zone, schedule, now, each)
                then = evaluate_timing(schedule, each, zone=zone, now=timing.until)
                assert then.state is Gate.DUE, (zone, schedule, now, each)


@pytest.mark.parametrize("hand_off", HandOff)
def test_of_two_slots_that_go_at_one_moment_only_the_later_is_promised(hand_off: HandOff) -> None:
    schedule = Schedule(
        "daily",
        Positions("schedule.yaml"),
        cron="0 9 * * *",
        windows=(Window((0, 1, 2, 3, 4), time(8), time(20)),),
        grace=timedelta(hours=2),
        hand_off=hand_off,
    )
    sunday = datetime(2026, 12, 6, 10, tzinfo=UTC)
    saturdays, sundays = (
        evaluate_timing(schedule, Occurrence(f"2026-12-0{day}T09:00", None), zone="UTC", now=sunday)
        for day in (5, 6)
    )
    opens = datetime(2026, 12, 7, 8, tzinfo=UTC)
    assert (saturdays.state, saturdays.reason) == (Gate.EXPIRED, "superseded")
    assert (saturdays.replaced, sundays.replaced) == (opens, None)
    assert sundays.state is (Gate.DUE if hand_off is HandOff.PROVIDER else Gate.DEFERRED)
    assert (sundays.send_at or sundays.until) == opens
    for late in (opens, opens + timedelta(hours=2), opens + timedelta(days=2)):
        timing = evaluate_timing(schedule, Occurrence("2026-12-05T09:00", None), zone="UTC", now=late)
        # It was replaced, and not missed, also where nobody sent the later one in time.
        assert (timing.state, timing.reason, timing.replaced) == (Gate.EXPIRED, "superseded", None)


def midnight(day: date, zone: str) -> datetime:
    return to_instant(datetime.combine(day, time.min), zone)


@pytest.mark.parametrize("seed", range(6))
def test_hours_of_a_day_are_those_in_which_the_schedule_is_open(seed: int) -> None:
    chance = Random(seed)
    first, zone = chance.choice(CHANGES), chance.choice(ZONES)
    schedule = random_schedule(chance, first)
    for number in range(3):
        day = first + timedelta(days=number)
        hours = open_hours(schedule, zone, day)
        for minute in range(0, 24 * 60, 30):
            moment = to_instant(datetime.combine(day, time(*divmod(minute, 60))), zone)
            opening = next_opening(schedule, moment, zone)
            local = to_local(moment, zone).time()
            shown = any(begins <= local and (local < ends or ends == time.max) for begins, ends in hours)
            assert shown == (opening is not None and opening.contains(moment)), (zone, schedule, moment)


def test_a_rule_of_each_minute_is_complete() -> None:
    schedule = Schedule("each-minute", Positions("schedule.yaml"), cron="* * * * *")
    day = date(2026, 12, 1)
    shown = slots_of_days(schedule, "UTC", first=day, last=day + timedelta(days=2), now=NOW)
    assert len(shown) == 3 * 24 * 60


def test_one_time_moves_into_the_days_that_are_shown() -> None:
    schedule = Schedule(
        "once",
        Positions("schedule.yaml"),
        at=datetime(2026, 12, 25, 9),
        holidays=(date(2026, 12, 25),),
    )
    day = date(2026, 12, 26)
    shown = slots_of_days(schedule, "UTC", first=day, last=day, now=NOW)
    assert shown == [
        DatedSlot(
            id="once",
            due=datetime(2026, 12, 25, 9, tzinfo=UTC),
            goes=datetime(2026, 12, 26, tzinfo=UTC),
            fate=Fate.TO_COME,
            reason="holiday 2026-12-25",
        )
    ]


NOW = datetime(2026, 11, 29, tzinfo=UTC)
