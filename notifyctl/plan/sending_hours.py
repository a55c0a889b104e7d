"""What holds a notification back: its own hours and the project's, and the holidays of the coming year. Shown, and no part of the digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta

from msgspec import Struct, field

from notifyctl.model.project import WEEKDAYS, Category, Hours, Notification, Project, Window
from notifyctl.schedule.holiday_dates import data_ends, describe_source, named_days
from notifyctl.schedule.zones import to_local

AHEAD = timedelta(days=365)
"""How far ahead holidays are listed."""


class HourSpan(Struct, frozen=True):
    """A window or quiet hours, as in the files: 24:00 is the end of the day, an earlier end is on the next day."""

    days: tuple[str, ...]
    start: str = field(name="from")
    until: str = field(name="to")


class HourRules(Struct, frozen=True):
    """Of a schedule, or of the project's defaults. `holidays`: the sources, such as 2026-12-25, GB-ENG or holidays.ics."""

    window: tuple[HourSpan, ...] = ()
    quiet_hours: tuple[HourSpan, ...] = ()
    holidays: tuple[str, ...] = ()


class NamedDay(Struct, frozen=True):
    day: date
    name: str


class SendingHours(Struct, frozen=True):
    """Of one notification. `lifted`: the project's rules that do not apply to it, for the author's `reason`."""

    name: str
    schedule: HourRules = HourRules()
    project: HourRules = HourRules()
    lifted: HourRules = HourRules()
    reason: str | None = None
    days: tuple[NamedDay, ...] = ()
    """All holidays until `days_until`, if any is from a country or a file; None: they are not listed."""
    days_until: date | None = None
    data_ends: Mapping[str, int] = {}
    """Countries whose holidays are known until the end of a year before `days_until`."""


def hours_of(
    project: Project, notification: Notification, *, now: datetime, zone: str
) -> SendingHours | None:
    """None if it is sent at any time and nothing is lifted. `zone`: the schedule's."""
    schedule = notification.schedule
    own = schedule.hours if schedule else Hours()
    shared = schedule.project_hours if schedule else Hours()
    reason = project.exempt.get(Category(notification.template.category))
    lifted = project.hours if reason is not None else Hours()
    if own == shared == lifted == Hours():
        return None
    first = to_local(now, zone).date()
    last = first + AHEAD
    sources = [*own.holidays, *shared.holidays]
    listed = any(not isinstance(each, date) for each in sources)
    ends = {describe_source(each): year for each in sources if (year := data_ends(each)) and year < last.year}
    return SendingHours(
        notification.name,
        schedule=describe_rules(own),
        project=describe_rules(shared),
        lifted=describe_rules(lifted),
        reason=reason if lifted != Hours() else None,
        days=tuple(NamedDay(*each) for each in named_days(sources, first, last).items()) if listed else (),
        days_until=last if listed else None,
        data_ends=ends,
    )


def describe_rules(hours: Hours) -> HourRules:
    return HourRules(
        tuple(spans(hours.windows)),
        tuple(spans(hours.quiet_hours)),
        tuple(map(describe_source, hours.holidays)),
    )


def spans(windows: tuple[Window, ...]) -> Iterator[HourSpan]:
    for each in windows:
        end = "24:00" if each.until == time.max else f"{each.until:%H:%M}"
        yield HourSpan(tuple(WEEKDAYS[day] for day in each.days), f"{each.start:%H:%M}", end)
