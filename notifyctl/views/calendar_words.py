"""The words of a calendar, for text, iCalendar and HTML alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time

from msgspec.structs import replace

from notifyctl.command_line import command_line
from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.plan.actions import Action
from notifyctl.plan.calendar import About, Calendar, Entry, ZoneGroup
from notifyctl.plan.series import OF_OCCURRENCES
from notifyctl.plurals import pluralise
from notifyctl.schedule.agenda import Fate
from notifyctl.schedule.moments import (
    MONTHS,
    UTC_NAMES,
    WEEKDAYS,
    Moments,
    behind,
    each_zone,
    utc_span,
)
from notifyctl.schedule.opening import HOLIDAY, OF_PROJECT
from notifyctl.schedule.zones import load_zone, to_local
from notifyctl.views.colours import strip_controls
from notifyctl.views.reasons import describe_reasons, spell_out
from notifyctl.views.sending_hours import describe_hours
from notifyctl.views.series import describe_series

SHOWN = 12
"""Occurrences of one notification on one day that are listed; of more than that the first few."""
FEW = 3
STORED = "text stored at the provider"


def name_day(day: date, *, year: bool = False) -> str:
    """Mon 7 Dec; with its year if it is told."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}{f' {day.year}' if year else ''}"


def when_it_goes(entry: Entry) -> Moments:
    return entry.goes or entry.due


def clock(found: Moments) -> str:
    """What the clocks of a schedule read, such as 09:00; …, where they differ."""
    if found.timezone != RECIPIENT_ZONE:
        return f"{to_local(found.first, found.timezone):%H:%M}"
    return found.local[11:16] if found.local else "…"


def behind_clock(found: Moments) -> str:
    """The zone in which `clock` is meant, and UTC."""
    if found.timezone == RECIPIENT_ZONE:
        return each_zone(found) if found.local else f"{utc_span(found)} UTC, {found.zones} time zones"
    if found.timezone in UTC_NAMES:
        return "UTC"
    return f"{found.timezone} ({behind(found.first.astimezone(load_zone(found.timezone)), found.first)} UTC)"


def describe_fate(entry: Entry, about: About) -> str:
    """What becomes of it, in a few words, with the number of recipients."""
    people = pluralise(entry.recipients, "recipient")
    if entry.outcome is not None and (entry.outcome.accepted or entry.outcome.uncertain):
        return describe_outcome(entry, about)
    match entry.fate:
        case Fate.SKIPPED:
            return f"skipped: {spell_out(entry.reason or '')}"
        case Fate.EXPIRED:
            return f"expired: {spell_out(entry.reason or '')}"
        case Fate.DUE:
            return f"due now: {people}"
    if is_blocked(about):
        return f"{people}, blocked"
    return f"{people}, handed to the provider" if about.by_provider else people


def describe_outcome(entry: Entry, about: About) -> str:
    outcome = entry.outcome
    assert outcome is not None
    # The provider still holds what it was handed.
    done = "handed over for" if about.by_provider and entry.fate is Fate.TO_COME else "sent to"
    parts = [f"{done} {pluralise(outcome.accepted, 'recipient')}"] if outcome.accepted else []
    parts += [f"outcome unknown: {pluralise(outcome.uncertain, 'recipient')}"] if outcome.uncertain else []
    rest = entry.recipients - outcome.accepted - outcome.uncertain
    if rest > 0 and entry.fate in {Fate.DUE, Fate.TO_COME}:
        parts.append(f"{rest:,} to be sent")
    elif rest > 0:
        parts.append(f"{rest:,} expired")
    return ", ".join(parts)


def is_blocked(about: About) -> bool:
    """Whether nobody would be sent anything because of a limit."""
    return any(reason.startswith("max-") for reason in about.blocked)


def describe_move(entry: Entry) -> str | None:
    """When it was due where it goes later, and why."""
    if entry.goes is None or entry.fate in {Fate.SKIPPED, Fate.EXPIRED}:
        return None
    day = "" if entry.day == entry.due_day else f"{name_day(entry.due_day)} "
    return f"moved from {day}{clock(entry.due)}: {spell_out(entry.reason or '')}"


def describe_moved_away(entry: Entry) -> str:
    """For the day on which it was due."""
    return f"moved to {name_day(entry.day)} {clock(when_it_goes(entry))}: {spell_out(entry.reason or '')}"


def differing_groups(entry: Entry) -> Iterator[ZoneGroup]:
    """Time zones in which something else happens than told of the whole."""
    for each in entry.groups:
        if each.slot.fate is not entry.fate:
            yield each


def describe_group(group: ZoneGroup) -> str:
    slot = group.slot
    local = to_local(slot.goes, group.zone)
    people = pluralise(group.recipients, "recipient")
    words = {
        Fate.SKIPPED: f"skipped: {spell_out(slot.reason or '')}",
        Fate.EXPIRED: f"expired: {spell_out(slot.reason or '')}",
        Fate.DUE: "due now",
        Fate.TO_COME: f"{local:%H:%M}",
    }
    return f"{group.zone}, {people}: {words[slot.fate]}"


