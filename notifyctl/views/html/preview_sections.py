"""From a plan, and its comparison with a commit, to the preview page as data. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from notifyctl.diagnostics import Severity
from notifyctl.model.project import ChannelName, Notification
from notifyctl.plan.actions import Action
from notifyctl.plan.diff import Category, Change, Review, Side
from notifyctl.plan.model import Plan, PlannedNotification, Sample
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.carried import Carried
from notifyctl.views.html.preview_model import (
    Alert,
    Badge,
    Fact,
    Moment,
    PreviewPage,
    Section,
    Setting,
    Tone,
    Variant,
)
from notifyctl.views.plan import (
    describe_cost,
    describe_left_out,
    describe_run,
    format_time,
    nearly_sent,
)
from notifyctl.views.reasons import spell_out

MOST_SECTIONS = 250
"""Notifications on one page; the ones with fewer recipients are named below it."""
MOST_VARIANTS = {ChannelName.SMS: 12, ChannelName.EMAIL: 6, ChannelName.RCS: 6}
"""Examples of one notification, after one for each language."""
MOST_LANGUAGES = 40
NOT_SENT = (Action.SUPPRESSED, Action.EXPIRED, Action.WITHDRAWN)
HELD = (Action.BLOCKED, Action.UNCERTAIN, Action.CHANGED)

BADGES = {
    Category.RESEND: Badge("Sent again", Tone.WARN),
    Category.CORRECTION: Badge("Text changed", Tone.INFO),
    Category.WITHDRAW: Badge("Withdrawn", Tone.WARN),
    Category.FIRST_SEND: Badge("New", Tone.NEW),
    Category.JOINERS: Badge("Recipients changed", Tone.INFO),
    Category.FORWARD_ONLY: Badge("Text changed", Tone.INFO),
    Category.COSMETIC: Badge("Settings changed", Tone.INFO),
}
UNCHANGED = Badge("Unchanged")


class Source(Struct, frozen=True):
    """What a page is made of. `define`: a notification's definition by name; `carry`: one example as it is sent."""

    plan: Plan
    define: Callable[[str], Notification | None]
    carry: Callable[[PlannedNotification, Sample], Carried]
    review: Review | None = None

    def change(self, name: str) -> Change | None:
        changes = self.review.changes if self.review else ()
        return next((change for change in changes if change.name == name), None)


def build_page(source: Source) -> PreviewPage:
    """The page of a plan. The notifications that need attention come first, then those with the most recipients."""
    plan, review = source.plan, source.review
    sections = list(build_sections(source))
    sections.sort(key=rank)
    kept, left = sections[:MOST_SECTIONS], sections[MOST_SECTIONS:]
    keys = {each.key for each in kept}
    return PreviewPage(
        project=plan.project,
        environment=plan.environment,
        title=title(plan),
        lede=tuple(lede(source)),
        planned=f"Planned {format_time(plan.as_of)} · digest {plan.digest[:19]}…",
        base=review.base if review else None,
        tiles=tuple(tiles(plan)),
        alerts=tuple(each for each in alerts(source) if each.key is None or each.key in keys)[:MOST_ALERTS],
        moments=tuple(moments(plan, keys)),
        sections=tuple(kept),
        omitted=tuple(each.name for each in left),
        compared=review is not None,
    )


MOST_ALERTS = 30


def rank(shown: Section) -> tuple[int, int, str]:
    order = [Tone.WARN, Tone.INFO, Tone.NEW, Tone.QUIET]
    tones = [order.index(badge.tone) for badge in shown.badges]
    return (0 if shown.warns else min(tones, default=len(order)), -shown.recipients, shown.key)


def title(plan: Plan) -> str:
    if not plan.sends:
        return "The next apply sends no messages"
    least = "" if plan.complete else "up to "
    return f"The next apply sends {least}{pluralise(plan.sends, 'message')}"


def lede(source: Source) -> Iterator[str]:
    plan, review = source.plan, source.review
    if review is not None:
        changed = len(review.changes)
        verb = "changes" if changed == 1 else "change"
        said = f"{pluralise(changed, 'notification')} {verb}" if changed else "No notification changes"
        yield f"Compared with {review.base}: {said}; {review.unchanged:,} unchanged."
        if review.problem:
            yield f"Cannot compare with {review.base}: {review.problem}. Every notification is shown as new."
    if not plan.complete:
        yield "Planned without the ledger: earlier sends are unknown, so messages that were already sent are counted here."


