"""A plan as text for the terminal and as JSON. Addresses are masked; message text cannot steer a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import to_builtins
from msgspec.structs import asdict, replace

from notifyctl.command_line import command_line
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import WITH_PLUS, WITHOUT_PLUS
from notifyctl.plan.actions import Action
from notifyctl.plan.model import FORMAT_VERSION, Cost, Fallback, Plan, PlannedNotification, Sample, Upcoming
from notifyctl.plan.sending_hours import NamedDay, SendingHours
from notifyctl.plan.shared_request import parts_of, settings_of
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_age, format_duration, format_occurrence, format_time
from notifyctl.views.as_of import as_of_object, caveats, plan_as_of, valid_words
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import as_object, format_block
from notifyctl.views.gaps import describe_gaps
from notifyctl.views.message import SAID_ABOVE, STORED_ELSEWHERE, as_lines, as_objects, setting_lines
from notifyctl.views.plan_table import table_lines
from notifyctl.views.reasons import describe_reasons, spell_out
from notifyctl.views.sending_hours import describe_hours, wrapped
from notifyctl.views.series import describe_series, describe_waits, series_object
from notifyctl.views.times import describe_due, describe_refusal, describe_run, describe_wait
from notifyctl.views.upcoming import describe_upcoming, moments_object, occurrence_object

SHOWN = {ChannelName.SMS: 3}
"""Texts shown per notification, at least one per locale."""

NEARLY_SHOWN = 3
"""Names and editions shown per notification that sent nearly the same."""

ORDER = (
    Action.BLOCKED,
    Action.UNCERTAIN,
    Action.CHANGED,
    Action.RESEND,
    Action.SEND_NEW,
    Action.RETRY,
    Action.SEND,
    Action.BASELINE,
    Action.DEFERRED,
    Action.EXPIRED,
    Action.WITHDRAWN,
    Action.SUPPRESSED,
    Action.UNCHANGED,
)
"""Actions in display order: those that need a decision first."""

EXPLAINED = {
    Action.CHANGED: "already sent a different text",
    Action.UNCERTAIN: "outcome unknown: may have been sent",
    Action.SEND: "not sent yet",
    Action.RESEND: "already sent an earlier edition",
    Action.SEND_NEW: "added after edition {edition} started (`joiners: send`)",
    Action.UNCHANGED: "already sent",
}
"""What an action means for those who have it."""


def as_text(plan: Plan, *, colour: bool) -> str:
    paint = Paint(colour)
    return "\n".join(_lines(plan, paint))


def _lines(plan: Plan, paint: Paint) -> Iterator[str]:
    facts = [
        paint.bold(plan.project),
        f"environment {plan.environment}",
        f"provider {plan.provider}",
        plan_as_of(plan),
    ]
    yield " · ".join(facts)
    yield from map(paint.yellow, caveats(plan))
    if not plan.complete:
        yield paint.yellow(
            "Planned without the ledger: earlier sends are unknown. This plan cannot be applied."
        )
    for subject, phrase in nearly_sent(plan):
        yield paint.yellow(f"⚠ {subject}: {phrase}")
    for diagnostic in plan.diagnostics:
        yield from format_block(diagnostic, paint)
    yield from table_lines(with_upcoming(plan), plan.as_of, paint)
    hours = {each.name: each for each in plan.hours}
    listed: dict[tuple[NamedDay, ...], str] = {}
    for planned, upcoming in with_upcoming(plan):
        yield ""
        if planned is not None:
            yield from _notification(planned, paint, plan.as_of)
        name = planned.name if planned is not None else upcoming.name if upcoming is not None else ""
        if (own := hours.pop(name, None)) is not None:
            yield from _hours(own, listed, paint)
        if upcoming is not None:
            yield from _upcoming(upcoming, paint, plan.as_of, headed=planned is not None)
            yield from _series(plan, upcoming.name, paint)
    if not (plan.notifications or plan.upcoming):
        yield "No notification is due in this plan."
    yield ""
    yield from summary_lines(plan, paint)


def with_upcoming(plan: Plan) -> Iterator[tuple[PlannedNotification | None, Upcoming | None]]:
    """Each planned notification; with the last of a name what is still to come of it, which may also stand alone."""
    rest = {each.name: each for each in plan.upcoming}
    last = {each.name: at for at, each in enumerate(plan.notifications)}
    alone = iter(sorted(rest.keys() - last.keys()))
    name = next(alone, None)
    for at, planned in enumerate(plan.notifications):
        while name is not None and name < planned.name:
            yield None, rest[name]
            name = next(alone, None)
        yield planned, rest.get(planned.name) if last[planned.name] == at else None
    while name is not None:
        yield None, rest[name]
        name = next(alone, None)


def _hours(hours: SendingHours, listed: dict[tuple[NamedDay, ...], str], paint: Paint) -> Iterator[str]:
    """`listed`: the holidays listed so far, and with which notification."""
    before = listed.setdefault(hours.days, hours.name)
    for line in describe_hours(hours, listed=before if before != hours.name else None):
        for part in wrapped(line):
            yield paint.yellow(f"  {part}") if line.startswith("⚠") else paint.dim(f"  {part}")


def _series(plan: Plan, name: str, paint: Paint) -> Iterator[str]:
    for each in plan.series:
        if each.name == name:
            head, *rest = describe_series(each, plan.timezone)
            yield paint.dim(f"  {head}")
            for line in rest:
                yield paint.yellow(f"  {line}") if each.acceptance is None else paint.dim(f"  {line}")


def _upcoming(upcoming: Upcoming, paint: Paint, now: datetime, *, headed: bool) -> Iterator[str]:
    preview = upcoming.preview
    if not headed:
        traits = [upcoming.channel.value, f"edition {upcoming.edition}"]
        if preview is not None:
            traits = list(_traits(replace(preview, occurrence="once", due=None, expires=None), now))
        yield "  ".join([paint.bold(upcoming.name), paint.dim(" · ".join(traits))])
    for line in describe_upcoming(upcoming, now):
        yield paint.dim(f"  {line}")
    if preview is not None:
        for sign, line in describe_gaps(preview):
            yield paint.yellow(f"  ⚠ {line}") if sign else paint.dim(f"  {line}")
        yield from _samples(preview, paint)


def nearly_sent(plan: Plan) -> Iterator[tuple[str, str]]:
    """(what would be sent, how many got nearly this and when) for each new name or edition."""
    for planned in plan.notifications:
        for each in planned.nearly[:NEARLY_SHOWN]:
            slot = "" if planned.occurrence == "once" else f" ({format_occurrence(planned.occurrence)})"
            before = f"edition {each.edition}" if each.name == planned.name else f"`{each.name}`"
            age = format_age(plan.as_of - each.last_sent)
            phrase = (
                f"{each.recipients:,} of {each.of:,} were already sent nearly the same as {before}, {age}"
            )
            yield f"{planned.name}{slot}", phrase


def _notification(planned: PlannedNotification, paint: Paint, now: datetime) -> Iterator[str]:
    yield "  ".join([paint.bold(planned.name), paint.dim(" · ".join(_traits(planned, now)))])
    numbers = [*planned.actions.values(), planned.rejected_rows]
    width = max(len(f"{count:,}") for count in numbers)
    for action in ORDER:
        count = planned.actions.get(action)
        if count:
            name = colour_of(action, paint)(f"{action.value:<18}")
            yield f"  {name} {count:>{width},}  {paint.dim(because(planned, action, now))}".rstrip()
    if planned.rejected_rows:
        of_all = f"of {pluralise(planned.rows, 'row')}: unreadable, or no valid address"
        name = paint.yellow(f"{'⚠ rejected rows':<18}")
        yield f"  {name} {planned.rejected_rows:>{width},}  {paint.dim(of_all)}"
    for sign, line in (*describe_run(planned, now), *describe_gaps(planned)):
        yield paint.yellow(f"  ⚠ {line}") if sign else paint.dim(f"  {line}")
    if waits := describe_waits(planned):
        yield paint.yellow(f"  ⚠ {waits}")
    if readings := describe_readings(planned):
        yield paint.dim(f"  {'numbers':<18} {readings}")
    yield from (f"  {paint.yellow('without')} {line}" for line in describe_left_out(planned))
    yield from _samples(planned, paint)


def _samples(planned: PlannedNotification, paint: Paint) -> Iterator[str]:
    yield from (paint.dim(f"  {strip_controls(line)}") for line in describe_request(planned))
    if planned.opaque:
        yield paint.yellow(f"  {STORED_ELSEWHERE}")
    shown = describe_samples(planned)
    for sample in shown:
        yield from _sample(planned, sample, paint)
    hidden = planned.texts - len(shown)
    if hidden > 0:
        more = pluralise(hidden, "more text")
        yield paint.dim(f"  … and {more}; to see more, run: {render_command(planned)}")


def render_command(planned: PlannedNotification, *, env: str | None = None) -> str:
    """What shows the texts that a plan leaves out."""
    return command_line(
        "render", planned.name, "--sample", str(planned.texts), env=env, elsewhere=env is not None
    )


def describe_readings(planned: PlannedNotification) -> str | None:
    """How phone numbers were read, where not all have a +: "900 with +, 100 read as GB"."""
    if not planned.readings.keys() - {WITH_PLUS}:
        return None
    words = {WITH_PLUS: "with +", WITHOUT_PLUS: "without +, read as international"}
    return ", ".join(
        f"{count:,} {words.get(how, f'read as {strip_controls(how)}')}"
        for how, count in planned.readings.items()
    )


def describe_left_out(planned: PlannedNotification) -> Iterator[str]:
    """Destinations in addition to the recipients that are not sent to, and why."""
    for each in planned.left_out:
        yield f"{each.what} for {pluralise(each.recipients, 'recipient')}: {spell_out(each.reason)}"


def describe_samples(planned: PlannedNotification) -> list[Sample]:
    """The most frequent text of each locale, then the most frequent others."""
    leaders = {sample.locale: sample for sample in reversed(planned.samples)}
    rest = [sample for sample in planned.samples if sample not in leaders.values()]
    room = max(SHOWN.get(planned.channel, 1) - len(leaders), 0)
    return [sample for sample in planned.samples if sample in [*leaders.values(), *rest[:room]]]


def _traits(planned: PlannedNotification, now: datetime) -> Iterator[str]:
    yield planned.channel.value
    yield f"edition {planned.edition}"
    if planned.occurrence != "once":
        yield f"occurrence {format_occurrence(planned.occurrence)}"
    if planned.sender:
        yield f"from {strip_controls(planned.sender)}"
    yield from describe_due(planned, now)
    if planned.segments is not None and planned.segments:
        yield pluralise(planned.segments, "SMS segment")
    yield from describe_cost(planned)


def describe_request(planned: PlannedNotification) -> Iterator[str]:
    """What all examples have in common beside their texts."""
    if fallback := describe_fallback(planned):
        yield fallback
    yield from setting_lines(settings_of(planned))


def describe_fallback(planned: PlannedNotification) -> str | None:
    """What the SMS that are sent when RCS fails cost at most: "SMS fallback for up to 3 recipients: 6 segments, 0.24 EUR"."""
    fallback = planned.fallback
    if fallback is None:
        return None
    facts = [pluralise(fallback.segments, "segment")]
    for cost in fallback.costs:
        facts += [f"{cost.amount} {cost.currency}"] if cost.currency else []
        facts += [f"{pluralise(cost.unpriced, 'recipient')} without a price"] if cost.unpriced else []
    each = f" ({fallback.price})" if fallback.price else ""
    return f"SMS fallback for up to {pluralise(fallback.recipients, 'recipient')}: {', '.join(facts)}{each}"


def describe_price(cost: Cost | None) -> str:
    return f"{cost.amount} {cost.currency}" if cost is not None else ""


def describe_cost(planned: PlannedNotification) -> Iterator[str]:
    """The cost in each currency, with the number of recipients that have no price."""
    for cost in planned.costs:
        if cost.currency:
            yield f"{cost.amount} {cost.currency}"
        if cost.unpriced:
            yield f"no price for {pluralise(cost.unpriced, 'recipient')}"


def because(planned: PlannedNotification, action: Action, now: datetime, *, env: str | None = None) -> str:
    """Why the recipients counted under an action have it, and what to do. `env`: for commands that are read elsewhere."""
    if action is Action.CHANGED:
        hash_ = planned.content_hash[:15]
        return (
            f"{EXPLAINED[action]}. To send the new text, set `edition: {planned.edition + 1}`;"
            f" to leave it, set `acknowledge: {hash_}`"
        )
    if action is Action.UNCERTAIN:
        resolve = command_line("resolve", planned.name, env=env, elsewhere=env is not None)
        return f"{EXPLAINED[action]}. Run: {resolve}"
    if action is Action.DEFERRED and (refusal := describe_refusal(planned, now)):
        return refusal
    reasons = describe_reasons(planned.reasons.get(action, {}), action)
    said = ", ".join([*explain_action(planned, action), *reasons])
    if action is Action.DEFERRED and (wait := describe_wait(planned, now)):
        return f"{wait}: {said}"
    return f"withdrawn: {said}" if action is Action.WITHDRAWN else said


def explain_action(planned: PlannedNotification, action: Action) -> Iterator[str]:
    """What an action means. Those who are unchanged for a reason were not sent this very text, so it is not said of them."""
    if action is Action.UNCHANGED:
        sent = planned.actions[action] - sum(planned.reasons.get(action, {}).values())
        if sent:
            alone = sent == planned.actions[action]
            yield EXPLAINED[action] if alone else f"{sent:,} {EXPLAINED[action]}"
    elif action in EXPLAINED:
        yield EXPLAINED[action].format(edition=planned.edition)


def colour_of(action: Action, paint: Paint) -> Any:
    if action in {Action.BLOCKED, Action.UNCERTAIN, Action.CHANGED}:
        return paint.red
    if action is Action.RESEND:
        return paint.yellow
    return paint.green if action.sends or action is Action.BASELINE else paint.dim


def _sample(planned: PlannedNotification, sample: Sample, paint: Paint) -> Iterator[str]:
    facts = [
        sample.locale or "default text",
        pluralise(sample.count, "recipient"),
        f"example: {sample.recipient}",
    ]
    if sample.segments:
        facts.append(pluralise(sample.segments, "segment"))
    facts += sample.why
    yield paint.dim(f"  ┌ {' · '.join(facts)}")
    price = describe_price(sample.fallback_cost)
    for line in as_lines(parts_of(planned, sample), without=SAID_ABOVE[planned.channel], price=price):
        yield f"  {paint.dim('│')} {strip_controls(line)}"
    yield paint.dim("  └")


def summary_lines(plan: Plan, paint: Paint) -> Iterator[str]:
    """The last lines of a plan: a count per action, the digest, how long it is valid."""
    counts = {action: count for action, count in plan.summary.items() if count}
    phrases = [colour_of(a, paint)(f"{counts[a]:,} {a.value}") for a in ORDER if a in counts] or [
        "nothing to do"
    ]
    phrases += map(paint.yellow, describe_rejected(plan))
    yield f"{paint.bold('Plan:')} {' · '.join(phrases)}"
    if pace := describe_pace(plan):
        yield pace
    yield f"{paint.bold('Digest:')} {plan.digest}"
    yield paint.dim(valid_words(plan))
    if plan.horizon is not None:
        yield paint.dim(
            f"Occurrences of recurring notifications are included until {format_time(plan.horizon, plan.timezone)}"
        )
    if plan.versions:
        yield paint.dim(f"Times by {', '.join(f'{name} {each}' for name, each in plan.versions.items())}")


SHORT_SEND = 10
"""Seconds below which nothing is said of how long sending takes."""


def describe_pace(plan: Plan) -> str | None:
    """How long sending now takes at the account's rate, where it is long enough to wait for."""
    if not plan.rate or plan.sends / plan.rate < SHORT_SEND:
        return None
    takes = format_duration(round(plan.sends / plan.rate))
    return f"Sending takes about {takes} at {plan.rate:,.0f} recipients a second."


