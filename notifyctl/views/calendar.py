"""A calendar as text for the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.plan.calendar import FORMAT_VERSION, About, Calendar, DayHours, Entry, ZoneGroup
from notifyctl.plurals import pluralise
from notifyctl.schedule.agenda import Fate
from notifyctl.schedule.zones import to_local
from notifyctl.views.as_of import as_of_object, as_of_words
from notifyctl.views.calendar_words import (
    STORED,
    behind_clock,
    clock,
    describe_about,
    describe_errors,
    describe_fate,
    describe_group,
    describe_holiday,
    describe_move,
    describe_moved_away,
    describe_rules,
    describe_series_of,
    describe_total,
    describe_waiting,
    differing_groups,
    entries_on,
    format_end,
    holidays_on,
    moved_from,
    name_day,
    thin_out,
    when_it_goes,
)
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.series import series_object
from notifyctl.views.upcoming import moments_object

ICS_HEAD = "BEGIN:VCALENDAR"
EXCERPT = 66
"""Characters of a text."""


def is_calendar(file: Path) -> bool:
    """Whether a file is a calendar of an earlier run, by how it begins."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(len(ICS_HEAD)) == ICS_HEAD
    except (OSError, UnicodeError):
        return False


def as_text(calendar: Calendar, *, colour: bool) -> str:
    return "\n".join(_lines(calendar, Paint(colour)))


def _lines(calendar: Calendar, paint: Paint) -> Iterator[str]:
    as_of = as_of_words(calendar.as_of, calendar.timezone, made_at=calendar.made_at)
    yield f"{paint.bold(calendar.project)} · environment {calendar.environment} · {as_of}"
    days = f"{pluralise(len(calendar.days), 'day')} from {name_day(calendar.first, year=True)}"
    yield f"{days}, in the local time of each schedule"
    if not calendar.complete:
        yield paint.yellow("Shown without the ledger: earlier sends are unknown.")
    if calendar.errors:
        yield paint.red(describe_errors(calendar))
    width = max(map(len, calendar.notifications), default=0)
    for day in calendar.days:
        holidays = holidays_on(calendar, day)
        lines = sorted(day_lines(calendar, day, width, paint), key=lambda each: each[0])
        if lines or holidays:
            yield ""
            yield paint.bold(name_day(day, year=day in {calendar.first, day.replace(month=1, day=1)}))
        for reason, names in holidays.items():
            yield paint.yellow(f"  {describe_holiday(calendar, reason, names)}")
        for _, some in lines:
            yield from some
    if not calendar.entries:
        yield ""
        yield "No occurrence on these days."
    yield from _notifications(calendar, paint)
    if calendar.undated:
        yield ""
        verb = "is" if len(calendar.undated) == 1 else "are"
        yield f"Without a time, so due with the next apply, {verb} {', '.join(calendar.undated)}."
    yield ""
    yield f"{paint.bold('Calendar:')} {describe_total(calendar)}"


def day_lines(
    calendar: Calendar, day: date, width: int, paint: Paint
) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """The lines of each occurrence, after what the clock reads and the name."""
    for entry in moved_from(calendar, day):
        time = clock(entry.due)
        words = f"  {time}  {entry.name.ljust(width)}  {describe_moved_away(entry)}"
        yield (time, entry.name), [paint.dim(words)]
    for entry, more in thin_out(entries_on(calendar, day)):
        lines = [*_entry(entry, calendar.notifications[entry.name], width, paint)]
        lines += [paint.dim(f"         and {more:,} more on this day")] if more else []
        yield (clock(when_it_goes(entry)), entry.name), lines


