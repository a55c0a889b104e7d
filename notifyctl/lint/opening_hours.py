"""Windows, quiet hours and holidays that cannot be what their author meant: of schedules and of the project's defaults."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time

from notifyctl.config.messages import find_nearest, suggest_name
from notifyctl.diagnostics import Diagnostic, Location, Positions, Severity
from notifyctl.model.project import (
    RECIPIENT_ZONE,
    Category,
    Holiday,
    HolidayCountry,
    HolidayFile,
    Hours,
    Project,
    Schedule,
)
from notifyctl.schedule.holiday_dates import HolidayError, country_class, country_names, file_days
from notifyctl.schedule.opening import describe_span, next_opening
from notifyctl.schedule.zones import is_zone

START = datetime(2026, 1, 1, tzinfo=UTC)
"""From when an opening is searched. Lint does not look at the clock."""
NIGHT = time(3)
"""A window past midnight that is open at this time was most likely meant as quiet hours."""


def check_hours(project: Project) -> Iterator[Diagnostic]:
    """All problems of the project's hours and of each schedule's."""
    defaults = project.positions.nested("defaults")
    broken = list(check_sources(project.hours, defaults))
    yield from broken
    yield from check_nights(project.hours, defaults)
    yield from check_exempt(project, defaults)
    for schedule in project.schedules.values():
        found = list(check_sources(schedule.hours, schedule.positions))
        yield from found
        yield from check_nights(schedule.hours, schedule.positions)
        broken += found
    if not broken and not any(map(is_unread, holidays_of(project))):
        yield from check_openings(project)


def holidays_of(project: Project) -> Iterator[Holiday]:
    for hours in (project.hours, *(each.hours for each in project.schedules.values())):
        yield from hours.holidays


def is_unread(source: Holiday) -> bool:
    """A file that cannot be read: the loader reports it."""
    return isinstance(source, HolidayFile) and source.text is None


def check_sources(hours: Hours, positions: Positions) -> Iterator[Diagnostic]:
    for number, source in enumerate(hours.holidays):
        problem = source_problem(source)
        if problem is not None:
            field, message, hint = problem
            place = locate(positions, "holidays", number, field)
            yield Diagnostic("bad-holidays", Severity.ERROR, message, place, hint)


def source_problem(source: Holiday) -> tuple[str, str, str] | None:
    """The key that is wrong, the message and the hint."""
    if isinstance(source, HolidayCountry):
        return country_problem(source)
    if isinstance(source, HolidayFile) and not is_unread(source):
        try:
            file_days(source, START.year)
        except HolidayError as error:
            message = f"cannot use the holidays in `{source.file}`: {error.message}"
            return "file", message, "export the calendar again as an iCalendar file (.ics), or list the days"
    return None


def country_problem(source: HolidayCountry) -> tuple[str, str, str] | None:
    country = country_class(source.country)
    if country is None:
        names = country_names()
        nearest = names.get(find_nearest(source.country, names) or "")
        hint = (
            f"did you mean `{nearest}`?"
            if nearest
            else "use the ISO 3166 code of two letters, such as GB or US"
        )
        return "country", f"the holidays of country `{source.country}` are unknown", hint
    known = (*country.subdivisions, *country.subdivisions_aliases)
    if source.subdivision is None or source.subdivision in known:
        return None
    message = f"unknown subdivision `{source.subdivision}` of {source.country}"
    if not country.subdivisions:
        return "subdivision", message, f"remove it: the holidays of {source.country} are the same everywhere"
    short = source.subdivision.removeprefix(f"{source.country}-").upper()
    hint = (
        f"did you mean `{short}`?"
        if short in country.subdivisions
        else suggest_name(source.subdivision, known, "its subdivisions")
    )
    return "subdivision", message, hint


def check_nights(hours: Hours, positions: Positions) -> Iterator[Diagnostic]:
    for number, window in enumerate(hours.windows):
        if window.until <= window.start and window.until > NIGHT:
            span = describe_span(window)
            yield Diagnostic(
                "window-at-night",
                Severity.WARNING,
                f"the window {span} is open at night, from {window.start:%H:%M} until {window.until:%H:%M} of the next day",
                locate(positions, "window", number, "to"),
                "did you mean `quietHours`? In quiet hours nothing is sent",
            )


def check_exempt(project: Project, defaults: Positions) -> Iterator[Diagnostic]:
    if not project.exempt:
        return
    message = None
    if project.hours == Hours():
        message = "`except` has no effect: the defaults have no `window`, `quietHours` or `holidays`"
    elif not project.incomplete and not any(
        each.template.category in project.exempt for each in project.notifications.values()
    ):
        categories = " or ".join(each.value for each in Category if each in project.exempt)
        message = f"`except` has no effect: no notification is {categories}"
    if message is not None:
        yield Diagnostic(
            "exempt-without-effect",
            Severity.WARNING,
            message,
            defaults.location("except"),
            "to exempt nothing, remove `except`",
        )


def check_openings(project: Project) -> Iterator[Diagnostic]:
    """The project's hours, and schedules alone and with these, that leave no time to send."""
    defaults = Schedule("", project.positions.nested("defaults"), project_hours=project.hours)
    effective = [each.schedule for each in project.notifications.values() if each.schedule is not None]
    opens: dict[tuple[Hours, ...], bool] = {}
    for schedule in (defaults, *project.schedules.values(), *effective):
        rules = schedule.all_hours
        if rules in opens:
            continue
        zone = schedule.timezone or project.timezone
        zone = "UTC" if zone == RECIPIENT_ZONE or not is_zone(zone) else zone
        opens[rules] = next_opening(schedule, START, zone) is not None
        # What never opens alone is reported once, and not with each notification.
        if not opens[rules] and (len(rules) == 1 or all(opens.get((each,), True) for each in rules)):
            yield never_open(schedule)


def never_open(schedule: Schedule) -> Diagnostic:
    own = keys_of(schedule.hours)
    what = list_keys(own)
    if not own:
        own = keys_of(schedule.project_hours)
        what = f"{list_keys(own)} of the defaults"
    elif schedule.project_hours != Hours():
        what = f"{what} and the project's defaults"
    return Diagnostic(
        "bad-schedule",
        Severity.ERROR,
        f"it never opens: {what} leave no time to send",
        schedule.positions.location(own[0]),
        "allow at least one time of one day",
    )


def keys_of(hours: Hours) -> list[str]:
    listed = (("window", hours.windows), ("quietHours", hours.quiet_hours), ("holidays", hours.holidays))
    return [key for key, values in listed if values]


def list_keys(keys: list[str]) -> str:
    quoted = [f"`{key}`" for key in keys]
    return " and ".join(filter(None, (", ".join(quoted[:-1]), *quoted[-1:])))


def locate(positions: Positions, key: str, number: int, field: str) -> Location:
    """Of a key in an entry of a list, or in the one mapping in its place."""
    if positions.has(key, number):
        return positions.location(key, number, field)
    return positions.location(key, field)
