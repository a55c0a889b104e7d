"""The slots of a schedule that are still to come in one time zone, and those that are left out, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from itertools import islice

from msgspec import Struct

from notifyctl.model.project import Schedule
from notifyctl.schedule.local_times import local_times
from notifyctl.schedule.opening import OUTSIDE_WINDOW, why_shut
from notifyctl.schedule.slots import (
    ONCE,
    clock_change,
    latest_slot,
    name_slot,
    slot_instant,
    why_left_out,
)
from notifyctl.schedule.timing import first_opening, is_folded, lapse_time
from notifyctl.schedule.zones import to_instant, to_local

SEARCHED_SLOTS = 2_000
"""How many slots of a rule are looked at; one that is left out longer than that has none to come."""


class Slot(Struct, frozen=True, kw_only=True):
    """`id` as of an occurrence. `goes`: the first moment at which it may go. `skipped`: why nobody is sent it; None: it is sent.

    `moved`: why it goes later than due. Both reasons as in a plan: `holiday 2026-12-25`, `outside-window`, `clock-change`.
    """

    id: str
    due: datetime
    goes: datetime | None = None
    moved: str | None = None
    skipped: str | None = None


def slots_to_come(schedule: Schedule, zone: str, *, now: datetime) -> Iterator[Slot]:
    """Slots that go after `now`, earliest first, and those since midnight that are left out."""
    if schedule.recurs:
        yield from still_waiting(schedule, zone, now=now)
    midnight = datetime.combine(to_local(now, zone).date(), time.min)
    today = to_instant(midnight, zone)
    # Where clocks are put back over midnight, what is to come may be due at a time of yesterday.
    start = midnight - clock_change(now, zone)
    for slot in islice(slots_from(schedule, zone, start, after=now), SEARCHED_SLOTS):
        if slot.skipped is None or slot.due >= today:
            yield slot


def slots_from(schedule: Schedule, zone: str, start: datetime, *, after: datetime) -> Iterator[Slot]:
    """Slots due after an instant, and those from the local time `start` on that are left out; earliest first and without end."""
    for local in local_times(schedule, zone).after(start):
        due = slot_instant(schedule, local, zone)
        reason = why_left_out(schedule, local, zone)
        if reason is not None:
            name = f"{local:%Y-%m-%dT%H:%M}" if schedule.recurs else ONCE
            yield Slot(id=name, due=due, skipped=reason)
        elif due > after:
            yield judge(schedule, name_slot(schedule, due, zone), due, zone)


def still_waiting(schedule: Schedule, zone: str, *, now: datetime) -> Iterator[Slot]:
    """The latest slot due by `now`, if it has yet to go: window, quiet hours or holidays hold it, for days perhaps."""
    before = latest_slot(schedule, zone, now)
    if before is not None and before.due is not None:
        slot = judge(schedule, before.id, before.due, zone)
        if slot.skipped is None and slot.goes is not None and slot.goes > now:
            yield slot


def judge(schedule: Schedule, name: str, due: datetime, zone: str) -> Slot:
    """When a slot goes, or why it does not."""
    goes = first_opening(schedule, due, zone)
    if goes is None:
        return Slot(id=name, due=due, skipped=OUTSIDE_WINDOW)
    moved = why_shut(schedule, due, zone) if goes > due else None
    expires = lapse_time(schedule, goes, zone)
    skipped = None
    if expires is not None and goes >= expires:
        skipped = moved or "past-expiry"
    elif is_folded(schedule, due, goes, zone):
        skipped = moved
    return Slot(id=name, due=due, goes=goes, moved=moved, skipped=skipped)
