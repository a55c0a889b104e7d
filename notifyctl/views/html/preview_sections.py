"""From a plan, and its comparison with a commit, to the notifications of the preview page as data. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct

from notifyctl.channels.parts import Carried
from notifyctl.model.project import ChannelName, Notification
from notifyctl.plan.actions import Action
from notifyctl.plan.calendar import Calendar
from notifyctl.plan.diff import Change, Review, Side
from notifyctl.plan.effects import Effect, SettingChange
from notifyctl.plan.model import Plan, PlannedNotification, Sample, Upcoming
from notifyctl.plan.shared_request import carried_of, settings_of
from notifyctl.schedule.moments import format_occurrence
from notifyctl.views.changes import label, own_settings, own_texts, recipients_line
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.gaps import describe_gaps
from notifyctl.views.html.former_message import former_message
from notifyctl.views.html.preview_model import Badge, Fact, Section, Setting, Tone, Variant
from notifyctl.views.plan import describe_cost, describe_left_out
from notifyctl.views.reasons import describe_reasons
from notifyctl.views.sending_hours import describe_hours
from notifyctl.views.times import describe_refusal, describe_run, is_refused, when
from notifyctl.views.upcoming import describe_upcoming

MOST_VARIANTS = {ChannelName.SMS: 12, ChannelName.EMAIL: 6, ChannelName.RCS: 6}
"""Examples of one notification; one of each language in any case, up to MOST_LANGUAGES."""
MOST_LANGUAGES = 40
NOT_SENT = (Action.SUPPRESSED, Action.EXPIRED, Action.WITHDRAWN)
HELD = {
    Action.BLOCKED: "Blocked",
    Action.UNCERTAIN: "Outcome unknown",
    Action.CHANGED: "Already sent a different text",
}
"""Actions that need a decision, in words."""
TONES = {
    Effect.NEW: Tone.NEW,
    Effect.RESEND: Tone.WARN,
    Effect.WITHDRAWN: Tone.WARN,
    Effect.NONE: Tone.QUIET,
}
"""Of effects that do not depend on their settings. Any other is a change, and warns where one of its settings does."""
UNCHANGED = Badge("Unchanged")
NOT_DUE = Badge("Nothing due now")


class Source(Struct, frozen=True):
    """What a page is made of. `define`: a notification's definition by name."""

    plan: Plan
    define: Callable[[str], Notification | None]
    review: Review | None = None
    calendar: Calendar | None = None

    def change(self, name: str) -> Change | None:
        changes = self.review.changes if self.review else ()
        return next((change for change in changes if change.name == name), None)

    def upcoming(self, name: str) -> Upcoming | None:
        return next((each for each in self.plan.upcoming if each.name == name), None)

    @property
    def keys(self) -> dict[int, str]:
        """Position in the plan → address on the page. The first occurrence has the bare name, which links can rely on."""
        found: dict[int, str] = {}
        taken: set[str] = set()
        for number, planned in enumerate(self.plan.notifications):
            key = planned.name if planned.name not in taken else f"{planned.name}@{planned.occurrence}"
            taken.add(key)
            found[number] = key
        return found


def build_sections(source: Source) -> list[Section]:
    """What needs attention first, then the other changes, then the most recipients."""
    keys, planned = source.keys, source.plan.notifications
    last = {each.name: number for number, each in enumerate(planned)}
    found = []
    for number, each in enumerate(planned):
        upcoming = source.upcoming(each.name) if last[each.name] == number else None
        # Of one that is not due, the next occurrence says more than the last, which has expired.
        shown_as = upcoming.preview if upcoming is not None and upcoming.preview is not None else each
        found.append(planned_section(source, shown_as, keys[number], upcoming))
    found += [
        planned_section(source, each.preview, each.name, each)
        if each.preview
        else waiting_section(source, each)
        for each in source.plan.upcoming
        if each.name not in last
    ]
    shown = {each.name for each in found}
    changes = source.review.changes if source.review else ()
    found += [unplanned_section(change) for change in changes if change.name not in shown]
    return sorted(found, key=rank)


def rank(shown: Section) -> tuple[int, int, str]:
    order = [Tone.WARN, Tone.INFO, Tone.NEW, Tone.QUIET]
    tones = [order.index(badge.tone) for badge in shown.badges]
    return (0 if shown.warns else min(tones, default=len(order)), -shown.recipients, shown.key)