def describe_rejected(plan: Plan) -> list[str]:
    """What follows the counts of actions where rows of the audiences were rejected; else nothing."""
    return [f"{pluralise(plan.rejected_rows, 'rejected row')} ⚠"] if plan.rejected_rows else []


def as_json(plan: Plan, **extra: Any) -> str:
    """The public plan as JSON. `extra`: keys that a command adds."""
    return json.dumps({**public_plan(plan), **extra}, indent=2, ensure_ascii=False)


def public_plan(plan: Plan) -> dict[str, Any]:
    """The public plan: no address, no secret. Its keys are a contract; new keys can be added."""
    return {
        "format_version": FORMAT_VERSION,
        "project": plan.project,
        "environment": plan.environment,
        "provider": plan.provider,
        "ledger": plan.lineage,
        **as_of_object(plan.as_of, plan.made_at),
        "timezone": plan.timezone,
        "versions": dict(plan.versions),
        "valid_until": plan.valid_until.isoformat(),
        "horizon": _moment(plan.horizon),
        "complete": plan.complete,
        "records_added": plan.records_added,
        "applyable": plan.applyable,
        "digest": plan.digest,
        "summary": {action.value: count for action, count in plan.summary.items()},
        "rejected_rows": plan.rejected_rows,
        "nearly_sent": [f"{subject}: {phrase}" for subject, phrase in nearly_sent(plan)],
        "notifications": [_planned(n) for n in plan.notifications],
        "later": [{"name": n, "occurrence": o, "due": _moment(due)} for n, o, due in plan.later],
        "upcoming": [_upcoming_object(each) for each in plan.upcoming],
        "series": [series_object(each) for each in plan.series],
        "hours": to_builtins(plan.hours),
        "diagnostics": [as_object(d) for d in plan.diagnostics],
    }


