"""The slots of a schedule that are still to come in one time zone, and those that are left out, with the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import islice

from msgspec import Struct

from notifyctl.model.project import Gap, Schedule
from notifyctl.schedule.opening import OUTSIDE_WINDOW, find_holiday, why_shut
from notifyctl.schedule.slots import latest_slot, slot_instant
from notifyctl.schedule.timing import ONCE, first_opening, is_superseded, lapse_time
from notifyctl.schedule.zones import is_skipped, reading, to_instant, to_local

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
    if schedule.cron is not None:
        yield from still_waiting(schedule, zone, now=now)
    midnight = datetime.combine(to_local(now, zone).date(), time.min)
    yield from islice(slots_from(schedule, zone, midnight, after=now), SEARCHED_SLOTS)


def slots_from(schedule: Schedule, zone: str, start: datetime, *, after: datetime) -> Iterator[Slot]:
    """Slots due after an instant, and those from the local time `start` on that are left out; earliest first and without end."""
    if schedule.cron is None:
        if schedule.at is not None and (due := to_instant(schedule.at, zone)) > after:
            yield judge(schedule, ONCE, due, zone)
        return
    from cronsim import CronSim

    if schedule.starts is not None:
        start = max(start, schedule.starts)
    for local in CronSim(schedule.cron, start - timedelta(seconds=1)):
        if schedule.ends is not None and local > schedule.ends:
            return
        due = slot_instant(schedule, local, zone)
        reason = why_left_out(schedule, local, zone)
        if reason is not None:
            yield Slot(id=f"{local:%Y-%m-%dT%H:%M}", due=due, skipped=reason)
        elif due > after:
            yield judge(schedule, reading(due, zone), due, zone)


def still_waiting(schedule: Schedule, zone: str, *, now: datetime) -> Iterator[Slot]:
    """The latest slot due by `now`, if it has yet to go: window, quiet hours or holidays hold it, for days perhaps."""
    before = latest_slot(schedule, zone, now)
    if before is not None and before.due is not None:
        slot = judge(schedule, before.id, before.due, zone)
        if slot.skipped is None and slot.goes is not None and slot.goes > now:
            yield slot


def why_left_out(schedule: Schedule, local: datetime, zone: str) -> str | None:
    """Why a rule's local time is no slot."""
    holiday = find_holiday(schedule, local.date())
    if holiday is not None:
        return holiday
    return "clock-change" if schedule.gap is Gap.SKIP and is_skipped(local, zone) else None


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
    elif schedule.cron is not None and is_superseded(schedule, due, zone=zone, now=goes, opened=()):
        skipped = moved or "superseded"
    return Slot(id=name, due=due, goes=goes, moved=moved, skipped=skipped)
