"""From a plan, and its comparison with a commit, to the whole preview page as data: what is sent, what to look at first, and when. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal

from notifyctl.diagnostics import Severity
from notifyctl.plan.actions import Action
from notifyctl.plan.diff import Review
from notifyctl.plan.effects import Effect
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.schedule.moments import format_slot, format_time
from notifyctl.views.as_of import describe_as_of, plan_as_of
from notifyctl.views.changes import label, summary, warnings
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.preview_model import Alert, Fact, Moment, PreviewPage
from notifyctl.views.html.preview_sections import (
    HELD,
    NOT_SENT,
    Source,
    build_sections,
    held,
    segments_of,
    setting_of,
)
from notifyctl.views.plan import nearly_sent
from notifyctl.views.reasons import spell_out
from notifyctl.views.times import describe_run, is_refused, when

MOST_SECTIONS = 250
"""Notifications on one page; those with the fewest recipients are named below it."""
MOST_ALERTS = 30
NOT_IN_PLAN = "next occurrence, not in this plan"


def build_page(source: Source) -> PreviewPage:
    plan, review = source.plan, source.review
    sections = build_sections(source)
    kept, left = sections[:MOST_SECTIONS], sections[MOST_SECTIONS:]
    keys = {each.key for each in kept}
    found = [each if each.key in keys else without_link(each) for each in alerts(source)]
    return PreviewPage(
        project=plan.project,
        environment=plan.environment,
        title=title(plan),
        lede=tuple(lede(source)),
        planned=f"Planned {plan_as_of(plan)} · digest {plan.digest[:19]}…",
        not_now=describe_as_of(plan),
        base=review.base if review else None,
        tiles=tuple(tiles(plan)),
        settings=tuple(map(setting_of, review.settings)) if review else (),
        alerts=tuple(found[:MOST_ALERTS]),
        more_alerts=max(len(found) - MOST_ALERTS, 0),
        moments=tuple(moments(source, keys)),
        calendar=source.calendar if source.calendar is not None and source.calendar.entries else None,
        sections=tuple(kept),
        omitted=tuple(each.name for each in left),
        compared=review is not None,
    )


def without_link(alert: Alert) -> Alert:
    """Of a notification that the page has no room for."""
    named = f"{alert.name}: {alert.sentence}" if alert.name else alert.sentence
    return Alert(alert.subject, named)


def title(plan: Plan) -> str:
    if not plan.sends:
        return "The next apply sends no messages"
    most = "" if plan.complete else "up to "
    return f"The next apply sends {most}{pluralise(plan.sends, 'message')}"


def lede(source: Source) -> Iterator[str]:
    plan, review = source.plan, source.review
    if review is not None and review.problem:
        yield f"Cannot compare with {review.base}: {review.problem}. Every notification is shown as new."
    elif review is not None:
        yield f"Compared with {review.base}: {summary(review)}."
    if not plan.complete:
        yield "Planned without the ledger: earlier sends are unknown, so messages that were already sent are counted here."


def tiles(plan: Plan) -> Iterator[Fact]:
    counts = plan.summary
    at_once = sum(bool(each.sends) for each in plan.notifications)
    yield Fact("Now", f"{plan.sends:,}", (pluralise(at_once, "notification"),))
    waiting = counts[Action.DEFERRED]
    refused = sum(each.actions[Action.DEFERRED] for each in plan.notifications if is_refused(each))
    notes = ["waiting for their time"] if waiting > refused else []
    notes += [f"{refused:,} refused: due too far ahead to hand to the provider"] if refused else []
    yield Fact("Later", f"{waiting:,}", tuple(notes))
    left = sum(counts[action] for action in NOT_SENT) + plan.rejected_rows
    yield Fact("Not sent", f"{left:,}", tuple(reasons_not_sent(plan)))
    pending = sum(counts[action] for action in HELD)
    if pending:
        yield Fact("Need attention", f"{pending:,}", ("blocked, changed after send or outcome unknown",))
    yield from total_cost(plan)


def reasons_not_sent(plan: Plan) -> Iterator[str]:
    counts: dict[str, int] = {}
    for each in plan.notifications:
        for action in NOT_SENT:
            for reason, count in each.reasons.get(action, {}).items():
                words = spell_out(reason, action).partition(":")[0]
                counts[words] = counts.get(words, 0) + count
    notes = [f"{count:,} {words}" for words, count in sorted(counts.items(), key=lambda item: -item[1])]
    notes += [pluralise(plan.rejected_rows, "rejected row")] if plan.rejected_rows else []
    if notes:
        yield ", ".join(notes)


def total_cost(plan: Plan) -> Iterator[Fact]:
    totals: dict[str, Decimal] = {}
    unpriced = 0
    for cost in (cost for each in plan.notifications for cost in each.costs):
        unpriced += cost.unpriced
        if cost.currency:
            totals[cost.currency] = totals.get(cost.currency, Decimal(0)) + Decimal(cost.amount)
    if totals:
        value = " + ".join(f"{amount:,.2f} {currency}" for currency, amount in totals.items())
        notes = ["now and later, by the price list"]
        notes += [f"{pluralise(unpriced, 'recipient')} without a price"] if unpriced else []
        yield Fact("Cost", value, tuple(notes))
    segments = sum(each.segments or 0 for each in plan.notifications)
    if segments:
        yield Fact("SMS segments", f"{segments:,}", ("now and later",))


def alerts(source: Source) -> Iterator[Alert]:
    """What a reviewer must not miss, changes first; each begins with its effect."""
    plan, keys = source.plan, source.keys
    if source.review is not None:
        yield from change_alerts(source.review)
    for number, planned in enumerate(plan.notifications):
        for words, sentence in held(planned):
            yield Alert(words, sentence, keys[number], planned.name)
        for warns, line in describe_run(planned, plan.as_of):
            if warns:
                yield Alert("Time", line, keys[number], planned.name)
    for subject, phrase in nearly_sent(plan):
        yield Alert("Similar message sent before", f"{subject}: {phrase}")
    worst = [each for each in plan.diagnostics if each.severity is not Severity.INFO]
    if worst:
        counts = {severity: sum(each.severity is severity for each in worst) for severity in Severity}
        words = ", ".join(pluralise(count, severity.value) for severity, count in counts.items() if count)
        first = f"{worst[0].location}: {worst[0].message}"
        yield Alert(words, f"{first}. To see all, run: notifyctl lint" if len(worst) > 1 else first)


def change_alerts(review: Review) -> Iterator[Alert]:
    for warned in warnings(review):
        change = warned.change
        sentence = f"{change.key}: {change.before or 'not set'} → {change.after or 'not set'}"
        one = warned.names[0] if len(warned.names) == 1 else None
        where = f" (in {warned.where})" if one is None and warned.where else ""
        yield Alert(label(change.effects).capitalize(), f"{sentence}{where}", one, one or "")
    for each in review.changes:
        if Effect.RESEND in each.effects:
            again = f"sent again to all {pluralise(each.recipients, 'recipient')}"
            yield Alert("Resend", again, each.name, each.name)
        if Effect.WITHDRAWN in each.effects:
            yield Alert("Withdrawn", "not sent to anyone else", each.name, each.name)
        if each.unknown:
            yield Alert("Unknown", each.unknown, each.name, each.name)
        old, new = segments_of(each.before), segments_of(each.after)
        if new > old > 0:
            more = f"{old:,} → {new:,} SMS segments for a full send"
            yield Alert("More segments", more, each.name, each.name)


def moments(source: Source, known: Collection[str]) -> Iterator[Moment]:
    """Now, then each later time, then occurrences that are not in this plan."""
    plan, keys = source.plan, source.keys

    def names(shown: Sequence[tuple[int, PlannedNotification, int]]) -> Mapping[str, str]:
        return {keys[at]: f"{each.name} {count:,}" for at, each, count in shown if keys[at] in known}

    numbered = list(enumerate(plan.notifications))
    now = [(at, each, each.sends) for at, each in numbered if each.sends]
    if now:
        yield Moment("Now, with the next apply", plan.sends, names(now))
    later: dict[tuple[str, str], list[tuple[int, PlannedNotification, int]]] = {}
    for at, each in numbered:
        count = each.actions.get(Action.DEFERRED, 0)
        if count:
            until = each.deferred_until
            words = when(each, "deferred_until", until) or "Later"
            later.setdefault((until.isoformat() if until else "", words), []).append((at, each, count))
    for (_, words), shown in sorted(later.items(), key=lambda item: item[0]):
        yield Moment(words, sum(count for _, _, count in shown), names(shown))
    for coming in plan.upcoming:
        first = next((one for one in coming.next if not one.authorised), None)
        if first is not None:
            slot = format_slot(first.due, plan.as_of)
            yield Moment(slot, None, linked(coming.name, known), note=NOT_IN_PLAN)
    scheduled = {coming.name for coming in plan.upcoming}
    for name, occurrence, due in plan.later:
        if name not in scheduled:
            moment = (
                format_time(due, plan.timezone) if due else f"{occurrence}, in each recipient's time zone"
            )
            yield Moment(moment, None, linked(name, known), note=NOT_IN_PLAN)


def linked(name: str, known: Collection[str]) -> Mapping[str, str]:
    return {name: name} if name in known else {}