def _entry(entry: Entry, about: About, width: int, paint: Paint) -> Iterator[str]:
    head = f"  {clock(when_it_goes(entry))}  {entry.name.ljust(width)}  "
    words = describe_fate(entry, about)
    if entry.fate in {Fate.SKIPPED, Fate.EXPIRED} and entry.outcome is None:
        yield paint.dim(head + words)
    else:
        shade = paint.green if entry.outcome is not None else str
        yield f"{head}{shade(words)}  {paint.dim(behind_clock(when_it_goes(entry)))}"
    move = describe_move(entry)
    if move is not None:
        yield paint.dim(f"         {move}")
    waiting = describe_waiting(entry)
    if waiting is not None:
        yield paint.yellow(f"         {waiting}")
    for group in differing_groups(entry):
        yield paint.dim(f"         {describe_group(group)}")


def _notifications(calendar: Calendar, paint: Paint) -> Iterator[str]:
    for name, about in calendar.notifications.items():
        yield ""
        traits = [about.channel.value, f"edition {about.edition}", f"audience {about.audience}"]
        traits.append(pluralise(sum(about.recipients.values()), "recipient"))
        yield f"{paint.bold(name)}  {paint.dim(' · '.join(traits))}"
        yield f"  {shorten(about.text)}"
        for line in (*describe_rules(calendar, name), *describe_about(about)):
            yield f"  {line}"
        for waits, line in describe_series_of(calendar, name):
            yield f"  {paint.yellow(line) if waits else paint.dim(line)}"


def shorten(text: str | None) -> str:
    if text is None:
        return f"({STORED})"
    line = strip_controls(text)
    return f"“{line if len(line) <= EXCERPT else line[: EXCERPT - 1].rstrip() + '…'}”"


def as_json(calendar: Calendar) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "project": calendar.project,
        "environment": calendar.environment,
        "timezone": calendar.timezone,
        **as_of_object(calendar.as_of, calendar.made_at),
        "complete": calendar.complete,
        "errors": calendar.errors,
        "first": calendar.first.isoformat(),
        "last": calendar.last.isoformat(),
        "occurrences": [_entry_object(each) for each in calendar.entries],
        "notifications": [_about_object(each, calendar) for each in calendar.notifications.values()],
        "without_time": list(calendar.undated),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _entry_object(entry: Entry) -> dict[str, Any]:
    return {
        "notification": entry.name,
        "occurrence": entry.occurrence,
        "day": entry.day.isoformat(),
        "state": entry.fate.value,
        "reason": entry.reason,
        "due": moments_object(entry.due),
        "goes": moments_object(entry.goes) if entry.goes else None,
        "recipients": entry.recipients,
        "sent": entry.outcome.accepted if entry.outcome else None,
        "uncertain": entry.outcome.uncertain if entry.outcome else None,
        "waits": entry.waits,
        "zones": [_group_object(each) for each in entry.groups],
    }


def _group_object(group: ZoneGroup) -> dict[str, Any]:
    slot = group.slot
    return {
        "timezone": group.zone,
        "recipients": group.recipients,
        "state": slot.fate.value,
        "reason": slot.reason,
        "due": slot.due.isoformat(),
        "due_local": to_local(slot.due, group.zone).isoformat(),
        "goes": slot.goes.isoformat(),
        "goes_local": to_local(slot.goes, group.zone).isoformat(),
    }


def _about_object(about: About, calendar: Calendar) -> dict[str, Any]:
    hours = calendar.hours.get(about.name, ())
    return {
        "name": about.name,
        "channel": about.channel.value,
        "edition": about.edition,
        "timezone": about.timezone,
        "audience": about.audience,
        "text": about.text,
        "recipients": dict(about.recipients),
        "by_recipient_zone": about.timezone == RECIPIENT_ZONE,
        "blocked": dict(about.blocked),
        "not_sent": about.not_sent,
        "hand_off": about.schedule.hand_off.value,
        "series": series_object(calendar.series[about.name]) if about.name in calendar.series else None,
        "hours": [_hours_object(each) for each in hours],
    }


def _hours_object(hours: DayHours) -> dict[str, Any]:
    return {
        "day": hours.day.isoformat(),
        "hours": [[f"{start:%H:%M}", format_end(end)] for start, end in hours.hours],
        "reason": hours.why,
    }
