"""Derives occurrences from a schedule, and what can happen to an occurrence now. All times returned are UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from msgspec import Struct

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import RECIPIENT_ZONE, HandOff, Schedule
from notifyctl.schedule.zones import load_zone, to_instant, to_local

ONCE = "once"
HORIZON = timedelta(days=7)
"""How far ahead the API accepts `sendAt` (rule 38)."""
SEARCHED_DAYS = 400
"""How far ahead to search for an opening of the window; one that stays shut for longer never opens."""


class Gate(StrEnum):
    """Whether an occurrence can be sent now."""

    DUE = "due"
    DEFERRED = "deferred"
    EXPIRED = "expired"


class Occurrence(Struct, frozen=True):
    """One occurrence of a notification. `due` is None if it is due as soon as it is applied."""

    id: str
    due: datetime | None


class Timing(Struct, frozen=True):
    """What the schedule means for one occurrence in one time zone.

    `not_before` and `expires` depend on the schedule alone, so that a digest over them does not change with the
    clock. `until` ends a deferral; from `closes` on, what is due now is due no longer. `send_at`, `expire_at` and
    `validity` (seconds) go into the envelope.
    """

    state: Gate
    reason: str = ""
    not_before: datetime | None = None
    until: datetime | None = None
    expires: datetime | None = None
    closes: datetime | None = None
    send_at: datetime | None = None
    expire_at: datetime | None = None
    validity: int | None = None


def occurrences(
    schedule: Schedule | None, *, zone: str, after: datetime, until: datetime
) -> list[Occurrence]:
    """The occurrences that are open, or open before `until`, earliest first.

    A recurring schedule yields at most the latest occurrence before `after`, and only until it lapses; earlier ones
    are not made up for.
    """
    if schedule is None or (schedule.at is None and schedule.cron is None):
        return [Occurrence(ONCE, None)]
    if schedule.at is not None:
        return [Occurrence(ONCE, to_instant(schedule.at, zone))]
    return list(cron_occurrences(schedule, zone=zone, after=after, until=until))


def cron_occurrences(
    schedule: Schedule, *, zone: str, after: datetime, until: datetime
) -> Iterator[Occurrence]:
    from cronsim import CronSim

    assert schedule.cron is not None, "only recurring schedules have slots"
    now = to_local(after, zone)
    first = now
    for past in CronSim(schedule.cron, now + timedelta(seconds=1), reverse=True):
        if is_allowed(schedule, past):
            due = to_instant(past, zone)
            ends = lapse_time(schedule, due, zone)
            first = past if due <= after and (ends is None or after < ends) else now
            break
        if now - past > timedelta(days=SEARCHED_DAYS):
            break
    seen: datetime | None = None
    for slot in CronSim(schedule.cron, first - timedelta(seconds=1)):
        due = to_instant(slot, zone)
        if due > until:
            return
        # Times inside a daylight-saving gap map to one instant: they are one occurrence.
        if is_allowed(schedule, slot) and due != seen:
            seen = due
            yield Occurrence(slot.isoformat(timespec="minutes"), due)


def is_allowed(schedule: Schedule, slot: datetime) -> bool:
    day = slot.date()
    started = schedule.starts is None or day >= schedule.starts
    ended = schedule.ends is not None and day > schedule.ends
    return started and not ended and day not in schedule.holidays


def evaluate_timing(schedule: Schedule | None, occurrence: Occurrence, *, zone: str, now: datetime) -> Timing:
    """Whether an occurrence can be sent now. `zone` is the schedule's, or the recipient's for `timezone: recipient`.

    Raises ZoneInfoNotFoundError for an unknown zone.
    """
    if schedule is None:
        return Timing(Gate.DUE)
    due = due_time(schedule, occurrence, zone)
    expires = lapse_time(schedule, due, zone)
    expire_at = to_instant(schedule.expire_at, zone) if schedule.expire_at else None
    validity = int(schedule.expire_after.total_seconds()) if schedule.expire_after else None
    opened = next_opening(schedule, due, zone) if due else None
    not_before = opened[0] if opened else None

    def verdict(state: Gate, reason: str = "", **moments: datetime | None) -> Timing:
        return Timing(
            state, reason, not_before, expires=expires, expire_at=expire_at, validity=validity, **moments
        )

    if expires is not None and now >= expires:
        return verdict(Gate.EXPIRED, "past-grace-or-expiry")
    window = next_opening(schedule, max(now, due or now), zone)
    if window is None or (expires is not None and window[0] >= expires):
        return verdict(Gate.EXPIRED, "past-window")
    opens, shuts = window
    if opens <= now:
        return verdict(Gate.DUE, closes=min(filter(None, (shuts, expires)), default=None))
    if schedule.hand_off is HandOff.PROVIDER:
        if opens - now <= HORIZON:
            return verdict(Gate.DUE, send_at=opens)
        return verdict(Gate.DEFERRED, "beyond-7-days", until=opens - HORIZON)
    return verdict(Gate.DEFERRED, "not-due" if due and due > now else "outside-window", until=opens)


def due_time(schedule: Schedule, occurrence: Occurrence, zone: str) -> datetime | None:
    """When the occurrence is due in the recipient's zone; the id of a recurring one is its local time."""
    if schedule.at is not None:
        return to_instant(schedule.at, zone)
    if schedule.cron is not None:
        return to_instant(datetime.fromisoformat(occurrence.id), zone)
    return None


