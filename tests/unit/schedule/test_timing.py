"""When things are due: across daylight saving, windows, holidays, grace and expiry."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.project import HandOff, Schedule, Window
from notifyctl.schedule.horizon import Span, authorised_span
from notifyctl.schedule.slots import Occurrence
from notifyctl.schedule.timing import Gate, check_schedule, evaluate_timing, occurrences
from notifyctl.schedule.zones import to_instant, to_local

PLAIN = Schedule("s", Positions("s.yaml"))
ONCE = Occurrence("once", None)
OFFICE = Window(days=(0, 1, 2, 3, 4), start=time(8), until=time(20))
ZONES = [
    "Europe/London",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "UTC",
]
moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def at(now: datetime, schedule: Schedule, *, zone: str = "Europe/London") -> Gate:
    (occurrence,) = occurrences(schedule, zone=zone, span=Span(now, now + timedelta(days=1)))
    return evaluate_timing(schedule, occurrence, zone=zone, now=now).state


def test_without_a_schedule_it_is_due() -> None:
    assert evaluate_timing(None, ONCE, zone="UTC", now=utc(2026, 1, 1)).state is Gate.DUE


def test_a_local_time_waits_until_it_is_due() -> None:
    schedule = replace(PLAIN, at=datetime(2026, 7, 1, 9))
    assert at(utc(2026, 7, 1, 7, 59), schedule) is Gate.DEFERRED
    assert at(utc(2026, 7, 1, 8, 0), schedule) is Gate.DUE


def test_a_time_with_an_offset_is_no_local_time() -> None:
    schedule = replace(PLAIN, at=datetime.fromisoformat("2026-07-01T09:00:00+00:00"))
    assert at(utc(2026, 7, 1, 8, 30), schedule) is Gate.DEFERRED


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        (datetime(2027, 3, 28, 1, 30), utc(2027, 3, 28, 1, 0)),  # a gap: the first valid instant
        (datetime(2026, 10, 25, 1, 30), utc(2026, 10, 25, 0, 30)),  # an overlap: its first hour
        (datetime(2026, 7, 1, 9), utc(2026, 7, 1, 8)),
    ],
)
def test_daylight_saving(wall: datetime, expected: datetime) -> None:
    assert to_instant(wall, "Europe/London") == expected


def test_it_never_fires_later_than_grace() -> None:
    schedule = replace(PLAIN, at=datetime(2026, 12, 1, 9), grace=timedelta(minutes=30))
    assert at(utc(2026, 12, 1, 9, 29), schedule) is Gate.DUE
    assert at(utc(2026, 12, 1, 9, 30), schedule) is Gate.EXPIRED


def test_at_the_very_instant_of_its_end_it_is_over_and_the_reason_is_that_end() -> None:
    ending = replace(
        PLAIN, at=datetime(2026, 12, 1, 9), expire_at=datetime(2026, 12, 1, 10), grace=timedelta(hours=1)
    )
    over = evaluate_timing(ending, ONCE, zone="UTC", now=utc(2026, 12, 1, 10))
    assert (over.state, over.reason) == (Gate.EXPIRED, "past-expiry")
    late = evaluate_timing(replace(ending, expire_at=None), ONCE, zone="UTC", now=utc(2026, 12, 1, 10))
    assert (late.state, late.reason) == (Gate.EXPIRED, "past-grace")
    shut = evaluate_timing(replace(PLAIN, windows=(OFFICE,)), ONCE, zone="UTC", now=utc(2026, 12, 1, 20))
    assert (shut.state, shut.until) == (Gate.DEFERRED, utc(2026, 12, 2, 8))


def test_what_expires_at_the_instant_at_which_its_window_opens_is_not_sent() -> None:
    for begun in (False, True):
        schedule = replace(
            PLAIN, at=datetime(2026, 12, 1, 6), windows=(OFFICE,), expire_at=datetime(2026, 12, 1, 8)
        )
        early = evaluate_timing(schedule, ONCE, zone="UTC", now=utc(2026, 12, 1, 7), begun=begun)
        assert (early.state, early.reason) == (Gate.EXPIRED, "expires-first")
        on_time = replace(schedule, expire_at=datetime(2026, 12, 1, 8, 1))
        assert evaluate_timing(on_time, ONCE, zone="UTC", now=utc(2026, 12, 1, 7)).state is Gate.DEFERRED


@pytest.mark.parametrize(("expires", "final"), [((8, 0), True), ((8, 1), False)])
def test_what_expires_as_the_window_opens_again_expires_when_it_closes(
    expires: tuple[int, int], *, final: bool
) -> None:
    schedule = replace(
        PLAIN,
        at=datetime(2026, 12, 1, 9),
        windows=(OFFICE,),
        expire_at=datetime(2026, 12, 2, *expires),
        grace=timedelta(days=2),
    )
    when = evaluate_timing(schedule, ONCE, zone="UTC", now=utc(2026, 12, 1, 10))
    assert (when.closes, when.final) == (utc(2026, 12, 1, 20), final)


def test_expire_after_becomes_validity_and_lapses() -> None:
    schedule = replace(
        PLAIN, at=datetime(2026, 12, 1, 9), expire_after=timedelta(hours=4), grace=timedelta(hours=6)
    )
    when = evaluate_timing(schedule, ONCE, zone="Europe/London", now=utc(2026, 12, 1, 10))
    assert (when.state, when.validity, when.expire_at) == (Gate.DUE, 14400, None)
    assert when.expires == utc(2026, 12, 1, 13)
    assert at(utc(2026, 12, 1, 13), schedule) is Gate.EXPIRED


def test_expire_after_without_a_time_is_only_validity() -> None:
    when = evaluate_timing(
        replace(PLAIN, expire_after=timedelta(hours=4)), ONCE, zone="UTC", now=utc(2026, 12, 1)
    )
    assert (when.state, when.validity, when.expires) == (Gate.DUE, 14400, None)


def test_expire_at_goes_into_the_envelope() -> None:
    schedule = replace(PLAIN, expire_at=datetime(2026, 12, 1, 12))
    when = evaluate_timing(schedule, ONCE, zone="Europe/London", now=utc(2026, 12, 1, 10))
    assert (when.expire_at, when.validity) == (utc(2026, 12, 1, 12), None)
    assert at(utc(2026, 12, 1, 12), schedule) is Gate.EXPIRED


def test_outside_the_window_it_waits_for_the_next_opening() -> None:
    schedule = replace(PLAIN, windows=(OFFICE,), holidays=(date(2026, 12, 25),))
    thursday_evening = utc(2026, 12, 24, 20, 30)
    when = evaluate_timing(schedule, ONCE, zone="Europe/London", now=thursday_evening)
    # Friday is a holiday, then a weekend.
    assert (when.state, when.reason, when.until) == (Gate.DEFERRED, "outside-window", utc(2026, 12, 28, 8))


def test_what_is_due_says_until_when() -> None:
    noon = utc(2026, 12, 1, 12)
    patient = replace(PLAIN, at=datetime(2026, 12, 1, 9), grace=timedelta(hours=4))
    open_ended = evaluate_timing(patient, ONCE, zone="UTC", now=noon)
    assert (open_ended.state, open_ended.closes) == (Gate.DUE, None)
    assert evaluate_timing(replace(PLAIN, windows=(OFFICE,)), ONCE, zone="UTC", now=noon).closes == utc(
        2026, 12, 1, 20
    )
    # Grace is about the beginning: what begins at noon goes on after its end, until the window closes.
    lapsing = replace(patient, windows=(OFFICE,))
    assert evaluate_timing(lapsing, ONCE, zone="UTC", now=noon).closes == utc(2026, 12, 1, 20)
    ending = replace(lapsing, expire_at=datetime(2026, 12, 1, 18))
    assert evaluate_timing(ending, ONCE, zone="UTC", now=noon).closes == utc(2026, 12, 1, 18)


def test_a_window_may_cross_midnight() -> None:
    schedule = replace(PLAIN, windows=(Window(days=(0,), start=time(22), until=time(2)),))
    monday = date(2026, 12, 7)
    assert at(utc(2026, 12, 8, 1, 59), schedule) is Gate.DUE
    assert at(utc(2026, 12, 8, 2, 0), schedule) is Gate.DEFERRED
    assert at(utc(monday.year, monday.month, monday.day, 21, 59), schedule) is Gate.DEFERRED


def test_grace_counts_from_the_first_opening_of_the_window() -> None:
    """A Saturday's message goes on Monday, and expires if nobody begins it within grace of Monday's opening."""
    schedule = replace(PLAIN, at=datetime(2026, 12, 5, 9), windows=(OFFICE,))
    for now in (utc(2026, 12, 5, 9), utc(2026, 12, 6, 23), utc(2026, 12, 7, 7, 59)):
        when = evaluate_timing(schedule, ONCE, zone="Europe/London", now=now)
        assert (when.state, when.until) == (Gate.DEFERRED, utc(2026, 12, 7, 8))
    assert at(utc(2026, 12, 7, 8, 59), schedule) is Gate.DUE
    assert at(utc(2026, 12, 7, 9), schedule) is Gate.EXPIRED


def test_expiry_before_the_window_opens_means_expired() -> None:
    schedule = replace(
        PLAIN, at=datetime(2026, 12, 5, 9), windows=(OFFICE,), expire_at=datetime(2026, 12, 6, 9)
    )
    assert at(utc(2026, 12, 5, 9), schedule) is Gate.EXPIRED


def test_handed_to_the_provider_it_goes_at_most_seven_days_ahead() -> None:
    schedule = replace(PLAIN, at=datetime(2026, 12, 10, 9), hand_off=HandOff.PROVIDER)
    early = evaluate_timing(schedule, ONCE, zone="UTC", now=utc(2026, 12, 1))
    assert (early.state, early.reason, early.until) == (Gate.DEFERRED, "beyond-7-days", utc(2026, 12, 3, 9))
    ready = evaluate_timing(schedule, ONCE, zone="UTC", now=utc(2026, 12, 3, 9))
    assert (ready.state, ready.send_at) == (Gate.DUE, utc(2026, 12, 10, 9))


def test_a_recurring_schedule_gives_the_slots_of_today_and_tomorrow_and_the_one_before() -> None:
    schedule = replace(PLAIN, cron="0 9 * * MON-FRI", grace=timedelta(hours=3))
    for minute in (0, 8 * 60, 9 * 60, 24 * 60 - 1):
        friday = utc(2026, 12, 4) + timedelta(minutes=minute)
        found = occurrences(schedule, zone="Europe/London", span=authorised_span(friday, "Europe/London"))
        assert [slot.id for slot in found] == ["2026-12-03T09:00", "2026-12-04T09:00"]
    sunday = authorised_span(utc(2026, 12, 6, 12), "Europe/London")
    found = occurrences(schedule, zone="Europe/London", span=sunday)
    assert [slot.id for slot in found] == ["2026-12-04T09:00", "2026-12-07T09:00"]


def test_the_horizon_is_the_end_of_tomorrow_in_the_project_s_zone() -> None:
    spans = {authorised_span(utc(2026, 12, 4, hour), "Pacific/Auckland") for hour in range(11)}
    assert spans == {Span(utc(2026, 12, 3, 11), utc(2026, 12, 5, 11))}
    assert authorised_span(utc(2026, 12, 4, 11), "Pacific/Auckland").end == utc(2026, 12, 6, 11)


def test_from_until_and_holidays_bound_a_recurring_schedule() -> None:
    schedule = replace(
        PLAIN,
        cron="0 9 * * *",
        starts=datetime(2026, 12, 2),
        ends=datetime.combine(date(2026, 12, 5), time.max),
        holidays=(date(2026, 12, 4),),
    )
    found = occurrences(schedule, zone="UTC", span=Span(utc(2026, 12, 1), utc(2026, 12, 31)))
    assert [slot.id[:10] for slot in found] == ["2026-12-02", "2026-12-03", "2026-12-05"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 9, 23])
def test_a_daily_schedule_occurs_once_a_day_all_year(zone: str, hour: int) -> None:
    schedule = replace(PLAIN, cron=f"30 {hour} * * *")
    after = to_instant(datetime(2027, 1, 1), zone)
    found = occurrences(schedule, zone=zone, span=Span(after, to_instant(datetime(2028, 1, 1), zone)))
    days = [slot.id[:10] for slot in found if slot.due and slot.due >= after]
    assert days == [(date(2027, 1, 1) + timedelta(days=n)).isoformat() for n in range(365)]
    dues = [slot.due for slot in found if slot.due]
    assert dues == sorted(set(dues))


@given(moments, st.sampled_from(ZONES), st.sampled_from([OFFICE, Window(start=time(21), until=time(6))]))
def test_what_is_due_is_inside_the_window_and_a_deferral_ends_inside_it(
    now: datetime, zone: str, window: Window
) -> None:
    schedule = replace(PLAIN, windows=(window,))
    when = evaluate_timing(schedule, ONCE, zone=zone, now=now)
    moment = now if when.state is Gate.DUE else when.until
    assert moment is not None
    wall = to_local(moment, zone)
    if window is OFFICE:
        assert wall.weekday() < 5
        assert time(8) <= wall.time() < time(20)
    else:
        assert wall.time() >= time(21) or wall.time() < time(6)
    if when.state is Gate.DEFERRED:
        assert evaluate_timing(schedule, ONCE, zone=zone, now=moment).state is Gate.DUE


@given(moments, moments)
def test_what_the_digest_sees_does_not_move_with_the_clock(one: datetime, other: datetime) -> None:
    schedule = replace(PLAIN, at=datetime(2027, 6, 1, 9), windows=(OFFICE,), grace=timedelta(days=2))
    first = evaluate_timing(schedule, ONCE, zone="Europe/London", now=one)
    second = evaluate_timing(schedule, ONCE, zone="Europe/London", now=other)
    assert (first.not_before, first.expires) == (second.not_before, second.expires)


def test_a_schedule_without_meaning_is_told_at_its_place() -> None:
    bad = replace(PLAIN, cron="61 9 * * *", timezone="Europe/Londn")
    assert {d.rule for d in check_schedule(bad)} == {"bad-schedule"}
    assert len(check_schedule(bad)) == 2
    assert check_schedule(replace(PLAIN, cron="0 9 * * MON-FRI", timezone="recipient")) == []
    # A day that its form allows and that never comes: the fifth Monday of a February is the 29th, and */3 is none.
    for never in ("0 9 30 2 *", "0 9 */3 2 MON#5"):
        assert len(check_schedule(replace(PLAIN, cron=never))) == 1


@pytest.mark.parametrize(
    ("now", "earlier"),
    [
        (utc(2026, 12, 2, 8, 59), Gate.DUE),
        (utc(2026, 12, 2, 9), Gate.EXPIRED),
        (utc(2026, 12, 3, 8), Gate.EXPIRED),
    ],
)
def test_of_two_open_slots_of_a_rule_the_later_one_is_sent(now: datetime, earlier: Gate) -> None:
    daily = replace(PLAIN, cron="0 9 * * *", grace=timedelta(hours=60))
    first, second = Occurrence("2026-12-01T09:00", None), Occurrence("2026-12-02T09:00", None)
    when = evaluate_timing(daily, first, zone="UTC", now=now)
    assert when.state is earlier
    assert when.reason == ("superseded" if earlier is Gate.EXPIRED else "")
    later = evaluate_timing(daily, second, zone="UTC", now=now)
    assert later.state is (Gate.DUE if earlier is Gate.EXPIRED else Gate.DEFERRED)
