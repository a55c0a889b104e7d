"""Messages that would expire before they can be sent. Apart from the envelope, because it reads time zones."""

from __future__ import annotations

from datetime import datetime

from notifyctl.model.project import RECIPIENT_ZONE, Schedule
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.timing import first_opening
from notifyctl.schedule.zones import is_zone, to_instant


def find_expiry_problem(schedule: Schedule, at: datetime, ends: datetime, *, timezone: str) -> str | None:
    """Why a message that is due once, at `at`, expires first. `timezone`: the project's."""
    zone = schedule.timezone or timezone
    if zone == RECIPIENT_ZONE:
        if (at.tzinfo is None) != (ends.tzinfo is None):
            return None  # a local time and an instant: which is first differs between recipients
        zone = "UTC"
    if not is_zone(zone):
        return None  # bad-schedule reports it
    due, over = to_instant(at, zone), to_instant(ends, zone)
    if over <= due:
        return f"it expires at {ends:%Y-%m-%d %H:%M}, before it is due"
    opens = first_opening(schedule, due, zone)
    if opens is not None and over <= opens:
        return (
            f"it expires at {format_time(over, zone)}, before it can be sent, from {format_time(opens, zone)}"
        )
    return None