def lapse_time(schedule: Schedule, due: datetime | None, zone: str) -> datetime | None:
    """When it lapses: the earliest of grace, expireAfter and expireAt."""
    ends = []
    if schedule.expire_at is not None:
        ends.append(to_instant(schedule.expire_at, zone))
    if due is not None and schedule.expire_after is not None:
        ends.append(due + schedule.expire_after)
    if due is not None and schedule.grace is not None:
        ends.append(due + schedule.grace)
    return min(ends, default=None)


def next_opening(schedule: Schedule, moment: datetime, zone: str) -> tuple[datetime, datetime | None] | None:
    """The first instant from `moment` on that is inside the window and on no holiday, and when that window closes.

    The end is None for a schedule that never closes; the result is None for one that never opens.
    """
    window = schedule.window
    if window is None and not schedule.holidays:
        return moment, None
    days = window.days if window else (0, 1, 2, 3, 4, 5, 6)
    start, until = (window.start, window.until) if window else (time.min, time.max)
    first = to_local(moment, zone).date() - timedelta(days=1)  # yesterday's window may extend past midnight
    for number in range(SEARCHED_DAYS):
        day = first + timedelta(days=number)
        if day.weekday() not in days or day in schedule.holidays:
            continue
        opens = to_instant(datetime.combine(day, start), zone)
        closes = to_instant(closing_time(datetime.combine(day, start), until), zone)
        if moment < closes:
            return max(moment, opens), closes
    return None


def closing_time(start: datetime, until: time) -> datetime:
    """When a window that opens at `start` closes: 24:00 is the next midnight, an earlier time is on the next day."""
    tomorrow = start.date() + timedelta(days=1)
    if until == time.max:
        return datetime.combine(tomorrow, time.min)
    return datetime.combine(tomorrow if until <= start.time() else start.date(), until)


def check_schedule(schedule: Schedule) -> list[Diagnostic]:
    """Checks what the shape cannot: a cron expression that never matches, a window that never opens."""
    found = []
    if schedule.cron is not None:
        from cronsim import CronSim, CronSimError

        try:
            ahead = CronSim(schedule.cron, datetime(2026, 1, 1))  # noqa: DTZ001 - a wall-clock time, as cron means it
            next(ahead)
        except (CronSimError, StopIteration) as error:
            found.append(
                schedule_problem(schedule, "cron", f"{schedule.cron!r} is no cron expression: {error}")
            )
    if schedule.timezone not in {None, RECIPIENT_ZONE}:
        try:
            load_zone(str(schedule.timezone))
        except ZoneInfoNotFoundError:
            return [
                *found,
                schedule_problem(schedule, "timezone", f"{schedule.timezone!r} is no IANA time zone"),
            ]
    place = schedule.timezone if schedule.timezone not in {None, RECIPIENT_ZONE} else "UTC"
    if schedule.window and next_opening(schedule, datetime(2026, 1, 1, tzinfo=UTC), str(place)) is None:
        found.append(
            schedule_problem(
                schedule, "window", "the window never opens: its days and the holidays leave no day"
            )
        )
    return found


def schedule_problem(schedule: Schedule, field: str, message: str) -> Diagnostic:
    hints = {
        "cron": 'five fields: minute, hour, day of month, month, day of week, for example "0 9 * * MON-FRI"',
        "timezone": "for example Europe/London, or `recipient` for each recipient's own",
        "window": "allow at least one day",
    }
    return Diagnostic(
        "bad-schedule", Severity.ERROR, message, schedule.positions.location(field), hint=hints[field]
    )