def tiles(plan: Plan) -> Iterator[Fact]:
    summary = plan.summary
    at_once = [each for each in plan.notifications if each.sends]
    yield Fact("Now", f"{plan.sends:,}", (pluralise(len(at_once), "notification"),))
    yield Fact(
        "Later",
        f"{summary[Action.DEFERRED]:,}",
        ("recipients wait until their time",) if summary[Action.DEFERRED] else (),
    )
    held = sum(summary[action] for action in HELD)
    reasons: dict[str, int] = {}
    for each in plan.notifications:
        for action in NOT_SENT:
            for reason, count in each.reasons.get(action, {}).items():
                words = spell_out(reason).partition(":")[0].replace("-", " ")
                reasons[words] = reasons.get(words, 0) + count
    left = sum(summary[action] for action in NOT_SENT) + plan.rejected_rows
    notes = [f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1])]
    notes += [pluralise(plan.rejected_rows, "rejected row")] if plan.rejected_rows else []
    yield Fact("Not sent", f"{left:,}", (", ".join(notes),) if notes else ())
    if held:
        yield Fact("Need attention", f"{held:,}", ("blocked, changed after send or unknown outcome",))
    yield from total_cost(plan)


def total_cost(plan: Plan) -> Iterator[Fact]:
    from decimal import Decimal

    totals: dict[str, Decimal] = {}
    unpriced = 0
    for each in plan.notifications:
        for cost in each.costs:
            unpriced += cost.unpriced
            if cost.currency:
                totals[cost.currency] = totals.get(cost.currency, Decimal(0)) + Decimal(cost.amount)
    if totals:
        value = " + ".join(f"{amount:,.2f} {currency}" for currency, amount in totals.items())
        notes = ("now and later, by the price list",)
        yield Fact("Cost", value, (*notes, f"{unpriced:,} without a price") if unpriced else notes)
    segments = sum(each.segments or 0 for each in plan.notifications)
    if segments:
        yield Fact("SMS segments", f"{segments:,}", ("now and later",))


def alerts(source: Source) -> Iterator[Alert]:
    plan = source.plan
    for change in source.review.changes if source.review else ():
        yield from change_alerts(change)
    for planned in plan.notifications:
        key = key_of(planned)
        for action in HELD:
            count = planned.actions.get(action)
            if count:
                why = ", ".join(map(spell_out, planned.reasons.get(action, {})))
                yield Alert(
                    ALERTS[action],
                    f"{pluralise(count, 'recipient')}{': ' + why if why else ''}",
                    key,
                    planned.name,
                )
        for warns, line in describe_run(planned):
            if warns:
                yield Alert("Time", line, key, planned.name)
    for subject, phrase in nearly_sent(plan):
        yield Alert("Similar message", f"{subject}: {phrase}")
    worst = [each for each in plan.diagnostics if each.severity is not Severity.INFO]
    if worst:
        counts = {severity: sum(each.severity is severity for each in worst) for severity in Severity}
        words = ", ".join(pluralise(count, severity.value) for severity, count in counts.items() if count)
        first = f"{worst[0].location}: {worst[0].message}"
        more = f"{first}. To see all, run: notifyctl lint" if len(worst) > 1 else first
        yield Alert(words.capitalize(), more)


ALERTS = {
    Action.BLOCKED: "Blocked",
    Action.UNCERTAIN: "Outcome unknown",
    Action.CHANGED: "Already sent a different text",
}


def change_alerts(change: Change) -> Iterator[Alert]:
    """What a reviewer must not miss. The words of each are about its effect."""
    key = change.name
    people = change.recipients
    if change.category is Category.RESEND:
        yield Alert(
            "Sent again",
            f"edition raised, so all {pluralise(people, 'recipient')} are sent it again",
            key,
            change.name,
        )
    if change.category is Category.WITHDRAW:
        yield Alert("Withdrawn", "not sent to anyone else", key, change.name)
    for what, was, now in change.envelope:
        if what in WARNED and now:
            yield Alert(WARNED[what], f"{now} (before: {was or 'not set'})", key, change.name)
    old, new = segments_of(change.before), segments_of(change.after)
    if new > old and old:
        yield Alert("More segments", f"{old:,} → {new:,} SMS segments for a full send", key, change.name)


WARNED = {"cc": "New copies", "bcc": "New copies"}


def segments_of(side: Side | None) -> int:
    return sum(each.segments or 0 for each in side.planned) if side else 0