def planned_section(
    source: Source, planned: PlannedNotification, key: str, upcoming: Upcoming | None = None
) -> Section:
    """`planned` may be the next occurrence of one that is not due: `upcoming` says so."""
    change = source.change(planned.name)
    definition = source.define(planned.name)
    variants = list(build_variants(source, planned, change))
    hidden = planned.texts - len(variants)
    command = f"notifyctl -e {source.plan.environment} render {planned.name} --sample {planned.texts}"
    return Section(
        key=key,
        name=planned.name,
        channel=planned.channel,
        about=" · ".join(each for each in (description(definition), occurrence_of(planned)) if each),
        badges=badges(source, planned, change, upcoming),
        facts=tuple(facts(source, planned, change, upcoming)),
        notices=tuple(notices(source, planned)),
        settings=settings(change),
        fields=fields(change),
        sent_with=tuple(f"{part.label} {part.text}" for part in settings_of(planned)),
        variants=tuple(variants),
        more=f"{pluralise(hidden, 'more text')}. To see all, run: {command}" if hidden > 0 else "",
        recipients=planned.sends + planned.actions.get(Action.DEFERRED, 0),
    )


def waiting_section(source: Source, upcoming: Upcoming) -> Section:
    """Nothing is due, and no example can be made of what is to come."""
    change = source.change(upcoming.name)
    definition = source.define(upcoming.name)
    lines = tuple(describe_upcoming(upcoming, source.plan.as_of))
    return Section(
        key=upcoming.name,
        name=upcoming.name,
        channel=upcoming.channel,
        about=description(definition),
        badges=change_badges(change) if change else (UNCHANGED if source.review else NOT_DUE,),
        facts=(Fact("Goes out", "Nothing due now", lines),),
        settings=settings(change),
        fields=fields(change),
    )


def unplanned_section(change: Change) -> Section:
    """A change of a notification that is not in the plan: removed, or with nothing due."""
    side = change.after or change.before
    assert side is not None, "a change has a side"
    variants = [
        compared_variant(planned, sample, change)
        for planned in side.planned[:1]
        for sample in by_locale(planned)
    ]
    return Section(
        key=change.name,
        name=change.name,
        channel=side.notification.channel,
        about=description(side.notification),
        badges=change_badges(change),
        facts=(Fact("Recipients", f"{side.recipients:,}", ("nothing to send now",)),),
        settings=settings(change),
        fields=fields(change),
        variants=tuple(variants),
        recipients=change.blast,
    )


def occurrence_of(planned: PlannedNotification) -> str:
    return "" if planned.occurrence == "once" else f"occurrence {format_occurrence(planned.occurrence)}"


def description(definition: Notification | None) -> str:
    return (definition.template.description or "").strip().rstrip(".") if definition else ""


def badges(
    source: Source, planned: PlannedNotification, change: Change | None, upcoming: Upcoming | None
) -> tuple[Badge, ...]:
    if change is not None:
        return change_badges(change)
    if source.review is not None:
        return (UNCHANGED,)
    if upcoming is not None and upcoming.preview is planned:
        return (NOT_DUE,)
    found = [Badge("Sends now", Tone.INFO)] if planned.sends else []
    found += [Badge("Later")] if planned.actions.get(Action.DEFERRED) else []
    if any(planned.actions.get(action) for action in HELD) or is_refused(planned):
        found.append(Badge("Needs attention", Tone.WARN))
    return tuple(found) or (Badge("Sends nothing now"),)


def change_badges(change: Change) -> tuple[Badge, ...]:
    warned = {effect for each in change.warnings for effect in each.effects}
    return tuple(
        Badge(label((effect,)).capitalize(), Tone.WARN if effect in warned else TONES.get(effect, Tone.INFO))
        for effect in change.effects
    )


def facts(
    source: Source, planned: PlannedNotification, change: Change | None, upcoming: Upcoming | None
) -> Iterator[Fact]:
    count = planned.sends + planned.actions.get(Action.DEFERRED, 0)
    yield Fact("Recipients", f"{count:,}", tuple(recipient_notes(planned, change)))
    now = source.plan.as_of
    to_come = tuple(describe_upcoming(upcoming, now)) if upcoming else ()
    if upcoming is not None and upcoming.preview is planned:
        yield Fact("Goes out", "Nothing due now", to_come)
    else:
        value, notes = goes_out(planned, now)
        yield Fact("Goes out", value, (*notes, *to_come))
    for hours in source.plan.hours:
        if hours.name == planned.name:
            first, *rest = (line.removeprefix("hours: ") for line in describe_hours(hours))
            yield Fact("Hours", first[:1].upper() + first[1:], tuple(rest))
    if planned.segments is not None:
        old, new = (segments_of(side) for side in (change.before, change.after)) if change else (0, 0)
        note = (f"full send: {old:,} → {new:,}",) if old and old != new else ()
        yield Fact("SMS segments", f"{planned.segments:,}", note)
    costs = list(describe_cost(planned))
    if costs:
        yield Fact("Cost", costs[0], tuple(costs[1:]))
    yield Fact("Category", planned.category.capitalize(), (f"edition {planned.edition}",))


