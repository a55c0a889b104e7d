"""Schedules whose time has passed: what was not begun by then expires. The one rule that looks at the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfoNotFoundError

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import RECIPIENT_ZONE, Project, Schedule
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.timing import first_opening, lapse_time
from notifyctl.schedule.zones import to_instant

WESTERNMOST = "Etc/GMT+12"
"""Where a local time comes last."""


def check_past(project: Project, *, now: datetime) -> Iterator[Diagnostic]:
    """Every schedule with an `at` that no apply can begin any more, in any recipient's time zone."""
    for schedule in project.schedules.values():
        try:
            over = end_of_beginning(schedule, project.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            continue  # bad-schedule reports it
        if schedule.at is not None and over is not None and now >= over:
            yield Diagnostic(
                "at-in-past",
                Severity.WARNING,
                f"`at` is in the past: messages not sent by {format_time(over, schedule.timezone or project.timezone)} expire",
                schedule.positions.location("at"),
                hint="set a later time, or a longer `grace`, for example `grace: 2d`; if everything was sent, remove the notification",
            )


def end_of_beginning(schedule: Schedule, project_zone: str) -> datetime | None:
    """From when on an apply begins too late; None without `at`."""
    if schedule.at is None:
        return None
    zone = WESTERNMOST if schedule.timezone == RECIPIENT_ZONE else schedule.timezone or project_zone
    return lapse_time(schedule, first_opening(schedule, to_instant(schedule.at, zone), zone), zone)
