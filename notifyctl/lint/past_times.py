"""Schedules whose time has passed: what was not begun by then expires. The rules that look at the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import RECIPIENT_ZONE, Project, Schedule
from notifyctl.schedule.local_times import local_times
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.slots import ONCE, latest_slot, slot_due
from notifyctl.schedule.timing import check_schedule, first_opening, lapse_time
from notifyctl.schedule.zones import to_local

WESTERNMOST = "Etc/GMT+12"
"""Where a local time comes last."""


def check_past(project: Project, *, now: datetime) -> Iterator[Diagnostic]:
    """Every schedule of which no apply can begin anything any more, in any recipient's time zone."""
    for schedule in effective_schedules(project):
        zone = WESTERNMOST if schedule.timezone == RECIPIENT_ZONE else schedule.timezone or project.timezone
        try:
            if schedule.at is not None:
                yield from check_time(schedule, zone, now)
            elif schedule.recurs and not any(check_schedule(schedule)):
                yield from check_rule_end(schedule, zone, now)
        except (ZoneInfoNotFoundError, ValueError):
            continue  # bad-schedule reports it


def effective_schedules(project: Project) -> Iterator[Schedule]:
    """Each schedule once: with the project's hours if they hold back all of the notifications that refer to it."""
    used: dict[str, list[Schedule]] = {}
    for notification in project.notifications.values():
        if notification.schedule is not None:
            used.setdefault(notification.schedule.name, []).append(notification.schedule)
    for name, schedule in project.schedules.items():
        known = used.get(name, [])
        yield known[0] if known and all(each.project_hours == project.hours for each in known) else schedule


def check_time(schedule: Schedule, zone: str, now: datetime) -> Iterator[Diagnostic]:
    due = slot_due(schedule, ONCE, zone)
    if due is None and schedule.timezone != RECIPIENT_ZONE:
        yield Diagnostic(
            "no-occurrence",
            Severity.WARNING,
            f"a clock change skips `at` in {zone}, and `gap: skip` leaves it out: nothing is sent",
            schedule.positions.location("at"),
            hint="set another time, or `gap: shift`",
        )
    over = lapse_time(schedule, first_opening(schedule, due, zone), zone)
    if over is not None and now >= over:
        yield Diagnostic(
            "at-in-past",
            Severity.WARNING,
            f"`at` is in the past: messages not sent by {format_time(over, zone_shown(schedule, zone))} expire",
            schedule.positions.location("at"),
            hint="set a later time, or a longer `grace`, for example `grace: 2d`; if everything was sent, remove the notification",
        )


def check_rule_end(schedule: Schedule, zone: str, now: datetime) -> Iterator[Diagnostic]:
    """A rule without an occurrence between `from` and `until`, or whose last one is over."""
    key = "cron" if schedule.cron is not None else "rrule"
    local = to_local(now, zone)
    if next(local_times(schedule, zone).after(local - timedelta(days=1)), None) is not None:
        return
    last = latest_slot(schedule, zone, now)
    if last is None:
        message = f"`{key}` has no occurrence between `from` and `until`: nothing is sent"
    else:
        over = lapse_time(schedule, first_opening(schedule, last.due, zone), zone)
        if last.due is None or over is None or now < over:
            return
        message = f"`{key}` has ended: its last occurrence was due {format_time(last.due, zone_shown(schedule, zone))}"
    yield Diagnostic(
        "no-occurrence",
        Severity.WARNING,
        message,
        schedule.positions.location(key),
        hint="set a later end of the rule; if everything was sent, remove the notification",
    )


def zone_shown(schedule: Schedule, zone: str) -> str:
    return RECIPIENT_ZONE if schedule.timezone == RECIPIENT_ZONE else zone