def moments(plan: Plan, keys: Iterable[str]) -> Iterator[Moment]:
    """Now, then each later time, then occurrences that are not in this plan."""
    known = set(keys)

    def names(shown: Sequence[tuple[PlannedNotification, int]]) -> dict[str, str]:
        return {key_of(each): f"{each.name} {count:,}" for each, count in shown if key_of(each) in known}

    now = [(each, each.sends) for each in plan.notifications if each.sends]
    if now:
        yield Moment("Now, with the next apply", plan.sends, names(now))
    later: dict[datetime | None, list[tuple[PlannedNotification, int]]] = {}
    for each in plan.notifications:
        count = each.actions.get(Action.DEFERRED, 0)
        if count:
            later.setdefault(each.deferred_until, []).append((each, count))
    for until, shown in sorted(later.items(), key=lambda item: (item[0] is None, str(item[0]))):
        when = format_time(until) if until else "In each recipient's time zone"
        yield Moment(when, sum(count for _, count in shown), names(shown))
    for name, occurrence, due in plan.later:
        when = format_time(due) if due else f"{occurrence}, in each recipient's time zone"
        yield Moment(
            when, None, {name: name} if name in known else {}, note="next occurrence, not in this plan"
        )


def key_of(planned: PlannedNotification) -> str:
    """The address of a section: the name, and the occurrence where there can be several."""
    return planned.name if planned.occurrence == "once" else f"{planned.name}@{planned.occurrence}"


def build_sections(source: Source) -> Iterator[Section]:
    shown = set()
    first = {planned.name: key_of(planned) for planned in reversed(source.plan.notifications)}
    for planned in source.plan.notifications:
        shown.add(planned.name)
        # The first occurrence has the bare name as its address, so that a link to the notification works.
        key = planned.name if first[planned.name] == key_of(planned) else key_of(planned)
        yield planned_section(source, planned, key)
    for change in source.review.changes if source.review else ():
        if change.name not in shown:
            yield unplanned_section(source, change)


def planned_section(source: Source, planned: PlannedNotification, key: str) -> Section:
    change = source.change(planned.name)
    definition = source.define(planned.name)
    variants, hidden = build_variants(source, planned, change)
    return Section(
        key=key,
        name=planned.name,
        channel=planned.channel,
        about=(definition.template.description or "").rstrip(".") if definition else "",
        badges=badges(source, planned, change),
        facts=tuple(facts(planned, change)),
        notices=tuple(notices(planned)),
        settings=settings(change),
        variants=tuple(variants),
        more=(
            f"{pluralise(hidden, 'more text')}. To see them, run: notifyctl render {planned.name} --sample {planned.texts}"
            if hidden > 0
            else ""
        ),
        recipients=planned.sends + planned.actions.get(Action.DEFERRED, 0),
    )


def unplanned_section(source: Source, change: Change) -> Section:
    """A change of a notification that is not in the plan: removed, or with nothing due."""
    side = change.after or change.before
    assert side is not None
    notification = side.notification
    variants = []
    olds = examples(source, change.before)
    for planned in side.planned[:1]:
        for sample in by_locale(planned):
            carried = source.carry(planned, sample)
            before = match_before(sample, olds)
            variants.append(
                Variant(
                    sample.locale,
                    sample.count,
                    sample.recipient,
                    sample.why,
                    carried=carried if change.after is not None else None,
                    before=before if change.after is not None else carried,
                    compared=True,
                )
            )
    return Section(
        key=change.name,
        name=change.name,
        channel=notification.channel,
        about=(notification.template.description or "").rstrip("."),
        badges=change_badges(change),
        facts=(Fact("Recipients", f"{len(side.people):,}", ("nothing to send now",)),),
        settings=settings(change),
        variants=tuple(variants),
        recipients=change.blast,
    )


def badges(source: Source, planned: PlannedNotification, change: Change | None) -> tuple[Badge, ...]:
    if change is not None:
        return change_badges(change)
    if source.review is not None:
        return (UNCHANGED,)
    found = [Badge("Sends now", Tone.NEW)] if planned.sends else []
    found += [Badge("Later", Tone.INFO)] if planned.actions.get(Action.DEFERRED) else []
    found += (
        [Badge("Needs attention", Tone.WARN)] if any(planned.actions.get(action) for action in HELD) else []
    )
    return tuple(found) or (Badge("Sends nothing now"),)


def change_badges(change: Change) -> tuple[Badge, ...]:
    return (BADGES[change.category],)


