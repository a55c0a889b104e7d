"""One id for one instant, at every clock: over all zones of tzdata around each change of a clock from 2025 to 2027."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

import pytest
from msgspec.structs import replace

from notifyctl.diagnostics import Positions
from notifyctl.model.project import RECIPIENT_ZONE, Gap, Overlap, Schedule
from notifyctl.schedule.horizon import authorised_span
from notifyctl.schedule.slots import latest_slot, slot_due
from notifyctl.schedule.timing import Gate, evaluate_timing, occurrences, stands_for
from notifyctl.schedule.zones import Readings, find_transition, load_zone, read_instant, reading, to_local

FIRST, LAST = datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
PLAIN = Schedule("s", Positions("s.yaml"))
RULES = ["0 * * * *", "*/30 * * * *", "0 2-3 * * *", "0 2 * * *", "30 0 * * *", "0 */2 * * *"]
MINUTE = timedelta(minutes=1)
Looks = tuple[timedelta, ...]
LOOKS: Looks = (-timedelta(hours=20), -MINUTE, timedelta(), 5 * MINUTE, timedelta(hours=3))


def changes(zone: str) -> Iterator[datetime]:
    """When the zone's clock is changed."""
    place, day = load_zone(zone), timedelta(days=1)
    moment = FIRST
    while moment < LAST:
        if moment.astimezone(place).utcoffset() != (moment + day).astimezone(place).utcoffset():
            yield find_transition(moment, moment + day, place)
        moment += day


@cache
def transitions() -> list[tuple[str, datetime]]:
    """A zone for each different change: instant, and wall clock before and after it."""
    found: dict[tuple[datetime, datetime, datetime], str] = {}
    for zone in sorted(available_timezones() - {"localtime"}):
        for moment in changes(zone):
            found.setdefault((moment, to_local(moment - MINUTE, zone), to_local(moment, zone)), zone)
    return [(zone, moment) for (moment, _, _), zone in found.items()]


@cache
def kinds() -> list[tuple[str, datetime]]:
    """One transition of each kind: by the time of day, in UTC and on the wall, before and after."""
    found = {
        (moment.time(), to_local(moment - MINUTE, zone).time(), to_local(moment, zone).time()): (zone, moment)
        for zone, moment in transitions()
    }
    return list(found.values())


def seen(schedule: Schedule, zone: str, now: datetime) -> dict[datetime, str]:
    """Due → id of the occurrences that a plan made now knows."""
    found = occurrences(schedule, zone=zone, span=authorised_span(now, zone))
    return {each.due: each.id for each in found if each.due is not None}


@cache
def every_ten_minutes(zone: str, moment: datetime) -> dict[datetime, str]:
    return seen(replace(PLAIN, cron="*/10 * * * *"), zone, moment)


@pytest.mark.parametrize("rule", RULES)
def test_an_instant_has_one_id_whenever_one_looks(rule: str) -> None:
    """At one change of each kind; test_all_zones looks at all of them."""
    assert len(transitions()) > 100
    for zone, moment in kinds():
        schedule = replace(PLAIN, cron=rule)
        names: dict[datetime, str] = {}
        for look in LOOKS:
            now = moment + look
            span = authorised_span(now, zone)
            known = seen(schedule, zone, now)
            inside = {due for due in names if span.start <= due < span.end}
            assert inside <= known.keys(), "the same slots are seen at every look"
            for due, name in known.items():
                if due not in names:  # what follows from instant and zone alone is tried once
                    assert name == reading(due, zone)
                    assert read_instant(name, zone) == due
                assert names.setdefault(due, name) == name
                if due == moment:
                    assert slot_due(schedule, name, zone) == due
            latest = latest_slot(schedule, zone, now)
            assert latest is not None
            assert latest.due == max(due for due in known if due <= now)
        assert len(set(names.values())) == len(names), "no id means two instants"


