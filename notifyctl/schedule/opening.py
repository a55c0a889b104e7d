"""When sending is allowed, by windows, quiet hours and holidays of a schedule and of the project. All times returned are UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from notifyctl.model.project import Hours, Schedule, Window
from notifyctl.schedule.holiday_dates import find_name
from notifyctl.schedule.timetable import SECONDS, Timetable, minutes_on, timetable
from notifyctl.schedule.zones import to_local

SEARCHED_DAYS = 400
"""How far ahead to search for an opening; a schedule that stays shut for longer never opens."""


class Opening(Struct, frozen=True, kw_only=True):
    """A time during which sending is allowed without a break. None: it has always been open, or never closes."""

    opens: datetime | None
    closes: datetime | None

    def first(self, moment: datetime) -> datetime:
        """The first instant from `moment` on that lies in it."""
        return moment if self.opens is None else max(moment, self.opens)

    def contains(self, moment: datetime) -> bool:
        after = self.opens is None or self.opens <= moment
        return after and (self.closes is None or moment < self.closes)


ALWAYS = Opening(opens=None, closes=None)


def next_opening(schedule: Schedule, moment: datetime, zone: str) -> Opening | None:
    """The opening that contains `moment`, else the next one after it; None for a schedule that never opens.

    Spans that follow each other without a break are one opening.
    """
    rules = schedule.all_hours
    if not rules:
        return ALWAYS
    times = timetable(rules)
    second = int(moment.timestamp() // 1)
    today = second // SECONDS
    for day in range(today, today + SEARCHED_DAYS):
        for start, end in times.utc_seconds(zone, day):
            if end > second:
                opens = instant(start) if start > second else opened_at(times, zone, start)
                return Opening(opens=opens, closes=closed_at(times, zone, end))
    return None


def opened_at(times: Timetable, zone: str, start: int) -> datetime | None:
    """When the opening began to which a span belongs; None: before all that is searched."""
    for _ in range(SEARCHED_DAYS):
        if start % SECONDS:
            return instant(start)
        before = times.utc_seconds(zone, start // SECONDS - 1)
        if not before or before[-1][1] != start:
            return instant(start)
        start = before[-1][0]
    return None


def closed_at(times: Timetable, zone: str, end: int) -> datetime | None:
    """When the opening ends to which a span belongs; None: after all that is searched."""
    for _ in range(SEARCHED_DAYS):
        if end % SECONDS:
            return instant(end)
        after = times.utc_seconds(zone, end // SECONDS)
        if not after or after[0][0] != end:
            return instant(end)
        end = after[0][1]
    return None


def instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


OUTSIDE_WINDOW = "outside-window"
QUIET_HOURS = "quiet-hours "
"""How the reason begins that names quiet hours, such as 21:00-08:00."""
HOLIDAY = "holiday "
"""How the reason begins that names a day of `holidays`, and what is celebrated."""
OF_PROJECT = " (project)"
"""How a reason ends if it is one of the project's defaults."""


def why_shut(schedule: Schedule, moment: datetime, zone: str) -> str:
    """Why nothing may go at a moment at which the schedule is not open: `holiday 2026-12-25 Christmas Day`, `quiet-hours 21:00-08:00`
    or `outside-window`, with ` (project)` behind it for one of the project's defaults.

    A window past midnight belongs to the day on which it opens.
    """
    local = to_local(moment, zone)
    day, minute = local.date(), local.hour * 60 + local.minute
    holiday = find_holiday(schedule, day)
    if holiday is not None:
        return holiday
    yesterday = day - timedelta(days=1)
    for rules, whose in sides(schedule):
        for each in rules.quiet_hours:
            if is_in(minute, day, (each,), (yesterday, day)):
                return f"{QUIET_HOURS}{describe_span(each)}{whose}"
    before = find_holiday(schedule, yesterday)
    for rules, whose in sides(schedule):
        if rules.windows and not is_in(minute, day, rules.windows, (yesterday, day)):
            return f"{OUTSIDE_WINDOW}{whose}"
        if rules.windows and before is not None and not is_in(minute, day, rules.windows, (day,)):
            return before
    return OUTSIDE_WINDOW


def is_in(minute: int, day: date, windows: tuple[Window, ...], starts: tuple[date, ...]) -> bool:
    return any(first <= minute < last for first, last in minutes_on(day, windows, starts))


def find_holiday(schedule: Schedule, day: date) -> str | None:
    """The reason that names a holiday, such as `holiday 2026-12-25 Christmas Day`; None if the day is not one."""
    for rules, whose in sides(schedule):
        name = find_name(rules.holidays, day)
        if name is not None:
            return f"{HOLIDAY}{day}{' ' if name else ''}{name}{whose}"
    return None


def sides(schedule: Schedule) -> tuple[tuple[Hours, str], ...]:
    """The schedule's rules, then the project's, each with what marks their reasons."""
    return (schedule.hours, ""), (schedule.project_hours, OF_PROJECT)


def describe_span(window: Window) -> str:
    end = "24:00" if window.until == type(window.until).max else f"{window.until:%H:%M}"
    return f"{window.start:%H:%M}-{end}"
