"""A calendar for calendar programs, RFC 5545: one event for each occurrence, or for each moment of it where time zones differ.

Moments are in UTC, so that each program shows them in its own time zone; a floating local time would be shown at a moment at which
only some recipients are sent anything. What is skipped or expired is an event with STATUS:CANCELLED: the id of an occurrence does not
change, so a program that had it as planned shows that it is not sent; one that is left out would stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from notifyctl.plan.calendar import About, Calendar, Entry, ZoneGroup
from notifyctl.plurals import pluralise
from notifyctl.schedule.agenda import Fate
from notifyctl.schedule.zones import to_local
from notifyctl.views.calendar_words import (
    STORED,
    describe_about,
    describe_errors,
    describe_fate,
    describe_group,
    describe_move,
    describe_total,
    describe_waiting,
)
from notifyctl.views.colours import strip_controls

if TYPE_CHECKING:
    from icalendar import Event

PRODUCER = "-//notifyctl//calendar//EN"


class Moment(Struct, frozen=True):
    """The part of an occurrence that goes at one instant. `groups`: its time zones."""

    entry: Entry
    goes: datetime
    due: datetime
    fate: Fate
    groups: tuple[ZoneGroup, ...]


def as_ics(calendar: Calendar) -> str:
    """CRLF at the end of each line, folded and escaped."""
    from icalendar import Calendar as Document

    document = Document()
    document.add("prodid", PRODUCER)
    document.add("version", "2.0")
    document.add("method", "PUBLISH")
    name = f"{calendar.project}: messages ({calendar.environment})"
    document.add("name", name)
    document.add("x-wr-calname", name)
    document.add("x-wr-caldesc", describe_total(calendar))
    for entry in calendar.entries:
        for moment in moments_of(entry):
            document.add_component(make_event(calendar, moment))
    written: bytes = document.to_ical()
    return written.decode()


def moments_of(entry: Entry) -> Iterator[Moment]:
    """One for each instant and fate."""

    def key(group: ZoneGroup) -> tuple[datetime, datetime, str]:
        return group.slot.goes, group.slot.due, group.slot.fate.value

    for (goes, due, fate), groups in groupby(sorted(entry.groups, key=key), key=key):
        yield Moment(entry, goes, due, Fate(fate), tuple(groups))


def make_event(calendar: Calendar, moment: Moment) -> Event:
    from icalendar import Event

    entry, about = moment.entry, calendar.notifications[moment.entry.name]
    event = Event()
    event.add("uid", make_uid(calendar, moment))
    event.add("dtstamp", calendar.as_of)
    event.add("dtstart", moment.goes)
    event.add("summary", f"{entry.name}: {describe(moment, about)}")
    event.add("description", "\n".join(description(calendar, moment, about)))
    event.add("categories", [about.channel.value])
    stopped = moment.fate in {Fate.SKIPPED, Fate.EXPIRED} and entry.outcome is None
    event.add("status", "CANCELLED" if stopped else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return event


def make_uid(calendar: Calendar, moment: Moment) -> str:
    """The same for an occurrence in each run, whatever moves it. With `timezone: recipient` for those who have it due at one instant."""
    entry = moment.entry
    about = calendar.notifications[entry.name]
    parts = [calendar.project, calendar.environment, entry.name, about.channel.value, str(about.edition)]
    parts += [entry.occurrence, *([moment.due.isoformat()] if len(entry.groups) > 1 else [])]
    if any(each.due == moment.due and each.groups != moment.groups for each in moments_of(entry)):
        parts.append(moment.groups[0].zone)
    return f"{uuid5(NAMESPACE_URL, '/'.join(['notifyctl:', *parts]))}@notifyctl"


def describe(moment: Moment, about: About) -> str:
    if moment.fate is moment.entry.fate and len(moment.groups) == len(moment.entry.groups):
        return describe_fate(moment.entry, about)
    return pluralise(sum(each.recipients for each in moment.groups), "recipient")


def description(calendar: Calendar, moment: Moment, about: About) -> Iterator[str]:
    entry = moment.entry
    yield STORED if about.text is None else strip_controls(about.text)
    for each in moment.groups:
        local = f"{to_local(each.slot.goes, each.zone):%Y-%m-%d %H:%M} {each.zone}"
        yield f"{local}, {pluralise(each.recipients, 'recipient')}" if len(entry.groups) > 1 else local
        if each.slot.fate is not entry.fate:
            yield describe_group(each)
    move = describe_move(entry)
    if move is not None and moment.fate is entry.fate:
        yield move
    waiting = describe_waiting(entry)
    if waiting is not None:
        yield waiting
    yield f"Occurrence {entry.occurrence}, edition {about.edition}, audience {about.audience}"
    yield from describe_about(about)
    if calendar.errors:
        yield describe_errors(calendar)
