"""A calendar as a table of weeks: a column for each day of the week, a cell for each day. On a small screen it is a list of days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from notifyctl.plan.calendar import Calendar, Entry
from notifyctl.plurals import pluralise
from notifyctl.schedule.agenda import Fate
from notifyctl.schedule.moments import MONTHS, WEEKDAYS
from notifyctl.schedule.zones import to_local
from notifyctl.views.calendar_words import (
    clock,
    describe_moved_away,
    entries_on,
    holidays_on,
    is_blocked,
    moved_from,
    name_day,
    name_holiday,
    when_it_goes,
)
from notifyctl.views.html.markup import Child, Html, el

MOST = 7
"""Occurrences in the cell of one day."""
WEEK = 7

Target = Callable[[Entry], str | None]
"""The address of an occurrence on the page; None: it has none."""


def month_view(calendar: Calendar, target: Target) -> Html:
    """Weeks from Monday to Sunday that have one of the calendar's days."""
    monday = calendar.first - timedelta(days=calendar.first.weekday())
    sunday = calendar.last + timedelta(days=WEEK - 1 - calendar.last.weekday())
    days = [monday + timedelta(days=number) for number in range((sunday - monday).days + 1)]
    today = to_local(calendar.as_of, calendar.timezone).date()
    weeks = [days[number : number + WEEK] for number in range(0, len(days), WEEK)]
    rows = [
        el(
            "tr",
            *(day_cell(calendar, day, today=day == today, target=target) for day in week),
            class_=None if any(has_something(calendar, day) for day in week) else "none",
            role="row",
        )
        for week in weeks
    ]
    # Roles are written out: where the table is drawn as a list, browsers would forget that it is one.
    heads = [el("th", name, scope="col", role="columnheader") for name in WEEKDAYS]
    return el(
        "table",
        el("caption", name_span(calendar), class_="vh"),
        el("thead", el("tr", *heads, role="row"), role="rowgroup"),
        el("tbody", *rows, role="rowgroup"),
        class_="month",
        role="table",
    )


def has_something(calendar: Calendar, day: date) -> bool:
    """Whether a day is in the list of a small screen."""
    if not calendar.first <= day <= calendar.last:
        return False
    return bool(entries_on(calendar, day) or moved_from(calendar, day) or holidays_on(calendar, day))


def name_span(calendar: Calendar) -> str:
    """From the first to the last day, with month and year once where they are the same."""
    first, last = calendar.first, calendar.last
    start = f"{first.day}"
    if first.month != last.month or first.year != last.year:
        start += f" {MONTHS[first.month - 1]}"
    if first.year != last.year:
        start += f" {first.year}"
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    return end if first == last else f"{start} – {end}"  # noqa: RUF001 - a span


def day_cell(calendar: Calendar, day: date, *, today: bool, target: Target) -> Html:
    if not calendar.first <= day <= calendar.last:
        return el("td", el("span", f"{day.day}", class_="num"), class_="day out", role="cell")
    entries, away, holidays = entries_on(calendar, day), moved_from(calendar, day), holidays_on(calendar, day)
    rows = [(clock(each.due), moved_row(each, target)) for each in away]
    rows += [(clock(when_it_goes(each)), entry_row(calendar, each, target)) for each in entries]
    ordered = [row for _, row in sorted(rows, key=lambda each: each[0])]
    more = len(ordered) - MOST
    if more > 0:
        ordered = [*ordered[:MOST], el("li", f"and {more:,} more", class_="more-entries")]
    return el(
        "td",
        el("p", *day_name(day, first=day == calendar.first), class_="date"),
        *(
            el("p", name[:1].upper() + name[1:], class_="holiday")
            for name in dict.fromkeys(map(name_holiday, holidays))
        ),
        el("ul", *ordered) if ordered else None,
        class_=f"day{'' if ordered or holidays else ' none'}{' today' if today else ''}",
        aria_current="date" if today else None,
        role="cell",
    )


def day_name(day: date, *, first: bool) -> Iterator[Child]:
    """The number, and the month with the first of it; weekday and month are for the list of a small screen."""
    shown = first or day.day == 1
    yield el("span", f"{WEEKDAYS[day.weekday()]} ", class_="small-only")
    yield el(
        "time",
        f"{day.day}",
        el("span", f" {MONTHS[day.month - 1]}", class_="" if shown else "small-only"),
        datetime=day.isoformat(),
    )


def entry_row(calendar: Calendar, entry: Entry, target: Target) -> Html:
    words, shade = short_fate(calendar, entry)
    notes = [words, *(["moved"] if entry.goes is not None and entry.fate is Fate.TO_COME else [])]
    return row(clock(when_it_goes(entry)), entry.name, " · ".join(notes), shade, target(entry))


def moved_row(entry: Entry, target: Target) -> Html:
    return row(
        clock(entry.due),
        entry.name,
        f"→ {name_day(entry.day)}",
        "away",
        target(entry),
        title=describe_moved_away(entry),
    )


def row(time: str, name: str, words: str, shade: str, address: str | None, title: str | None = None) -> Html:
    inside: list[Child] = [el("b", time), " ", el("span", name, class_="who")]
    head = el("a", *inside, href=f"#{address}") if address else el("span", *inside)
    return el("li", head, " ", el("small", words), class_=f"entry {shade}", title=title)


def short_fate(calendar: Calendar, entry: Entry) -> tuple[str, str]:
    """A few words, and a class for its colour."""
    people = f"{entry.recipients:,}"
    if entry.outcome is not None and entry.outcome.uncertain:
        return f"{entry.outcome.uncertain:,} unknown", "warn"
    if entry.outcome is not None and entry.outcome.accepted:
        return f"sent to {entry.outcome.accepted:,}", "sent"
    if entry.fate in {Fate.SKIPPED, Fate.EXPIRED}:
        return entry.fate.value, entry.fate.value
    if is_blocked(calendar.notifications[entry.name]):
        return "blocked", "warn"
    if entry.fate is Fate.DUE:
        return f"due now: {people}", "due"
    return pluralise(entry.recipients, "recipient"), "to-come"
