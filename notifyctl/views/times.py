"""When: the times of a planned notification in the words that plan, comment and explain share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.plan.actions import Action
from notifyctl.plan.model import REPLACED, Lapsed, PlannedNotification
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import (
    Moments,
    format_duration,
    format_moments,
    format_occurrence,
    format_time,
    format_wait,
)
from notifyctl.views.reasons import TOO_EARLY, describe_reasons, spell_out

SHORT_RUN = 60
"""Seconds below which nothing is said of a run that sends to all in time."""


def describe_due(planned: PlannedNotification, now: datetime) -> Iterator[str]:
    """When it is due and when it expires, as traits of a head line. What everybody waits for is said there."""
    for name, moment in (("due", planned.due), ("expires", planned.expires)):
        waits = name == "due" and planned.times.get(name) == planned.times.get("deferred_until", 0)
        if moment is not None and not waits:
            yield f"{name} {when(planned, name, moment)}{remaining(moment, now) if planned.sends else ''}"


def describe_wait(planned: PlannedNotification, now: datetime) -> str | None:
    """Until when it waits, and how long that is still; None where nobody waits."""
    until = planned.deferred_until
    if until is None:
        return None
    return f"waiting until {when(planned, 'deferred_until', until)}{remaining(until, now)}"


def is_refused(planned: PlannedNotification) -> bool:
    """Whether messages are due too far ahead to be handed to the provider."""
    return TOO_EARLY in planned.reasons.get(Action.DEFERRED, {})


def describe_refusal(planned: PlannedNotification, now: datetime) -> str | None:
    """From when on the provider can be handed what is due too far ahead; None where that is nothing."""
    if not is_refused(planned):
        return None
    possible = when(planned, "deferred_until", planned.deferred_until)
    rest = "" if planned.deferred_until is None else remaining(planned.deferred_until, now)
    return f"refused: due more than 7 days ahead; it can be handed to the provider from {possible}{rest}, with another apply"


def describe_missed(planned: PlannedNotification) -> str | None:
    """How many recipients came away empty lately, because it was too late for them; None where that is nobody."""
    if not planned.missed:
        return None
    since = when(planned, "expired_at", None)
    at = f" at {since}" if since else ""
    return (
        f"{pluralise(planned.missed, 'recipient')} expired{at}: nothing was sent to them, and nothing will be"
    )


def describe_run(planned: PlannedNotification, now: datetime) -> Iterator[tuple[bool, str]]:
    """How late it is, what moved it, how long it takes and who would be left, with whether it is a warning."""
    if planned.sends and planned.late_seconds is not None and planned.late_seconds >= 60:  # noqa: PLR2004 - a minute
        until = (
            f"; recipients not sent to by {when(planned, 'expires', planned.expires)} expire"
            if planned.expires
            else ""
        )
        yield True, f"late by {format_duration(planned.late_seconds)}{until}"
    if missed := describe_missed(planned):
        yield True, missed
    if planned.lapsed is not None:
        warns = REPLACED not in planned.times
        yield warns, describe_lapsed(planned.lapsed, planned.timezone or "UTC", replaced=not warns)
    if replaced := planned.times.get(REPLACED):
        yield (
            False,
            f"the later occurrence is sent from {format_moments(replaced)}{remaining(replaced.first, now)}",
        )
    for reason in planned.moved:
        yield False, f"moved to {when(planned, 'due', planned.due)}: {spell_out(reason)}"
    handed = planned.times.get("send_at")
    if handed is not None:
        yield (
            True,
            (
                f"handed to the provider now, delivered {format_moments(handed)}{remaining(handed.first, now)};"
                " cannot be recalled"
            ),
        )
    closes = planned.times.get("closes")
    if closes is not None and planned.sends and not planned.left:
        yield False, f"closes {format_wait(closes.first - now)}: {format_moments(closes)}"
    yield from describe_length(planned)


def describe_lapsed(lapsed: Lapsed, timezone: str, *, replaced: bool = False) -> str:
    """What nobody began in time, in one line. `replaced`: what nobody is to begin, as a later occurrence is sent instead."""
    zone = "in each recipient's time zone" if timezone == RECIPIENT_ZONE else timezone
    some = f"{'at least ' if lapsed.more else ''}{pluralise(lapsed.occurrences, 'occurrence')}"
    times = f"from {format_occurrence(lapsed.first)} to {format_occurrence(lapsed.last)} {zone}"
    reasons = ", ".join(describe_reasons(lapsed.reasons, Action.EXPIRED))
    each = f"{pluralise(lapsed.recipients, 'recipient')} each"
    if replaced:
        return f"not sent: {some} {times}: {reasons}; {each}"
    return f"expired: {some} {times} were not started: {reasons}; {each}"


def describe_length(planned: PlannedNotification) -> Iterator[tuple[bool, str]]:
    if planned.takes_seconds is None or planned.ends is None:
        return
    takes = f"sending takes about {format_duration(planned.takes_seconds)}"
    if planned.left and planned.closes is not None:
        fate = ", and expire" if planned.expiring == planned.left else ""
        if 0 < planned.expiring < planned.left:
            fate = f"; {planned.expiring:,} of them expire"
        rest, closes = pluralise(planned.left, "recipient"), format_time(planned.closes, planned.timezone)
        yield True, f"{takes}: about {rest} would not be sent to by {closes}{fate}"
    elif planned.takes_seconds >= SHORT_RUN:
        yield False, f"{takes}, until {format_time(planned.ends, planned.timezone)}"


def when(planned: PlannedNotification, name: str, moment: datetime | None) -> str:
    """A moment of `times`; of a plan file of an earlier version, which has none, the earliest by itself."""
    moments: Moments | None = planned.times.get(name)
    if moments is not None:
        return format_moments(moments)
    return format_time(moment, planned.timezone) if moment is not None else ""


def remaining(moment: datetime, now: datetime) -> str:
    return f", {format_wait(moment - now)}" if moment > now else ""