def _planned(planned: PlannedNotification) -> dict[str, Any]:
    return {
        "name": planned.name,
        "channel": planned.channel.value,
        "edition": planned.edition,
        "occurrence": planned.occurrence,
        "category": planned.category,
        "from": planned.sender,
        "template": planned.template,
        "audience": {
            "name": planned.audience,
            "rows": planned.rows,
            "rejected_rows": planned.rejected_rows,
            "readings": dict(planned.readings),
        },
        "opaque": planned.opaque,
        "actions": {action.value: count for action, count in planned.actions.items()},
        "reasons": {action.value: dict(reasons) for action, reasons in planned.reasons.items()},
        "due": _moment(planned.due),
        "deferred_until": _moment(planned.deferred_until),
        "expires": _moment(planned.expires),
        "segments": planned.segments,
        "cost": _cost(planned.cost),
        "costs": [_cost(cost) for cost in planned.costs],
        "reach": [
            {"country": each.country, "recipients": each.recipients, "segments": each.segments}
            for each in planned.reach
        ],
        "texts": planned.texts,
        "content_hash": planned.content_hash or None,
        "left_out": [
            {"what": each.what, "reason": each.reason, "recipients": each.recipients}
            for each in planned.left_out
        ],
        "samples": [_sample_object(planned, sample) for sample in planned.samples],
        "late_seconds": planned.late_seconds,
        "takes_seconds": planned.takes_seconds,
        "ends": _moment(planned.ends),
        "left": planned.left,
        "expiring": planned.expiring,
        "closes": _moment(planned.closes),
        "timezone": planned.timezone,
        "times": {name: moments_object(each) for name, each in planned.times.items()},
        "missed": planned.missed,
        "lapsed": asdict(planned.lapsed) if planned.lapsed is not None else None,
        "elsewhere": dict(planned.elsewhere),
        "moved": list(planned.moved),
        "fallback": fallback_object(planned.fallback),
        "gaps": asdict(planned.gaps),
        "request": dict(planned.request),
        "people": planned.people,
        "waits": planned.waits,
        "settings": as_objects(settings_of(planned)),
        "nearly": [
            {
                "name": each.name,
                "edition": each.edition,
                "recipients": each.recipients,
                "of": each.of,
                "last_sent": each.last_sent.isoformat(),
            }
            for each in planned.nearly
        ],
    }