@pytest.mark.parametrize("rule", RULES)
def test_the_id_does_not_depend_on_gap_overlap_or_rule(rule: str) -> None:
    for zone, moment in kinds():
        shifted = seen(replace(PLAIN, cron=rule), zone, moment)
        for gap in Gap:
            for overlap in Overlap:
                other = seen(replace(PLAIN, cron=rule, gap=gap, overlap=overlap), zone, moment)
                assert all(name == reading(due, zone) for due, name in other.items())
                if gap is Gap.SKIP and overlap is Overlap.FIRST:
                    assert other.items() <= shifted.items()
        every = every_ten_minutes(zone, moment)
        span = authorised_span(moment, zone)
        assert {due: name for due, name in shifted.items() if due >= span.start}.items() <= every.items()


@pytest.mark.parametrize("rule", RULES)
def test_who_is_looked_at_around_each_slot_is_due_once_for_each_instant(rule: str) -> None:
    """`gap` is switched between two looks; the facts are ids alone, as a ledger keeps them."""
    for zone, moment in kinds()[::4]:
        sent: dict[str, datetime] = {}
        start = moment - timedelta(hours=2)
        schedule = replace(PLAIN, cron=rule)
        slots = [due for due in seen(schedule, zone, moment) if start <= due <= moment + timedelta(hours=2)]
        looks = sorted({due + gap for due in slots for gap in (-MINUTE, timedelta(), MINUTE)})
        for number, now in enumerate(looks):
            switched = replace(schedule, gap=Gap.SKIP if number % 3 == 2 else Gap.SHIFT)
            span = authorised_span(now, zone)
            for each in occurrences(switched, zone=zone, span=span):
                if each.due is None or abs(each.due - now) > timedelta(hours=2):
                    continue
                when = evaluate_timing(switched, each, zone=zone, now=now, span=span, opened=sent.keys())
                if when.state is Gate.DUE and not any(map(Readings.of(each.due, zone).include, sent)):
                    sent[each.id] = each.due
        assert len(set(sent.values())) == len(sent)
        assert {due for due in sent.values() if due >= start} >= set(slots), "nobody is lost"


def test_earlier_names_of_a_moved_slot_stand_for_it_and_no_others_do() -> None:
    for zone, moment in kinds():
        before, after = to_local(moment - MINUTE, zone) + MINUTE, to_local(moment, zone)
        own = Readings.of(moment, zone)
        skipped = before
        while skipped < after:
            assert own.include(skipped.isoformat(timespec="minutes"))
            skipped += 10 * MINUTE
        assert own.include(after.isoformat(timespec="minutes"))
        assert not own.include((after + MINUTE).isoformat(timespec="minutes"))
        assert not own.include((min(before, after) - MINUTE).isoformat(timespec="minutes"))


@pytest.mark.parametrize("rule", ["0 2 * * *", "0 2-3 * * *", "0 9 * * *"])
def test_a_corrected_zone_sends_no_slot_twice(rule: str) -> None:
    """Somebody got the occurrence that was due in one zone when another zone turns out to be theirs."""
    schedule = replace(PLAIN, cron=rule, timezone=RECIPIENT_ZONE)
    zones = ["UTC", "Europe/London", "America/New_York", "America/Phoenix", "Australia/Lord_Howe"]
    for zone, moment in kinds()[::6]:
        day = to_local(moment, zone).date().isoformat()
        ids = {
            each: [n for n in at_night(schedule, each, moment) if n.startswith(day)]
            for each in {zone, *zones}
        }
        for one, other in [*((zone, each) for each in zones), *((each, zone) for each in zones)]:
            got, owed = ids[one], ids[other]
            left = [
                name
                for name in owed
                if name not in got and not any(stands_for(schedule, sent, name, zone=other) for sent in got)
            ]
            assert len(got) + len(left) <= len(rule.split()[1].replace("2-3", "23")), (one, other, got, left)


def at_night(schedule: Schedule, zone: str, moment: datetime) -> list[str]:
    """The ids that the zone has of the days around a moment."""
    found = occurrences(schedule, zone="UTC", span=authorised_span(moment, "UTC"))
    return [each.id for each in found if slot_due(schedule, each.id, zone) is not None]
