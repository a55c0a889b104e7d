"""The slots of a schedule on given days in one time zone, and what becomes of each: for calendars.

What is to come is judged by `slots_to_come`, what is due already by `evaluate_timing`: the functions of a plan, and no others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from msgspec import Struct

from notifyctl.model.project import Schedule
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.opening import next_opening
from notifyctl.schedule.slots import Occurrence
from notifyctl.schedule.timing import INSTANT, LONGEST_CHANGE, Gate, evaluate_timing, recurring
from notifyctl.schedule.upcoming import Slot, slots_from
from notifyctl.schedule.zones import to_instant, to_local

DAY = timedelta(days=1)


class Fate(StrEnum):
    """What becomes of an occurrence as far as its schedule decides."""

    TO_COME = "to-come"
    DUE = "due"
    EXPIRED = "expired"
    SKIPPED = "skipped"


class DatedSlot(Struct, frozen=True, kw_only=True):
    """`goes`: when it goes or went at the earliest; of one that does not go, when it was due. `reason`: why it goes later than due, or
    why not at all.
    """

    id: str
    due: datetime
    goes: datetime
    fate: Fate
    reason: str | None = None


def slots_of_days(
    schedule: Schedule, zone: str, *, first: date, last: date, now: datetime, opened: Collection[str] = ()
) -> list[DatedSlot]:
    """Slots that are due or go on local days from `first` to `last`, earliest first. `opened` as in `evaluate_timing`.

    Raises ZoneInfoNotFoundError for an unknown zone.
    """
    start, end = start_of(first, zone), start_of(last + DAY, zone)
    found: dict[str, DatedSlot] = {}
    for slot in slots_since(schedule, zone, start):
        if slot.due >= end:
            break
        dated = date_slot(schedule, slot, zone, now=now, opened=opened)
        if max(slot.due, dated.goes) >= start:
            # Local times that a clock change moves to one instant are one occurrence.
            found.setdefault(slot.id, dated)
    return list(found.values())


def slots_since(schedule: Schedule, zone: str, start: datetime) -> Iterator[Slot]:
    """Slots from an instant on, and earlier ones that may still go then."""
    if not schedule.recurs:
        ever = datetime.min  # noqa: DTZ901 - a wall-clock time
        yield from slots_from(schedule, zone, ever, after=ever.replace(tzinfo=UTC))
        return
    waiting = [each.due for each in recurring(schedule, zone=zone, span=Span(start, start + INSTANT))]
    earliest = min([start, *filter(None, waiting)])
    local = to_local(earliest, zone) - LONGEST_CHANGE
    yield from slots_from(schedule, zone, local, after=earliest - INSTANT)


def date_slot(
    schedule: Schedule, slot: Slot, zone: str, *, now: datetime, opened: Collection[str]
) -> DatedSlot:
    if slot.goes is not None and slot.due <= now:
        occurrence = Occurrence(slot.id, slot.due)
        timing = evaluate_timing(schedule, occurrence, zone=zone, now=now, opened=opened)
        if timing.state is Gate.DUE:
            goes = timing.send_at or slot.goes
            return DatedSlot(id=slot.id, due=slot.due, goes=goes, fate=Fate.DUE, reason=slot.moved)
        if slot.skipped is None and timing.state is Gate.DEFERRED:
            goes = timing.until or slot.goes
            reason = slot.moved or timing.reason
            return DatedSlot(id=slot.id, due=slot.due, goes=goes, fate=Fate.TO_COME, reason=reason)
        if slot.skipped is None:
            return DatedSlot(
                id=slot.id, due=slot.due, goes=slot.goes, fate=Fate.EXPIRED, reason=timing.reason
            )
    if slot.skipped is not None or slot.goes is None:
        return DatedSlot(id=slot.id, due=slot.due, goes=slot.due, fate=Fate.SKIPPED, reason=slot.skipped)
    return DatedSlot(id=slot.id, due=slot.due, goes=slot.goes, fate=Fate.TO_COME, reason=slot.moved)


def open_hours(schedule: Schedule, zone: str, day: date) -> list[tuple[time, time]]:
    """The local times of a day between which sending is allowed; 24:00 is time.max. Empty: on no time of it."""
    start, end = start_of(day, zone), start_of(day + DAY, zone)
    found: list[tuple[time, time]] = []
    moment = start
    while moment < end:
        opening = next_opening(schedule, moment, zone)
        if opening is None or opening.first(moment) >= end:
            break
        closes = min(opening.closes or end, end)
        until = time.max if closes == end else to_local(closes, zone).time()
        found.append((to_local(opening.first(moment), zone).time(), until))
        moment = closes
    return found


def start_of(day: date, zone: str) -> datetime:
    return to_instant(datetime.combine(day, time.min), zone)
