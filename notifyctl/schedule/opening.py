"""When a window is open, by its days and hours and the holidays. All times returned are UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.model.project import Schedule
from notifyctl.schedule.zones import to_instant, to_local

SEARCHED_DAYS = 400
"""How far ahead to search for an opening of the window; one that stays shut for longer never opens."""


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

    Days that follow each other without a break are one opening.
    """
    if schedule.window is None and not schedule.holidays:
        return ALWAYS
    opens = closes = None
    for begins, ends in daily_openings(schedule, moment, zone):
        if closes is not None and begins <= closes:
            closes = ends
        elif closes is not None and moment < closes:
            return Opening(opens=opens, closes=closes)
        else:
            opens, closes = begins, ends
    if closes is None or closes <= moment:
        return None
    # Open to the end of what is searched: it is taken as never closing.
    return Opening(opens=opens, closes=None)


def daily_openings(schedule: Schedule, moment: datetime, zone: str) -> Iterator[tuple[datetime, datetime]]:
    """One for each day of the window, from the day before `moment` on."""
    window = schedule.window
    days = window.days if window else (0, 1, 2, 3, 4, 5, 6)
    start, until = (window.start, window.until) if window else (time.min, time.max)
    first = to_local(moment, zone).date() - timedelta(days=1)  # yesterday's window may extend past midnight
    for number in range(SEARCHED_DAYS):
        day = first + timedelta(days=number)
        if day.weekday() in days and day not in schedule.holidays:
            begins = datetime.combine(day, start)
            yield to_instant(begins, zone), to_instant(closing_time(begins, until), zone)


OUTSIDE_WINDOW = "outside-window"
HOLIDAY = "holiday "
"""How the reason begins that names a day of `holidays`."""


def why_shut(schedule: Schedule, moment: datetime, zone: str) -> str:
    """Why nothing may go at a moment at which the schedule is not open: `holiday 2026-12-25`, or `outside-window`.

    A window past midnight belongs to the day on which it opens.
    """
    without = replace(schedule, holidays=())
    for begins, ends in daily_openings(without, moment, zone):
        if begins <= moment < ends:
            return f"{HOLIDAY}{to_local(begins, zone).date()}"
        if moment < begins:
            break
    day = to_local(moment, zone).date()
    return f"{HOLIDAY}{day}" if day in schedule.holidays else OUTSIDE_WINDOW


def closing_time(start: datetime, until: time) -> datetime:
    """When a window that opens at `start` closes: 24:00 is the next midnight, an earlier time is on the next day."""
    tomorrow = start.date() + timedelta(days=1)
    if until == time.max:
        return datetime.combine(tomorrow, time.min)
    return datetime.combine(tomorrow if until <= start.time() else start.date(), until)
