"""The hours that hold a notification back, in words: for the text of a plan, Markdown and the preview."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from textwrap import wrap

from notifyctl.model.project import WEEKDAYS
from notifyctl.plan.sending_hours import HourRules, HourSpan, NamedDay, SendingHours
from notifyctl.schedule.moments import MONTHS
from notifyctl.schedule.moments import WEEKDAYS as SHOWN_DAYS
from notifyctl.views.colours import strip_controls

WIDTH = 78
"""Of a line that is indented by two."""
MAX_SOURCES = 4
"""Sources of holidays, or days of a list, that are named."""
MAX_DAYS = 40
"""Holidays shown of a year."""


def describe_hours(hours: SendingHours, *, listed: str | None = None) -> Iterator[str]:
    """The notification's own hours, the project's, what is lifted of these and why, and the holidays of the coming year.

    `listed`: the notification with which the same holidays are listed already.
    """
    for whose, rules in (("hours", hours.schedule), ("hours of the project", hours.project)):
        if rules != HourRules():
            yield f"{whose}: {describe_rules(rules)}"
    if hours.reason is not None:
        yield f"hours of the project do not apply ({describe_rules(hours.lifted)}): {strip_controls(hours.reason)}"
    if hours.days_until is not None:
        yield describe_days(hours, hours.days_until, listed)
    for country, year in hours.data_ends.items():
        yield f"⚠ the holidays of {strip_controls(country)} are known until the end of {year}; later ones are not observed"


def describe_rules(rules: HourRules) -> str:
    parts = [
        *(f"open {describe_span(each)}" for each in rules.window),
        *(f"quiet {describe_span(each)}" for each in rules.quiet_hours),
    ]
    if rules.holidays:
        names = [strip_controls(each) for each in rules.holidays[:MAX_SOURCES]]
        more = [f"{len(rules.holidays) - MAX_SOURCES:,} more"] if len(rules.holidays) > MAX_SOURCES else []
        parts.append(f"closed on holidays ({', '.join([*names, *more])})")
    return "; ".join(parts)


def describe_span(span: HourSpan) -> str:
    days = describe_weekdays([WEEKDAYS.index(each) for each in span.days if each in WEEKDAYS])
    return f"{days}{span.start}–{span.until}"  # noqa: RUF001 - a span


def describe_weekdays(days: Sequence[int]) -> str:
    """The days, with their runs as spans, and a blank; nothing for every day."""
    if len(days) == len(WEEKDAYS):
        return ""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = (SHOWN_DAYS[r[0]] if len(r) == 1 else f"{SHOWN_DAYS[r[0]]}–{SHOWN_DAYS[r[-1]]}" for r in runs)  # noqa: RUF001
    return f"{', '.join(names)} "


def describe_days(hours: SendingHours, until: date, listed: str | None) -> str:
    if not hours.days:
        return f"holidays until {until}: none"
    if listed is not None:
        count = len(hours.days)
        return f"holidays until {until}: {count} day{'' if count == 1 else 's'}, as with {listed}"
    parts: list[str] = []
    year = None
    for first, last, name in runs(hours.days[:MAX_DAYS]):
        shown = format_day(first, with_year=year != first.year)
        if last != first:
            shown = f"{shown} – {format_day(last, with_year=first.year != last.year)}"  # noqa: RUF001 - a span
        year = last.year
        parts.append(f"{shown} {strip_controls(name)}".rstrip())
    if len(hours.days) > MAX_DAYS:
        parts.append(f"{len(hours.days) - MAX_DAYS:,} more")
    return f"holidays until {until}: {', '.join(parts)}"


def runs(days: Iterable[NamedDay]) -> list[tuple[date, date, str]]:
    """Days of the same name that follow each other: the first, the last and the name."""
    found: list[tuple[date, date, str]] = []
    for each in days:
        if found and found[-1][2] == each.name and each.day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], each.day, each.name)
        else:
            found.append((each.day, each.day, each.name))
    return found


def format_day(day: date, *, with_year: bool) -> str:
    year = f" {day.year}" if with_year else ""
    return f"{SHOWN_DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{year}"


def wrapped(line: str) -> list[str]:
    return wrap(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
