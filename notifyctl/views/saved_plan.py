"""A saved plan as a plan that views can draw. It lacks what only apply needs. Text of its file cannot steer a terminal."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Location
from notifyctl.errors import PlanRefusedError
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.plan.model import Plan, PlannedNotification, Upcoming
from notifyctl.plan.plan_document import (
    DiagnosticEntry,
    NotificationEntry,
    PlanDocument,
    SeriesEntry,
    UpcomingEntry,
)
from notifyctl.plan.saved import SavedPlan
from notifyctl.plan.series import Series
from notifyctl.schedule.moments import format_moments
from notifyctl.schedule.zones import load_zone
from notifyctl.views.colours import strip_controls
from notifyctl.views.message import as_lines
from notifyctl.views.series import describe_series
from notifyctl.views.upcoming import describe_upcoming

DAMAGE = (
    TypeError,
    ValueError,
    AttributeError,
    KeyError,
    IndexError,
    RecursionError,
    msgspec.MsgspecError,  # no ValueError in msgspec 0.19
)
"""What content that no channel has raises where it is drawn."""


def to_plan(saved: SavedPlan) -> Plan:
    """Raises PlanRefusedError if the file holds what no plan can."""
    try:
        typed = msgspec.convert(without_controls(saved.document), PlanDocument)
        load_zone(typed.timezone)
        for notification in typed.notifications:
            refuse_undrawable(notification)
        upcoming = tuple(upcoming_of(each) for each in typed.upcoming)
        for each in upcoming:
            list(describe_upcoming(each, typed.as_of))
        series = tuple(map(series_of, typed.series or ()))
        for one in series:
            list(describe_series(one, typed.timezone))
    except DAMAGE as error:
        raise PlanRefusedError(
            "the plan file is damaged",
            hint=f"to make a new plan, run: {command_line('plan', '--out', 'FILE')}",
        ) from error
    return Plan(
        project=typed.project,
        environment=typed.environment,
        provider=typed.provider,
        lineage=typed.ledger,
        as_of=typed.as_of,
        valid_until=typed.valid_until,
        complete=typed.complete,
        digest=typed.digest,
        notifications=tuple(describe_planned(each) for each in typed.notifications),
        later=tuple((each.name, each.occurrence, each.due) for each in typed.later),
        diagnostics=tuple(diagnostic(each) for each in typed.diagnostics),
        send_groups=(),
        openings=(),
        horizon=typed.horizon,
        timezone=typed.timezone,
        versions=typed.versions,
        made_at=typed.made_at,
        upcoming=upcoming,
        series=series,
        hours=typed.hours,
        records_added=typed.records_added,
    )


def series_of(each: SeriesEntry) -> Series:
    return Series(
        name=each.name,
        channel=each.channel,
        edition=each.edition,
        fingerprint=each.fingerprint,
        parts=each.parts,
        acceptance=Acceptance(**asdict(each.acceptance)) if each.acceptance is not None else None,
        missing=each.missing,
        former=Acceptance(**asdict(each.former)) if each.former is not None else None,
        rule=each.rule,
    )


def upcoming_of(each: UpcomingEntry) -> Upcoming:
    """Raises what drawing its preview raises."""
    if each.preview is not None:
        refuse_undrawable(each.preview)
    return Upcoming(
        name=each.name,
        channel=each.channel,
        edition=each.edition,
        timezone=each.timezone,
        due_now=each.due_now,
        next=each.next,
        skipped=each.skipped,
        skipped_more=each.skipped_more,
        preview=describe_planned(each.preview) if each.preview is not None else None,
    )


def without_controls(value: object) -> object:
    """A JSON value without characters that could steer a terminal. Line breaks in texts stay."""
    if isinstance(value, str):
        return strip_controls(value)
    if isinstance(value, dict):
        return {strip_controls(str(key)): without_controls(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_controls(each) for each in value]
    return value


def refuse_undrawable(notification: NotificationEntry) -> None:
    """Raises what drawing raises: a content that no channel has, a local time that is none."""
    for zone in {notification.timezone, *(each.timezone for each in notification.times.values())}:
        if zone not in {None, RECIPIENT_ZONE}:
            load_zone(str(zone))
    for each in notification.times.values():
        format_moments(each)
    for sample in notification.samples:
        if sample.content is not None:
            list(as_lines(list_parts(Carried(notification.channel, "", sample.content, sample.options))))


def describe_planned(each: NotificationEntry) -> PlannedNotification:
    return PlannedNotification(
        name=each.name,
        channel=each.channel,
        edition=each.edition,
        occurrence=each.occurrence,
        category=each.category,
        sender=each.sender,
        template=each.template,
        audience=each.audience.name,
        opaque=each.opaque,
        rows=each.audience.rows,
        rejected_rows=each.audience.rejected_rows,
        readings=each.audience.readings,
        actions=each.actions,
        reasons=each.reasons,
        segments=each.segments,
        texts=each.texts,
        due=each.due,
        deferred_until=each.deferred_until,
        expires=each.expires,
        cost=each.cost,
        samples=each.samples,
        costs=each.costs,
        reach=each.reach,
        content_hash=each.content_hash or "",
        left_out=each.left_out,
        nearly=each.nearly,
        late_seconds=each.late_seconds,
        takes_seconds=each.takes_seconds,
        ends=each.ends,
        left=each.left,
        expiring=each.expiring,
        closes=each.closes,
        timezone=each.timezone,
        times=each.times,
        moved=each.moved,
        fallback=each.fallback,
        gaps=each.gaps,
        missed=each.missed,
        lapsed=each.lapsed,
        elsewhere=each.elsewhere,
        request=each.request,
        people=each.people,
        waits=each.waits,
    )


def diagnostic(each: DiagnosticEntry) -> Diagnostic:
    place = Location(each.file, each.line or 0, each.column or 0)
    return Diagnostic(each.rule, each.severity, each.message, place, each.hint)
