"""`build_plan`: inputs in, plan out. Pure: the same input gives the same plan and digest on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import ceil

from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic, sort_diagnostics
from notifyctl.model.batch import ScopeOpening, SendGroup
from notifyctl.model.events import Statement, StatementKind
from notifyctl.model.project import ChannelName, HandOff
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.combinations import Combination
from notifyctl.plan.digest import ScopeEffects, digest
from notifyctl.plan.forecast import Forecast, Leg, forecast, people_per_second
from notifyctl.plan.inputs import FollowUp, PlanContext, RemovedScope, ScopeInput
from notifyctl.plan.lapsed import LapsedOccurrences
from notifyctl.plan.model import (
    VALID_FOR_HOURS,
    AudienceGaps,
    Fallback,
    Plan,
    PlannedNotification,
    Probed,
    Served,
)
from notifyctl.plan.scope_evaluator import evaluate_scope
from notifyctl.plan.scope_result import ScopeResult
from notifyctl.plan.shared_request import shared_request
from notifyctl.plan.thresholds import apply_policy, empty_audience
from notifyctl.plan.upcoming import PreviewedScope, Seen, find_upcoming
from notifyctl.recipients.gaps import OTHERS
from notifyctl.recipients.hashes import Identify
from notifyctl.recipients.zones import ZoneSource
from notifyctl.schedule.slots import Occurrence
from notifyctl.schedule.timing import Gate


def valid_until(as_of: datetime, made_at: datetime | None = None) -> datetime:
    """A plan as of a time that was asked for is over when it is made, for any version of notifyctl that applies it."""
    return made_at if made_at is not None else as_of + timedelta(hours=VALID_FOR_HOURS)


def build_plan(
    context: PlanContext,
    inputs: Iterable[ScopeInput],
    *,
    identify: Identify,
    removed: Iterable[RemovedScope] = (),
    follow_ups: Iterable[FollowUp] = (),
    diagnostics: Iterable[Diagnostic] = (),
) -> Plan:
    """`identify` gives recipient ids. `follow_ups`: what to show the next occurrences of. `diagnostics` are problems known before; the plan adds its own."""
    problems = list(diagnostics)
    planned: list[PlannedNotification] = []
    effects: list[ScopeEffects] = []
    sending: list[ScopeEffects] = []
    legs: list[Leg] = []
    send_groups: list[SendGroup] = []
    openings: list[ScopeOpening] = []
    baselines: list[Served] = []
    seen: dict[str, Seen] = {}
    lapsed = LapsedOccurrences()
    probed: list[Probed] = []
    foreseen: list[Probed] = []

    def add(scope_input: ScopeInput) -> None:
        """Its recipients are let go of when this returns, but for those who are authorised."""
        result = evaluate_scope(scope_input, context, identify)
        if result.listed:
            apply_policy(result, context)
        seen.setdefault(scope_input.scope.notification, Seen()).add(result)
        if not result.listed:
            return
        problems.extend(result.excluded.diagnostics())
        problems.extend(empty_audience(result))
        if not lapsed.add(result, described := describe(result)):
            planned.append(described)
        effects.append(result.effects)
        sending.append(result.sending)
        legs.extend(result.legs)
        if result.waits is None or not context.accepted_only:
            baselines.extend(baseline_of(result))
        probed.extend(describe_probed(result))
        ready = list(result.send_groups())
        send_groups.extend(ready)
        if ready and scope_input.records.recorded is None:
            openings.append(ScopeOpening(scope_input.scope, result.held, result.likeness))

    def preview(follow_up: FollowUp, occurrence: Occurrence, wide: PlanContext) -> PreviewedScope:
        """An occurrence evaluated as if a plan authorised it."""
        result = evaluate_scope(follow_up.scope_input(occurrence), wide, identify)
        apply_policy(result, wide)
        foreseen.extend(describe_probed(result))
        return PreviewedScope(result.zones, describe(result))

    for each in sorted(inputs, key=lambda each: each.scope):
        add(each)
    followed = sorted(follow_ups, key=lambda each: each.notification.name)
    upcoming = list(find_upcoming(followed, seen, context, preview))
    planned.extend(lapsed.latest(context.as_of))
    planned = with_forecasts(planned, forecast(legs, context.environment.limits))
    planned.extend(map(describe_removed, removed))
    return Plan(
        project=context.project,
        environment=context.environment.name,
        provider=context.provider,
        lineage=context.lineage,
        as_of=context.as_of,
        valid_until=valid_until(context.as_of, context.made_at),
        made_at=context.made_at,
        complete=context.complete,
        rate=people_per_second(context.environment.limits),
        digest=digest(
            environment=context.environment.name,
            provider=context.provider,
            lineage=context.lineage,
            effects=effects,
        ),
        notifications=tuple(sorted(planned, key=lambda n: (n.name, n.channel, n.edition, n.occurrence))),
        later=tuple(context.later),
        diagnostics=tuple(sort_diagnostics(problems)),
        send_groups=tuple(send_groups),
        openings=tuple(openings),
        effects=tuple(effects),
        sending=tuple(sending),
        horizon=context.span.end if context.span else None,
        baselines=tuple(baselines),
        upcoming=tuple(upcoming),
        probed=tuple(probed),
        foreseen=tuple(foreseen),
        timezone=context.timezone,
        series=tuple(context.series[name] for name in sorted(context.series)),
        versions=context.versions,
        folded=tuple(lapsed.folded()),
    )


def with_forecasts(
    planned: Iterable[PlannedNotification], forecasts: Mapping[Scope, Forecast]
) -> list[PlannedNotification]:
    """The same with how long each takes, and who would be left."""
    found = []
    for each in planned:
        expected = forecasts.get(Scope(each.name, each.edition, each.occurrence, each.channel))
        if expected is not None:
            each = replace(  # noqa: PLW2901 - the same notification, completed
                each,
                takes_seconds=ceil(expected.takes),
                ends=expected.ends,
                left=expected.left,
                expiring=expected.expiring,
                closes=expected.closes,
            )
        found.append(each)
    return found


def baseline_of(result: ScopeResult) -> Iterable[Served]:
    """The baseline that an apply of this plan records, if one is pending."""
    reason, scope = result.input.baseline, result.input.scope
    if reason is not None:
        statement = Statement(StatementKind.BASELINE, scope.notification, scope.edition, reason)
        opened = result.input.records.recorded is not None
        yield Served(scope, statement, result.served, opened=opened, likeness=result.likeness)


def describe_probed(result: ScopeResult) -> Iterable[Probed]:
    """What the plan decides of the addresses that it was asked about, thresholds included."""
    for each in result.probed:
        decision, when = each.decision, each.when
        blocked = result.blocked_by is not None and each.authorised
        yield Probed(
            scope=result.input.scope,
            action=Action.BLOCKED if blocked else decision.action,
            reason=result.blocked_by if blocked else decision.reason,
            zone=each.about.profile.zone,
            until=when.until if when is not None and decision.action is Action.DEFERRED else None,
            replaced=when.replaced if when is not None and decision.action is Action.EXPIRED else None,
            send_at=delivery_time(result, each),
            variant=each.about.profile.variant,
            left_out=result.left_out(each.about.profile.fallback) if each.authorised else (),
        )


def delivery_time(result: ScopeResult, each: Combination) -> datetime | None:
    """When the provider delivers what it is handed now, or has been handed and still holds; None: at once."""
    when, schedule = each.when, result.input.notification.schedule
    if when is None or schedule is None or schedule.hand_off is not HandOff.PROVIDER:
        return None
    if each.decision.action.sends:
        return when.send_at
    held = each.about.kind == "accepted" and when.state is not Gate.EXPIRED
    return when.send_at or when.not_before if held else None


def describe(result: ScopeResult) -> PlannedNotification:
    notification = result.input.notification
    message = next(iter(result.input.messages.values()))
    counts_segments = message.channel is ChannelName.SMS and not message.opaque
    costs = result.tally.costs()
    return PlannedNotification(
        name=notification.name,
        channel=message.channel,
        edition=notification.edition,
        occurrence=result.input.scope.occurrence,
        category=notification.template.category,
        sender=message.sender,
        template=notification.template.name,
        audience=notification.audience.name,
        opaque=message.opaque,
        rows=result.rows,
        rejected_rows=result.excluded.bad,
        readings=dict(sorted(result.readings.items())),
        actions={action: result.counts[action] for action in Action if result.counts[action]},
        reasons={a: dict(sorted(result.reasons[a].items())) for a in Action if result.reasons.get(a)},
        segments=result.segments if counts_segments else None,
        texts=result.samples.texts,
        due=result.due,
        deferred_until=result.deferred_until,
        expires=result.expires,
        missed=result.missed,
        elsewhere=dict(sorted(result.elsewhere.items())),
        cost=next(iter(costs), None),
        costs=costs,
        reach=tuple(result.tally.reach()),
        samples=result.samples.choose(),
        left_out=tuple(result.describe_left_out()),
        content_hash=result.content_hash,
        nearly=result.nearly,
        late_seconds=None if result.late is None else int(result.late),
        timezone=result.input.timezone,
        times=result.times(),
        by_zone=dict(sorted(result.by_zone.items())),
        moved=tuple(sorted(result.moved)),
        fallback=describe_fallback(result),
        gaps=describe_gaps(result),
        request=shared_request(notification, message, result.input.copies.left_out),
        people=result.people,
        blocked_by=result.blocked_by,
        waits=result.waits,
    )


def describe_fallback(result: ScopeResult) -> Fallback | None:
    """None where nobody is sent an SMS when RCS fails."""
    tally = result.fallback
    recipients, segments = tally.recipients.total(), tally.units.total()
    return Fallback(recipients, segments, tally.costs(), tally.unit_price()) if recipients else None


NAMES = re.compile(r"[A-Za-z0-9+_/.-]{1,40}")
"""Time zones and locales that can be shown; anything else may be what a wrong column says of a person."""


def describe_gaps(result: ScopeResult) -> AudienceGaps:
    gaps = result.gaps
    without = gaps.sources.get(ZoneSource.PROJECT, 0)
    return AudienceGaps(
        without_timezone=without,
        timezone=result.input.zone if without else None,
        timezone_sources={source.value: gaps.sources[source] for source in ZoneSource if gaps.sources},
        country_timezones=most_frequent(gaps.country_timezones),
        unknown_timezones=most_frequent(gaps.unknown_timezones),
        default_locales=most_frequent(gaps.default_locales),
        invalid_locales=most_frequent(gaps.invalid_locales),
    )


def most_frequent(counts: Mapping[str, int]) -> dict[str, int]:
    """The first few by number; the others together."""
    shown = dict.fromkeys(sorted(filter(NAMES.fullmatch, counts), key=lambda each: (-counts[each], each))[:5])
    found: dict[str, int] = {each: counts[each] for each in shown}
    rest = sum(number for each, number in counts.items() if each not in shown)
    return {**found, OTHERS: rest + found.get(OTHERS, 0)} if rest else found


def describe_removed(removed: RemovedScope) -> PlannedNotification:
    """Rules 1 and 4 for what has no definition any more; what was accepted stays accepted and is not counted."""
    counts = {Action.UNCERTAIN: removed.uncertain, Action.WITHDRAWN: removed.withdrawn}
    return PlannedNotification(
        name=removed.scope.notification,
        channel=removed.scope.channel,
        edition=removed.scope.edition,
        occurrence=removed.scope.occurrence,
        category="",
        sender="",
        template="",
        audience="",
        opaque=False,
        rows=0,
        rejected_rows=0,
        actions={action: count for action, count in counts.items() if count},
        reasons={Action.WITHDRAWN: {"definition-gone": removed.withdrawn}} if removed.withdrawn else {},
        segments=None,
        texts=0,
        due=None,
        deferred_until=None,
        expires=None,
        cost=None,
        samples=(),
    )
