"""Who gets what when, day by day: every occurrence of notifications with a time, as a plan at its moment would have it. Pure.

Recipients and texts are those of a plan made now, times those of `schedule.agenda`. Shown and never authorised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.channels.parts import Kind, Part
from notifyctl.diagnostics import Severity
from notifyctl.model.project import RECIPIENT_ZONE, ChannelName, HandOff, Notification, Schedule
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.plan.sending_hours import SendingHours
from notifyctl.plan.series import Series, missing_acceptance
from notifyctl.plan.shared_request import parts_of
from notifyctl.schedule.agenda import DatedSlot, Fate, open_hours, slots_of_days, start_of
from notifyctl.schedule.moments import Moments, gather
from notifyctl.schedule.opening import find_holiday, why_shut
from notifyctl.schedule.zones import is_zone, to_local

FORMAT_VERSION = "1.0"
NOON = timedelta(hours=12)


class Outcome(Struct, frozen=True):
    """What the ledger has of an occurrence: recipients by outcome."""

    accepted: int = 0
    uncertain: int = 0


Outcomes = Callable[[Notification, str], Outcome | None]
"""Of an occurrence, by its id; None: nothing is recorded of it."""


class ZoneGroup(Struct, frozen=True):
    """The part of an occurrence in one time zone. `recipients`: expected."""

    zone: str
    recipients: int
    slot: DatedSlot


class Entry(Struct, frozen=True):
    """One occurrence. `due` and `goes` are None where no time zone has it in time; `goes` where it goes when due.

    `fate` and `reason` are those of most of its recipients; where time zones differ, `groups` has each of them.
    """

    name: str
    occurrence: str
    fate: Fate
    due: Moments
    goes: Moments | None
    reason: str | None
    recipients: int
    groups: tuple[ZoneGroup, ...]
    outcome: Outcome | None
    """None: the ledger has nothing of it, or is not read."""
    waits: str | None = None
    """Why no acceptance covers it, so that `run` does not send it."""

    @property
    def due_day(self) -> date:
        """On the clocks of its schedule."""
        return min(to_local(each.slot.due, each.zone) for each in self.groups).date()

    @property
    def day(self) -> date:
        """On which it goes, or would have."""
        return min(to_local(each.slot.goes, each.zone) for each in self.groups).date()

    @property
    def starts(self) -> datetime:
        """What the clocks read then, naive; for the order within a day."""
        return min(to_local(each.slot.goes, each.zone) for each in self.groups)


class About(Struct, frozen=True):
    """A notification of the calendar. `recipients`: expected, by time zone. `text`: the beginning of an example; None: it is stored at
    the provider. `blocked`: how many are blocked, by reason.
    """

    name: str
    channel: ChannelName
    edition: int
    timezone: str
    schedule: Schedule
    audience: str
    recipients: Mapping[str, int]
    text: str | None
    blocked: Mapping[str, int]
    not_sent: int
    """Suppressed or withdrawn recipients, and rejected rows."""
    withdrawn: str | None
    """Why the edition is withdrawn."""

    @property
    def by_provider(self) -> bool:
        return self.schedule.hand_off is HandOff.PROVIDER


class DayHours(Struct, frozen=True):
    """When a schedule allows sending on one day, in local times; 24:00 is time.max. `why`: of a holiday, and of any other day without
    hours, as in a plan.
    """

    day: date
    hours: tuple[tuple[time, time], ...]
    why: str | None = None

    @property
    def whole(self) -> bool:
        return self.hours == ((time.min, time.max),)


class Calendar(Struct, frozen=True):
    """Days from `first` to `last`. Days are those on the clocks of each schedule."""

    project: str
    environment: str
    timezone: str
    as_of: datetime
    complete: bool
    """Whether the ledger is read."""
    first: date
    last: date
    entries: tuple[Entry, ...]
    """By the day on which they go, then by the time."""
    notifications: Mapping[str, About]
    hours: Mapping[str, tuple[DayHours, ...]]
    """Of each notification whose schedule does not allow sending at any time."""
    rules: Mapping[str, SendingHours] = {}
    """Windows, quiet hours and holidays of notifications that have any."""
    series: Mapping[str, Series] = {}
    """Of each recurring notification."""
    errors: int = 0
    """Of the plan: with any, nothing is sent."""
    undated: tuple[str, ...] = ()
    """Names of notifications without a time: they are due as soon as they are applied."""
    made_at: datetime | None = None
    """As in Plan."""

    @property
    def days(self) -> list[date]:
        return days_between(self.first, self.last)


def build_calendar(
    plan: Plan,
    notifications: Iterable[Notification],
    *,
    first: date,
    last: date,
    outcomes: Outcomes = lambda *_: None,
    opened: Callable[[Notification], Iterable[str]] = lambda _: (),
) -> Calendar:
    """`notifications`: those of the plan. `outcomes`: as the ledger has them. `opened`: the ids of occurrences that were started."""
    entries: list[Entry] = []
    about: dict[str, About] = {}
    series = {each.name: each for each in plan.series}
    undated = []
    for each in sorted(notifications, key=lambda each: each.name):
        schedule = each.schedule
        if schedule is None or not schedule.has_time:
            undated.append(each.name)
            continue
        known = describe(each, schedule, plan)
        about[each.name] = known
        started = frozenset(opened(each))
        by_zone = {
            zone: slots_of_days(schedule, zone, first=first, last=last, now=plan.as_of, opened=started)
            for zone in zones_of(known, plan)
        }
        found = gather_entries(known, by_zone, partial(outcomes, each))
        entries += [replace(entry, waits=why_waiting(entry, series.get(each.name))) for entry in found]
    return Calendar(
        project=plan.project,
        environment=plan.environment,
        timezone=plan.timezone,
        as_of=plan.as_of,
        made_at=plan.made_at,
        complete=plan.complete,
        first=first,
        last=last,
        entries=tuple(sorted(entries, key=lambda each: (each.day, each.starts, each.name))),
        notifications=about,
        hours={name: hours for name, each in about.items() if (hours := hours_of(each, plan, first, last))},
        rules={each.name: each for each in plan.hours},
        series=series,
        errors=sum(each.severity is Severity.ERROR for each in plan.diagnostics),
        undated=tuple(undated),
    )


def gather_entries(
    about: About, by_zone: Mapping[str, list[DatedSlot]], outcome: Callable[[str], Outcome | None]
) -> Iterator[Entry]:
    """One for each occurrence, with all time zones that have it."""
    groups: dict[str, list[ZoneGroup]] = {}
    for zone, slots in by_zone.items():
        for slot in slots:
            groups.setdefault(slot.id, []).append(ZoneGroup(zone, about.recipients.get(zone, 0), slot))
    for name, some in groups.items():
        # Of several fates the one that still sends is told first; each time zone has its own in `groups`.
        leading = min(some, key=lambda each: list(Fate).index(each.slot.fate)).slot
        wanted = [each for each in some if each.slot.fate is leading.fate]
        due = gather(about.timezone, {each.zone: each.slot.due for each in some})
        assert due is not None, "an occurrence has a time zone"
        moved = {each.zone: each.slot.goes for each in wanted}
        goes = (
            gather(about.timezone, moved) if any(each.slot.goes != each.slot.due for each in wanted) else None
        )
        yield Entry(
            name=about.name,
            occurrence=name,
            fate=leading.fate,
            due=due,
            goes=goes,
            reason=next((each.slot.reason for each in wanted if each.slot.reason), None),
            recipients=sum(each.recipients for each in some),
            groups=tuple(sorted(some, key=lambda each: (each.slot.goes, each.zone))),
            outcome=outcome(name),
        )


def why_waiting(entry: Entry, series: Series | None) -> str | None:
    if series is None or entry.fate not in {Fate.TO_COME, Fate.DUE}:
        return None
    goes = entry.goes or entry.due
    return missing_acceptance(series, people=entry.recipients, first=goes.first, last=goes.last)


def describe(notification: Notification, schedule: Schedule, plan: Plan) -> About:
    shown = representative(notification.name, plan)
    return About(
        name=notification.name,
        channel=notification.channel,
        edition=notification.edition,
        timezone=schedule.timezone or plan.timezone,
        schedule=schedule,
        audience=notification.audience.name,
        recipients=shown.by_zone if shown else {},
        text=excerpt(shown) if shown else "",
        blocked=shown.reasons.get(Action.BLOCKED, {}) if shown else {},
        not_sent=not_sent(shown) if shown else 0,
        withdrawn=next(iter(shown.reasons.get(Action.WITHDRAWN, ())), None) if shown else None,
    )


def representative(name: str, plan: Plan) -> PlannedNotification | None:
    """What the plan knows of recipients and texts: the next occurrence, else the latest of which something is sent, else the latest."""
    foreseen = next((each.preview for each in plan.upcoming if each.name == name and each.preview), None)
    if foreseen is not None:
        return foreseen
    planned = [each for each in plan.notifications if each.name == name]
    sent = [each for each in planned if any(each.actions.get(action) for action in AUTHORISED)]
    return next(reversed(sent or planned), None)


def not_sent(planned: PlannedNotification) -> int:
    left_out = (Action.SUPPRESSED, Action.WITHDRAWN)
    return sum(planned.actions.get(action, 0) for action in left_out) + planned.rejected_rows


def zones_of(about: About, plan: Plan) -> list[str]:
    """Those of the schedule, or of its recipients; the project's where nobody is known."""
    if about.timezone != RECIPIENT_ZONE:
        return [about.timezone]
    return sorted(filter(is_zone, about.recipients)) or [plan.timezone]


def hours_of(about: About, plan: Plan, first: date, last: date) -> tuple[DayHours, ...]:
    """None where sending is allowed at any time. With `timezone: recipient` the same local hours hold in each time zone."""
    zone = zones_of(about, plan)[0]
    found = []
    for day in days_between(first, last):
        hours = tuple(open_hours(about.schedule, zone, day))
        why = find_holiday(about.schedule, day)
        if why is None and not hours:
            why = why_shut(about.schedule, start_of(day, zone) + NOON, zone)
        found.append(DayHours(day, hours, why))
    return () if all(each.whole for each in found) else tuple(found)


def excerpt(planned: PlannedNotification) -> str | None:
    """The subject of an email, else the first line of what is read; None for a template stored at the provider."""
    if planned.opaque:
        return None
    for sample in planned.samples[:1]:
        return next(read_lines(parts_of(planned, sample)), "")
    return ""


def read_lines(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if part.kind is Kind.TEXT or (part.kind is Kind.FIELD and part.key == "subject"):
            yield from (line.strip() for line in part.text.splitlines() if line.strip())
        yield from read_lines(part.parts) if part.kind is Kind.BLOCK else ()


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