def segments_of(side: Side | None) -> int:
    return sum(each.segments or 0 for each in side.planned) if side else 0


def recipient_notes(planned: PlannedNotification, change: Change | None) -> Iterator[str]:
    if change is not None and change.before is not None and (line := recipients_line(change)) is not None:
        yield line.removeprefix("recipients: ")
    if planned.texts > 1:
        yield f"{planned.texts:,} different texts"
    left = sum(planned.actions.get(action, 0) for action in NOT_SENT)
    parts = [f"{left:,} not sent"] if left else []
    parts += [pluralise(planned.rejected_rows, "rejected row")] if planned.rejected_rows else []
    if parts:
        yield ", ".join(parts)


def goes_out(planned: PlannedNotification, now: datetime) -> tuple[str, tuple[str, ...]]:
    """When, and the notes below it."""
    notes = []
    if planned.sends:
        value = "Now"
        if planned.due:
            notes.append(f"due {when(planned, 'due', planned.due)}")
    elif planned.actions.get(Action.DEFERRED):
        value, _, utc = (when(planned, "deferred_until", planned.deferred_until) or "Later").partition(" (")
        notes += [utc.removesuffix(")")] if utc else []
    else:
        value = "Nothing to send"
    told = (*describe_run(planned, now), *describe_gaps(planned))
    notes += [line for warns, line in told if not warns]
    if planned.expires:
        notes.append(f"expires {when(planned, 'expires', planned.expires)}")
    return value, tuple(notes)


def notices(source: Source, planned: PlannedNotification) -> Iterator[str]:
    """What needs attention, said in the notification itself."""
    for words, sentence in held(planned):
        yield f"{words}: {sentence}"
    if refusal := describe_refusal(planned, source.plan.as_of):
        yield f"{pluralise(planned.actions[Action.DEFERRED], 'recipient')} {refusal}"
    for warns, line in (*describe_run(planned, source.plan.as_of), *describe_gaps(planned)):
        if warns:
            yield f"{line[:1].upper()}{line[1:]}"
    yield from (f"Sent without {line}" for line in describe_left_out(planned))


def held(planned: PlannedNotification) -> Iterator[tuple[str, str]]:
    """(what, how many and why) for each action that needs a decision."""
    for action, words in HELD.items():
        count = planned.actions.get(action)
        if count:
            why = ", ".join(describe_reasons(planned.reasons.get(action, {}), action))
            yield words, f"{pluralise(count, 'recipient')}{', ' + why if why else ''}"


def settings(change: Change | None) -> tuple[Setting, ...]:
    """Changed settings of the notification, and changed parts of its message other than texts."""
    return tuple(map(setting_of, own_settings(change))) if change is not None else ()


def setting_of(change: SettingChange) -> Setting:
    return Setting(change.key, change.before, change.after, label(change.effects), warn=change.warns)


def fields(change: Change | None) -> tuple[Setting, ...]:
    """Every changed text by its path, also of languages that no example is in; not where the whole notification is new or gone."""
    if change is None or change.before is None or change.after is None:
        return ()
    return tuple(
        Setting(f"{each.where}{f' ({each.locale})' if each.locale else ''}", each.before, each.after)
        for each in own_texts(change)
    )


def build_variants(source: Source, planned: PlannedNotification, change: Change | None) -> Iterator[Variant]:
    for sample in by_locale(planned):
        if change is not None:
            yield compared_variant(planned, sample, change)
        else:
            carried, compared = carried_of(planned, sample), source.review is not None
            yield variant_of(sample, carried, carried if compared else None, compared=compared)


def compared_variant(planned: PlannedNotification, sample: Sample, change: Change) -> Variant:
    """An example before and after, for the same recipient. `planned` is of the plan, or of the side that is left."""
    carried = carried_of(planned, sample)
    if change.after is None:
        return variant_of(sample, None, carried, compared=True)
    before = former_message(sample, change.before, change.after) if change.before is not None else None
    return variant_of(sample, carried, before, compared=change.before is not None)


def variant_of(sample: Sample, after: Carried | None, before: Carried | None, *, compared: bool) -> Variant:
    return Variant(sample.locale, sample.count, sample.recipient, sample.why, after, before, compared)


def by_locale(planned: PlannedNotification) -> list[Sample]:
    """The most frequent text of each language, then texts chosen for a reason; fewer for long messages."""
    leaders = {sample.locale: sample for sample in reversed(planned.samples)}
    rest = [sample for sample in planned.samples if sample.why and sample not in leaders.values()]
    most = max(MOST_VARIANTS[planned.channel], min(len(leaders), MOST_LANGUAGES))
    kept = [*leaders.values(), *rest][:most]
    return [sample for sample in planned.samples if sample in kept]