def _upcoming_object(upcoming: Upcoming) -> dict[str, Any]:
    return {
        "name": upcoming.name,
        "channel": upcoming.channel.value,
        "edition": upcoming.edition,
        "timezone": upcoming.timezone,
        "due_now": upcoming.due_now,
        "next": [occurrence_object(each) for each in upcoming.next],
        "skipped": [occurrence_object(each) for each in upcoming.skipped],
        "skipped_more": upcoming.skipped_more,
        "preview": _planned(upcoming.preview) if upcoming.preview is not None else None,
    }


def _sample_object(planned: PlannedNotification, sample: Sample) -> dict[str, Any]:
    return {
        "recipient": sample.recipient,
        "count": sample.count,
        "action": sample.action.value,
        "locale": sample.locale,
        "segments": sample.segments,
        "content": sample.content,
        "why": list(sample.why),
        "options": dict(sample.options),
        "values": dict(sample.values) if planned.opaque else {},
        "sizes": list(sample.sizes),
        "fallback_cost": _cost(sample.fallback_cost),
        "parts": as_objects(parts_of(planned, sample)),
    }


def fallback_object(fallback: Fallback | None) -> Mapping[str, Any] | None:
    if fallback is None:
        return None
    return {
        "recipients": fallback.recipients,
        "segments": fallback.segments,
        "costs": [_cost(cost) for cost in fallback.costs],
        "price": fallback.price,
    }


def _cost(cost: Cost | None) -> Mapping[str, Any] | None:
    if cost is None:
        return None
    return {"amount": cost.amount, "currency": cost.currency, "unpriced": cost.unpriced}


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
