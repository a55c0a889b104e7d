"""The days of holidays with their names, year by year: of a list, a country, or the events of an iCalendar file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from notifyctl.errors import ProjectError
from notifyctl.model.project import Holiday, HolidayCountry, HolidayFile

LANGUAGE = "en_US"
"""Of the names of a country's holidays; else they follow the locale of the machine."""
TOO_OFTEN = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})
"""How often a holiday does not recur."""
MIN_NAME = 4
"""Names of countries are longer than their codes."""
DAY = timedelta(days=1)


class HolidayError(ProjectError, ValueError):
    """A source of holidays that cannot be used. Lint reports it, so that nothing is sent; where lint does not look, it is raised."""


def find_name(holidays: Sequence[Holiday], day: date) -> str | None:
    """The name of a holiday, empty if it has none; None if the day is not one."""
    names = [each[day] for source in holidays if day in (each := days_in(source, day.year))]
    return next(filter(None, names), "") if names else None


def named_days(holidays: Sequence[Holiday], first: date, last: date) -> dict[date, str]:
    """All holidays from `first` to `last`, both included, in order."""
    days = {
        day for each in holidays for year in range(first.year, last.year + 1) for day in days_in(each, year)
    }
    return {day: find_name(holidays, day) or "" for day in sorted(days) if first <= day <= last}


@lru_cache(maxsize=4096)
def days_in(source: Holiday, year: int) -> Mapping[date, str]:
    """The days of one year. Raises HolidayError for what `check_source` refuses."""
    if isinstance(source, date):
        return {source: ""} if source.year == year else {}
    if isinstance(source, HolidayCountry):
        return country_days(source, year)
    return file_days(source, year)


def country_days(source: HolidayCountry, year: int) -> Mapping[date, str]:
    from holidays import country_holidays

    try:
        found = country_holidays(source.country, subdiv=source.subdivision, years=year, language=LANGUAGE)
    except NotImplementedError:
        raise HolidayError(f"the holidays of {describe_source(source)} are unknown") from None
    return {day: clean(found[day]) for day in sorted(found) if day.year == year}


def country_class(code: str) -> Any:
    """The class of a country in the library; None if it does not have the country."""
    import holidays
    from holidays.registry import COUNTRIES

    names = (each[0] for each in COUNTRIES.values() if code in each[1:] and len(code) < MIN_NAME)
    name = next(names, None)
    return None if name is None else getattr(holidays, name)


def country_names() -> dict[str, str]:
    """Name or code → code of two letters, for suggestions."""
    from holidays.registry import COUNTRIES

    codes = {each[1]: each[1] for each in COUNTRIES.values()}
    return codes | {each[0]: each[1] for each in COUNTRIES.values()}


def data_ends(source: Holiday) -> int | None:
    """The last year for which the holidays of a country are known; None for other sources."""
    if not isinstance(source, HolidayCountry):
        return None
    found = country_class(source.country)
    return None if found is None else int(found.end_year)


def describe_source(source: Holiday) -> str:
    """As it may stand in a list: 2026-12-25, GB-ENG or holidays.ics."""
    if isinstance(source, HolidayCountry):
        return f"{source.country}-{source.subdivision}" if source.subdivision else source.country
    return source.file if isinstance(source, HolidayFile) else source.isoformat()


@lru_cache(maxsize=64)
def parse_calendar(text: str) -> Any:
    """An icalendar.Calendar. Raises HolidayError."""
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
    except ValueError as error:
        raise HolidayError(f"not a valid iCalendar file: {error}") from None
    if not isinstance(calendar, Calendar):
        raise HolidayError("not a valid iCalendar file: it must start with BEGIN:VCALENDAR")
    events = calendar.walk("VEVENT")
    if not events:
        raise HolidayError("the file has no event (VEVENT)")
    for event in events:
        if event.errors:
            field, problem = event.errors[0]
            raise HolidayError(f"not a valid iCalendar file: {field} of {title(event)}: {problem}")
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if recurs_within_day(rule):
                raise HolidayError(f"{title(event)} recurs more often than daily")
    return calendar


def recurs_within_day(rule: Mapping[str, Sequence[Any]]) -> bool:
    """Such a rule says nothing about days, and can take for ever to follow."""
    often = TOO_OFTEN & {str(each).upper() for each in rule.get("FREQ", ())}
    return bool(often) or any(len(rule.get(key, ())) > 1 for key in ("BYHOUR", "BYMINUTE", "BYSECOND"))


def file_days(source: HolidayFile, year: int) -> Mapping[date, str]:
    from recurring_ical_events import of

    if source.text is None:
        raise HolidayError("the file cannot be read")
    days: dict[date, str] = {}
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    calendar = parse_calendar(source.text)
    try:
        events = of(calendar).between(first, after)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
    ) as error:  # what a malformed event ends in
        raise HolidayError(f"cannot tell the days of the events: {error}") from None
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        for day in event_days(event):
            if first <= day < after:
                days[day] = days.get(day) or clean(str(event.get("SUMMARY", "")))
    return dict(sorted(days.items()))


def event_days(event: Any) -> Iterator[date]:
    """Each day that an occurrence of an event touches; an all-day event ends before the day of its DTEND."""
    start, end = event.start, event.end
    if isinstance(end, datetime) and end > start:
        end -= timedelta(microseconds=1)
    day, last = as_date(start), as_date(end)
    if not isinstance(event.end, datetime):
        last = max(day, last - DAY)
    while day <= last:
        yield day
        day += DAY


def as_date(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def title(event: Any) -> str:
    return f'"{clean(str(event.get("SUMMARY", "")))}"'


def clean(name: str) -> str:
    """On one line, and short."""
    words = " ".join("".join(each if each.isprintable() else " " for each in name).split())
    return words if len(words) <= 60 else f"{words[:59]}…"  # noqa: PLR2004 - a line of a plan
