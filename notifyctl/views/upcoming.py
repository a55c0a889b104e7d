"""What is still to come of a notification: text and JSON. Shown with a plan, and not authorised by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from notifyctl.plan.actions import Action
from notifyctl.plan.model import NextOccurrence, PlannedNotification, Upcoming
from notifyctl.schedule.moments import (
    Moments,
    format_moments,
    format_slot,
    format_wait,
)
from notifyctl.views.reasons import describe_reasons, spell_out


def describe_upcoming(upcoming: Upcoming, now: datetime) -> Iterator[str]:
    """The next occurrences, what is left out, and for how many recipients the first would be."""
    to_come = [each for each in upcoming.next if not each.authorised]
    if not upcoming.due_now and upcoming.next and upcoming.preview is None:
        only = upcoming.next[0]
        yield f"nothing left to send; due {name_slot(only, now)}{wait(only, now)}{moved(only)}"
    elif not upcoming.due_now and upcoming.next:
        first, *rest = upcoming.next
        yield f"nothing due now; next: {name_slot(first, now)}{wait(first, now)}{moved(first)}"
        yield from listed("then", rest, now)
    elif not upcoming.due_now:
        yield "nothing due now; no further occurrence"
    else:
        yield from listed("next", to_come, now)
    for each in upcoming.skipped:
        yield f"skipped: {name_slot(each, now)}: {spell_out(each.reason or '')}"
    if upcoming.skipped_more:
        yield f"skipped: {upcoming.skipped_more:,} more"
    if upcoming.preview is not None:
        yield f"next time: {describe_preview(upcoming.preview)}"


def listed(word: str, some: list[NextOccurrence], now: datetime) -> Iterator[str]:
    if some:
        names = ", ".join(name_slot(each, now) for each in some)
        yield f"{word}: {names} (not authorised by this plan)"


def name_slot(occurrence: NextOccurrence, now: datetime) -> str:
    return format_slot(occurrence.due, now)


def wait(occurrence: NextOccurrence, now: datetime) -> str:
    first = occurrence.due.first
    return f", {format_wait(first - now)}" if first > now else ""


def moved(occurrence: NextOccurrence) -> str:
    """When it goes where that is later than due, and why."""
    if occurrence.goes is None or occurrence.reason is None:
        return ""
    return f"; moved to {format_moments(occurrence.goes)}: {spell_out(occurrence.reason)}"


def describe_preview(preview: PlannedNotification) -> str:
    """How many would be sent to, and who not and why."""
    sends = preview.actions.get(Action.DEFERRED, 0) + preview.sends
    parts = [f"{sends:,} recipient{'' if sends == 1 else 's'}"]
    for action, count in preview.actions.items():
        if action is not Action.DEFERRED and not action.sends:
            reasons = ", ".join(describe_reasons(preview.reasons.get(action, {}), action))
            parts.append(f"{count:,} {action.value}{': ' + reasons if reasons else ''}")
    if preview.rejected_rows:
        parts.append(f"{preview.rejected_rows:,} rejected row{'' if preview.rejected_rows == 1 else 's'} ⚠")
    return " · ".join(parts)


def occurrence_object(occurrence: NextOccurrence) -> dict[str, Any]:
    return {
        "occurrence": occurrence.occurrence,
        "due": moments_object(occurrence.due),
        "goes": moments_object(occurrence.goes) if occurrence.goes else None,
        "reason": occurrence.reason,
        "authorised": occurrence.authorised,
        "apply_from": occurrence.apply_from.isoformat() if occurrence.apply_from else None,
    }


def moments_object(moments: Moments) -> dict[str, Any]:
    return {
        "timezone": moments.timezone,
        "local": moments.local,
        "first": moments.first.isoformat(),
        "last": moments.last.isoformat(),
        "zones": moments.zones,
    }
