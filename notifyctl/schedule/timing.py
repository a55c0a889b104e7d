"""What can happen to an occurrence now: window, quiet days, grace and expiry. All times returned are UTC; the present is passed in."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import RECIPIENT_ZONE, HandOff, Schedule
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.opening import next_opening, why_shut
from notifyctl.schedule.rule_checks import check_rule
from notifyctl.schedule.slots import (
    CLOCK_CHANGE,
    ONCE,
    Occurrence,
    slot_due,
    slots_anywhere,
    slots_before,
    slots_between,
)
from notifyctl.schedule.zones import Readings, load_zone, to_instant

HORIZON = timedelta(days=7)
"""How far ahead the API accepts `sendAt` (rule 38)."""
INSTANT = timedelta(seconds=1)
EXPIRES_FIRST = "expires-first"
"""Why nobody is ever sent what expires before the first moment at which it may go."""
PAST_GRACE = "past-grace"
SUPERSEDED = "superseded"
"""Why of two occurrences that are open at one moment only the later one is sent."""
LONGEST_CHANGE = timedelta(hours=3)
"""By which a clock change moves a slot at most, with room."""


class Gate(StrEnum):
    """Whether an occurrence can be sent now."""

    DUE = "due"
    DEFERRED = "deferred"
    EXPIRED = "expired"
    ELSEWHERE = "elsewhere"  # of a recurring schedule: an occurrence that this time zone does not have, or has after the horizon


class Timing(Struct, frozen=True):
    """What the schedule means for one occurrence in one time zone.

    `not_before` and `expires` depend on the schedule alone, so that a digest over them does not change with the clock.
    `until` ends a deferral; from `closes` on, what is due now is due no longer, and with `final` it expires then. `send_at`,
    `expire_at` and `validity` (seconds) go into the envelope.
    """

    state: Gate
    reason: str = ""
    not_before: datetime | None = None
    """The first moment at which window, quiet hours and holidays let it go; None: at any time."""
    moved: str | None = None
    """Why that is after its due time."""
    until: datetime | None = None
    expires: datetime | None = None
    """When it expires unless it was begun before."""
    closes: datetime | None = None
    final: bool = False
    send_at: datetime | None = None
    expire_at: datetime | None = None
    validity: int | None = None
    replaced: datetime | None = None
    """When the later occurrence goes that replaces it; None: it is not replaced, or that is open already."""
    today: bool = False
    """Whether a plan authorises it that is made at some other time of the same day."""


class Beginnings(Struct, frozen=True):
    """An apply that began from `first` until before `last` began in time, and is finished. None: however early."""

    first: datetime | None
    last: datetime


def occurrences(schedule: Schedule | None, *, zone: str, span: Span) -> list[Occurrence]:
    """The occurrences that can open within the span, and the latest one before it, earliest first.

    `zone`: of the schedule. With `timezone: recipient` they are those of every time zone, each without a moment.
    """
    if schedule is None or not schedule.has_time:
        return [Occurrence(ONCE, None)]
    if schedule.timezone == RECIPIENT_ZONE:
        ids = slots_anywhere(schedule, span) if schedule.recurs else [ONCE]
        return [Occurrence(each, None) for each in ids]
    if not schedule.recurs:
        return [Occurrence(ONCE, slot_due(schedule, ONCE, zone))]
    return recurring(schedule, zone=zone, span=span)


def recurring(schedule: Schedule, *, zone: str, span: Span) -> list[Occurrence]:
    found = slots_between(schedule, zone, span.start, span.end - INSTANT)
    earlier = []
    for before in slots_before(schedule, zone, span.start - INSTANT):
        earlier.append(before)
        expires = lapse_time(schedule, first_opening(schedule, before.due, zone), zone)
        if expires is None or expires <= span.start:
            break
    return [*reversed(earlier), *found]


def evaluate_timing(
    schedule: Schedule | None,
    occurrence: Occurrence,
    *,
    zone: str,
    now: datetime,
    span: Span | None = None,
    begun: bool = False,
    opened: Collection[str] = (),
) -> Timing:
    """Whether an occurrence can be sent now. `zone` is the schedule's, or the recipient's for `timezone: recipient`.

    `span`: what a plan made now authorises. `begun`: an apply began it in time. `opened`: the ids of the occurrences that an apply
    has begun.

    Raises ZoneInfoNotFoundError for an unknown zone.
    """
    if schedule is None:
        return Timing(Gate.DUE)
    due = slot_due(schedule, occurrence.id, zone) if schedule.has_time else None
    if due is None and schedule.recurs:
        return Timing(Gate.ELSEWHERE, "other-time-zone")
    if due is None and schedule.has_time:
        return Timing(Gate.EXPIRED, CLOCK_CHANGE)
    opens = first_opening(schedule, due, zone)
    ends, expires = expiry_time(schedule, opens, zone), lapse_time(schedule, opens, zone)
    limit = ends if begun else expires
    timing = Timing(
        Gate.DUE,
        not_before=opens,
        moved=why_shut(schedule, due, zone)
        if due is not None and opens is not None and opens > due
        else None,
        expires=expires,
        expire_at=to_instant(schedule.expire_at, zone) if schedule.expire_at else None,
        validity=int(schedule.expire_after.total_seconds()) if schedule.expire_after else None,
        today=span is not None and (limit is None or limit > span.start),
    )
    if schedule.recurs and span is not None and opens is not None and opens >= span.end:
        return replace(timing, state=Gate.ELSEWHERE, reason="after-horizon", today=False)
    if opens is not None and ends is not None and ends <= opens:
        return replace(timing, state=Gate.EXPIRED, reason=EXPIRES_FIRST)
    over = why_over(now, ends=ends, limit=limit)
    folded = is_folded(schedule, due, opens, zone)
    competes = over is None and schedule.recurs
    if folded or (competes and is_superseded(schedule, due, zone=zone, now=now, opened=opened)):
        over = SUPERSEDED
    if over is not None:
        replaced = opens if folded and opens is not None and opens > now else None
        return replace(timing, state=Gate.EXPIRED, reason=over, replaced=replaced)
    earliest = max(now, due or now)
    opening = next_opening(schedule, earliest, zone)
    goes = opening.first(earliest) if opening is not None else None
    if opening is None or goes is None or (limit is not None and goes >= limit):
        return replace(timing, state=Gate.EXPIRED, reason="past-window")
    # What a later slot replaces until then is not promised, and the provider could not take it back.
    waits = schedule.recurs and goes > now
    if waits and is_superseded(schedule, due, zone=zone, now=goes, opened=opened):
        return replace(timing, state=Gate.EXPIRED, reason=SUPERSEDED, replaced=goes)
    closes = min(filter(None, (opening.closes, ends)), default=None)
    final = closes is not None and expires_at(schedule, closes, ends=ends, expires=expires, zone=zone)
    return replace(wait(schedule, timing, goes, due=due, now=now, zone=zone), closes=closes, final=final)


def why_over(now: datetime, *, ends: datetime | None, limit: datetime | None) -> str | None:
    """Why nobody gets it any more. `ends`: its expiry; `limit`: the end of grace too, unless it was begun."""
    if ends is not None and now >= ends:
        return "past-expiry"
    if limit is not None and now >= limit:
        return PAST_GRACE
    return None


def wait(
    schedule: Schedule, timing: Timing, goes: datetime, *, due: datetime | None, now: datetime, zone: str
) -> Timing:
    """Due, handed to the provider, or deferred. `goes`: the next moment at which it may go."""
    if goes <= now:
        return timing
    if schedule.hand_off is HandOff.PROVIDER:
        if goes - now <= HORIZON:
            return replace(timing, send_at=goes)
        return replace(timing, state=Gate.DEFERRED, reason="beyond-7-days", until=goes - HORIZON)
    reason = "not-due" if due is not None and due > now else why_shut(schedule, now, zone)
    return replace(timing, state=Gate.DEFERRED, reason=reason, until=goes)


def expires_at(
    schedule: Schedule, closes: datetime, *, ends: datetime | None, expires: datetime | None, zone: str
) -> bool:
    """Whether what is left when its opening closes expires then; otherwise it waits for the next opening."""
    if expires is None:
        return False
    again = next_opening(schedule, closes, zone)
    return closes == ends or again is None or again.first(closes) >= expires


def first_opening(schedule: Schedule, due: datetime | None, zone: str) -> datetime | None:
    """The first moment from its due time on at which it may go; None if there is none, or no due time."""
    opening = next_opening(schedule, due, zone) if due is not None else None
    return opening.first(due) if opening is not None and due is not None else None


def expiry_time(schedule: Schedule, opens: datetime | None, zone: str) -> datetime | None:
    """When nobody gets it any more, begun or not. `opens`: the first moment at which it may go; `expireAfter` counts from it."""
    ends = []
    if schedule.expire_at is not None:
        ends.append(to_instant(schedule.expire_at, zone))
    if opens is not None and schedule.expire_after is not None:
        ends.append(opens + schedule.expire_after)
    return min(ends, default=None)


def lapse_time(schedule: Schedule, opens: datetime | None, zone: str) -> datetime | None:
    """When it expires unless it was begun before: at the end of grace, or at its expiry."""
    ends = [expiry_time(schedule, opens, zone), opens + schedule.grace if opens is not None else None]
    return min(filter(None, ends), default=None)


def beginnings(
    schedule: Schedule | None, occurrence: Occurrence, *, zone: str, now: datetime
) -> Beginnings | None:
    """When an apply must have begun an occurrence for what is left of it to be finished now.

    Within grace, and in the opening of the window that has not closed since: what one apply began in time goes on until then.
    None where it makes no difference.
    """
    if schedule is None:
        return None
    due = slot_due(schedule, occurrence.id, zone) if schedule.has_time else None
    opens = first_opening(schedule, due, zone)
    if due is None or opens is None:
        return None
    own, present = next_opening(schedule, opens, zone), next_opening(schedule, now, zone)
    if own is not None and own.contains(now):
        first = None if schedule.hand_off is HandOff.PROVIDER else opens
    else:
        first = present.opens if present is not None and present.contains(now) else now
    return Beginnings(first, opens + schedule.grace)


def is_superseded(
    schedule: Schedule, due: datetime | None, *, zone: str, now: datetime, opened: Collection[str]
) -> bool:
    """Whether a later slot is open: of a recurring rule only the latest open one is sent."""
    for later in slots_before(schedule, zone, now):
        if later.due is None or due is None or later.due <= due:
            return False
        opens = first_opening(schedule, later.due, zone)
        if opens is not None and opens <= now:
            expires = lapse_time(schedule, opens, zone)
            if later.id in opened or expires is None or now < expires:
                return True
    return False


def is_folded(schedule: Schedule, due: datetime | None, opens: datetime | None, zone: str) -> bool:
    """Whether window, quiet hours or holidays move a slot to a moment at which a later one is open: nobody is ever sent it."""
    if not schedule.recurs or due is None or opens is None or opens <= due:
        return False
    return is_superseded(schedule, due, zone=zone, now=opens, opened=())


def stands_for(schedule: Schedule, other: str, own: str, *, zone: str) -> bool:
    """Whether facts of one occurrence count for another in a recipient's zone.

    They do if both name one instant there; and if the other is none of this zone's but what a clock change somewhere else made of
    the same slot, for somebody whose zone was corrected.
    """
    due = slot_due(schedule, own, zone)
    if due is None:
        return False
    if Readings.of(due, zone).include(other):
        return True
    apart = abs(local_time(other) - local_time(own))
    return apart <= LONGEST_CHANGE and slot_due(schedule, other, zone) is None


def local_time(name: str) -> datetime:
    return datetime.fromisoformat(name).replace(tzinfo=None)


def check_schedule(schedule: Schedule) -> list[Diagnostic]:
    """Checks what the shape cannot: a rule that never matches."""
    found = list(check_rule(schedule))
    if schedule.timezone not in {None, RECIPIENT_ZONE}:
        try:
            load_zone(str(schedule.timezone))
        except ZoneInfoNotFoundError:
            return [
                *found,
                schedule_problem(schedule, "timezone", f'"{schedule.timezone}" is not an IANA time zone'),
            ]
    return found


def schedule_problem(schedule: Schedule, field: str, message: str) -> Diagnostic:
    hints = {
        "timezone": "for example Europe/London, or `recipient` for each recipient's own",
    }
    return Diagnostic(
        "bad-schedule", Severity.ERROR, message, schedule.positions.location(field), hint=hints[field]
    )