def describe_zones(about: About) -> str:
    """Recipients by time zone, the most first."""
    counts = sorted(about.recipients.items(), key=lambda each: (-each[1], each[0]))
    shown = [f"{zone} {count:,}" for zone, count in counts[:6]]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 else "")


def describe_rules(calendar: Calendar, name: str) -> Iterator[str]:
    """Windows, quiet hours and holidays of a notification, in the words of a plan; the days themselves are in the calendar."""
    if name in calendar.rules:
        yield from describe_hours(replace(calendar.rules[name], days_until=None))


def describe_about(about: About) -> Iterator[str]:
    """What holds for all occurrences of a notification, besides its hours."""
    if about.withdrawn is not None:
        yield f"withdrawn: {spell_out(about.withdrawn, Action.WITHDRAWN)}"
    if about.timezone == RECIPIENT_ZONE and about.recipients:
        yield f"in each recipient's time zone: {describe_zones(about)}"
    if about.by_provider:
        yield "handed to the provider before it is due, as soon as `apply` can; cannot be recalled"
    if about.blocked:
        yield f"blocked: {', '.join(describe_reasons(about.blocked))}"
    if about.not_sent:
        yield f"{pluralise(about.not_sent, 'recipient or row', 'recipients or rows')} not sent to"


def describe_series_of(calendar: Calendar, name: str) -> Iterator[tuple[bool, str]]:
    """The series of a recurring notification and its acceptance, each line with whether it waits for one."""
    series = calendar.series.get(name)
    if series is not None:
        head, *rest = describe_series(series, calendar.timezone)
        if not any(series.fingerprint in line for line in rest):
            yield False, head
        yield from ((series.acceptance is None, line) for line in rest)


def describe_waiting(entry: Entry) -> str | None:
    """Why an occurrence of an accepted series is not sent by it; what all of a series lack is told of the series."""
    if entry.waits is None or not entry.waits.startswith(OF_OCCURRENCES):
        return None
    return f"not sent by `run` or `apply --accepted`: {spell_out(entry.waits)}"


def format_end(end: time) -> str:
    return "24:00" if end == time.max else f"{end:%H:%M}"


def holidays_on(calendar: Calendar, day: date) -> dict[str, list[str]]:
    """The reasons why a day is a holiday → notifications that are not sent on it."""
    found: dict[str, list[str]] = {}
    for name, hours in calendar.hours.items():
        for each in hours:
            if each.day == day and each.why is not None and each.why.startswith(HOLIDAY):
                found.setdefault(each.why, []).append(name)
    return found


def name_holiday(reason: str) -> str:
    """Christmas Day; "holiday" where it has no name."""
    named = strip_controls(reason).removeprefix(HOLIDAY).removesuffix(OF_PROJECT)
    return named[len("2026-12-25") :].strip() or "holiday"


def describe_holiday(calendar: Calendar, reason: str, names: list[str]) -> str:
    """For the day itself, with the notifications that it holds for."""
    name = name_holiday(reason)
    head = f"Holiday: {name}" if name != "holiday" else "Holiday"
    head += " (project default)" if reason.endswith(OF_PROJECT) else ""
    return head if len(names) == len(calendar.notifications) else f"{head}, for {', '.join(names)}"


def entries_on(calendar: Calendar, day: date) -> list[Entry]:
    return [each for each in calendar.entries if each.day == day]


def moved_from(calendar: Calendar, day: date) -> list[Entry]:
    """Those that were due on a day and go on another."""
    return [each for each in calendar.entries if each.due_day == day != each.day]


def thin_out(entries: list[Entry]) -> Iterator[tuple[Entry, int]]:
    """Those to list, each with how many of its notification follow it unlisted."""
    by_name: dict[str, list[Entry]] = {}
    for each in entries:
        by_name.setdefault(each.name, []).append(each)
    for each in entries:
        own = by_name[each.name]
        if len(own) <= SHOWN:
            yield each, 0
        elif each in own[:FEW]:
            yield each, len(own) - FEW if each is own[FEW - 1] else 0


def describe_errors(calendar: Calendar) -> str:
    """Why nothing of it would be sent now."""
    command = command_line("plan", env=calendar.environment)
    return f"The plan has {pluralise(calendar.errors, 'error')}: nothing is sent. To see them, run: {command}"


def describe_total(calendar: Calendar) -> str:
    shown = [each for each in calendar.entries if calendar.first <= each.day <= calendar.last]
    counts = {fate: sum(each.fate is fate for each in shown) for fate in Fate}
    words = {Fate.TO_COME: "to come", Fate.DUE: "due now", Fate.EXPIRED: "expired", Fate.SKIPPED: "skipped"}
    parts = [f"{count:,} {words[fate]}" for fate, count in counts.items() if count]
    return f"{pluralise(len(shown), 'occurrence')}{': ' + ', '.join(parts) if parts else ''}"