def facts(planned: PlannedNotification, change: Change | None) -> Iterator[Fact]:
    yield Fact(
        "Recipients",
        f"{planned.sends + planned.actions.get(Action.DEFERRED, 0):,}",
        tuple(recipient_notes(planned, change)),
    )
    yield Fact("Goes out", *goes_out(planned))
    if planned.segments is not None:
        old = segments_of(change.before) if change else 0
        new = segments_of(change.after) if change else 0
        note = (f"full send: {old:,} → {new:,}",) if old and old != new else ()
        yield Fact("SMS segments", f"{planned.segments:,}", note)
    costs = list(describe_cost(planned))
    if costs:
        yield Fact("Cost", costs[0], tuple(costs[1:]))
    yield Fact("From", planned.sender or "no sender", (planned.category, f"edition {planned.edition}"))


def recipient_notes(planned: PlannedNotification, change: Change | None) -> Iterator[str]:
    if change is not None and (change.joined or change.left):
        moved = [
            f"{count:,} {word}"
            for count, word in ((change.joined, "added"), (change.left, "removed"))
            if count
        ]
        yield ", ".join(moved)
    if planned.texts > 1:
        yield f"{planned.texts:,} different texts"
    left = sum(planned.actions.get(action, 0) for action in NOT_SENT)
    parts = [f"{left:,} not sent"] if left else []
    parts += [pluralise(planned.rejected_rows, "rejected row")] if planned.rejected_rows else []
    if parts:
        yield ", ".join(parts)


def goes_out(planned: PlannedNotification) -> tuple[str, tuple[str, ...]]:
    """When, and the notes below it."""
    notes = []
    if planned.sends:
        value = "Now"
        if planned.due:
            notes.append(f"due {format_time(planned.due)}")
    elif planned.deferred_until:
        value = format_time(planned.deferred_until)
    elif planned.actions.get(Action.DEFERRED):
        value = "Later"
    else:
        value = "Nothing to send"
    if planned.expires:
        notes.append(f"expires {format_time(planned.expires)}")
    return value, tuple(notes)


def notices(planned: PlannedNotification) -> Iterator[str]:
    """What needs attention, said in the notification itself."""
    for action in HELD:
        count = planned.actions.get(action)
        if count:
            why = ", ".join(map(spell_out, planned.reasons.get(action, {})))
            yield f"{ALERTS[action]}: {pluralise(count, 'recipient')}{', ' + why if why else ''}"
    yield from (line[:1].upper() + line[1:] for warns, line in describe_run(planned) if warns)
    yield from (f"Sent without {line}" for line in describe_left_out(planned))


def settings(change: Change | None) -> tuple[Setting, ...]:
    """Every changed value that is not in the words of an example: settings, options, senders, and texts of other languages."""
    if change is None:
        return ()
    found = [Setting(what, was, now, warn=what in WARNED) for what, was, now in change.envelope]
    found += [
        Setting(f"{text.where}{f' ({text.locale})' if text.locale else ''}", text.before, text.after)
        for text in change.texts
        if not text.where.startswith("content.")
    ]
    return tuple(found)


def build_variants(
    source: Source, planned: PlannedNotification, change: Change | None
) -> tuple[list[Variant], int]:
    """The examples of a notification, and how many of its texts are not among them."""
    olds = examples(source, change.before) if change else []
    samples = by_locale(planned)
    made = []
    for sample in samples:
        carried = source.carry(planned, sample)
        before = carried if change is None else match_before(sample, olds)
        made.append(
            Variant(
                sample.locale,
                sample.count,
                sample.recipient,
                sample.why,
                carried=carried,
                before=before if source.review else None,
                compared=source.review is not None,
            )
        )
    return made, planned.texts - len(made)


def examples(source: Source, side: Side | None) -> list[tuple[Sample, Carried]]:
    return [
        (sample, source.carry(planned, sample))
        for planned in (side.planned if side else ())
        for sample in planned.samples
    ]


def match_before(sample: Sample, olds: list[tuple[Sample, Carried]]) -> Carried | None:
    """The earlier message of the same recipient, or else the first of the same language."""
    same = [(old, carried) for old, carried in olds if old.locale == sample.locale]
    mine = [carried for old, carried in same if old.recipient == sample.recipient]
    return next(iter([*mine, *(carried for _, carried in same)]), None)


def by_locale(planned: PlannedNotification) -> list[Sample]:
    """The most frequent text of each language, then texts chosen for a reason; fewer for long messages."""
    leaders = {sample.locale: sample for sample in reversed(planned.samples)}
    rest = [sample for sample in planned.samples if sample.why and sample not in leaders.values()]
    most = MOST_VARIANTS.get(planned.channel, len(leaders) + 1)
    kept = [*leaders.values(), *rest][: max(most, min(len(leaders), MOST_LANGUAGES))]
    return [sample for sample in planned.samples if sample in kept]
