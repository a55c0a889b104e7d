"""The result of an apply: text for the terminal, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from notifyctl.apply.run import Report
from notifyctl.command_line import command_line
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.plan.next_send import NextSend
from notifyctl.plan.series import waits_for_acceptance
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_occurrence, format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.next_send import next_line, next_object
from notifyctl.views.reasons import spell_out
from notifyctl.views.times import describe_lapsed, describe_missed, describe_refusal, is_refused
from notifyctl.views.upcoming import moments_object

FORMAT_VERSION = "1.0"


def as_text(plan: Plan, report: Report | None, *, following: NextSend | None = None, colour: bool) -> str:
    """`following`: what is due next."""
    lines = [*_lines(plan, report, Paint(colour), says_next=following is not None)]
    if following is not None:
        lines.append(next_line(following, plan.as_of, plan.timezone, env=plan.environment))
    return "\n".join(lines)


def _lines(plan: Plan, report: Report | None, paint: Paint, *, says_next: bool) -> Iterator[str]:
    if report is None:
        have = sum(count_unchanged(planned) for planned in plan.notifications)
        already = f": already sent to {pluralise(have, 'recipient')}" if have else ""
        yield paint.green(f"Nothing to send{already}.")
    else:
        yield from _sent(plan, report, paint)
    for planned in plan.notifications:
        for reason, count in planned.reasons.get(Action.BASELINE, {}).items():
            yield f"{planned.name}: {pluralise(count, 'recipient')} {spell_out(reason)}"
    yield from _standing(plan, report, paint, says_next=says_next)


def count_unchanged(planned: PlannedNotification) -> int:
    """Recipients who were sent this very text, without those who are unchanged for another reason."""
    return planned.actions.get(Action.UNCHANGED, 0) - sum(planned.reasons.get(Action.UNCHANGED, {}).values())


def _sent(plan: Plan, report: Report, paint: Paint) -> Iterator[str]:
    if report.accepted:
        yield paint.green(
            f"Sent to {pluralise(report.accepted, 'recipient')} in {pluralise(report.requests, 'request')}."
        )
    else:
        tried = f" ({pluralise(report.requests, 'request')}, none accepted)" if report.requests else ""
        yield f"Nothing sent{tried}."
    if report.rejected:
        yield paint.red(
            f"{pluralise(report.rejected, 'recipient')}: not accepted. The next plan lists them as `retry`."
        )
    if report.unknown:
        yield paint.red(
            f"{pluralise(report.unknown, 'recipient')}: outcome unknown. The provider may have accepted them; they are"
            " not retried."
        )
    for reason, count in report.reasons.items():
        yield paint.dim(f"  {count:,}: {strip_controls(reason)}")
    if report.unknown:
        yield f"To resolve them, run: {command_line('resolve')}"
    if report.refused:
        yield paint.red(f"The run ended early: {strip_controls(report.refused)}")
    if report.expired:
        yield paint.red(
            f"⚠ {pluralise(report.expired, 'recipient')}: not attempted, and expired: the sending window closed, or the"
            " message expired, before it was sent. Nothing is sent to them any more."
        )
    left = report.not_begun - report.expired
    if left > 0:
        until = report.goes_on_until
        why = "Interrupted. " if report.interrupted else ""
        expiry = "" if until is None else f" They expire at {format_time(until, plan.timezone)}."
        yield paint.yellow(
            f"{why}{pluralise(left, 'recipient')}: not attempted.{expiry} To continue with them, run:"
            f" {command_line('apply')}"
        )
    elif report.interrupted:
        yield paint.yellow("Interrupted after the last request. All outcomes are recorded.")


def _standing(plan: Plan, report: Report | None, paint: Paint, *, says_next: bool) -> Iterator[str]:
    summary = plan.summary
    if summary[Action.CHANGED]:
        changed = pluralise(summary[Action.CHANGED], "recipient")
        yield paint.red(f"{changed}: already sent a different text. Nothing was sent to them.")
    unaccepted = list(find_waiting(plan))
    for planned, reason, recipients in unaccepted:
        yield paint.red(
            f"{name_occurrence(planned)}: {pluralise(recipients, 'recipient')} waiting: {spell_out(reason)}"
        )
    others = summary[Action.BLOCKED] - sum(recipients for _, _, recipients in unaccepted)
    if others:
        blocked = pluralise(others, "recipient")
        yield paint.red(f"{blocked}: blocked. To see why, run: {command_line('plan')}")
    before = summary[Action.UNCERTAIN]
    if before and report is None:
        yield paint.red(
            f"{pluralise(before, 'recipient')}: outcome unknown from an earlier run. To resolve them, run:"
            f" {command_line('resolve')}"
        )
    if plan.rejected_rows:
        rejected = pluralise(plan.rejected_rows, "rejected row")
        yield paint.yellow(
            f"⚠ {rejected}: nothing was sent to them. To list them, run: {command_line('lint', '--all')}"
        )
    yield from _expired(plan, paint)
    refused = [planned for planned in plan.notifications if is_refused(planned)]
    for planned in refused:
        count = pluralise(planned.actions[Action.DEFERRED], "recipient")
        yield paint.red(f"{name_occurrence(planned)}: {count} {describe_refusal(planned, plan.as_of)}.")
    waiting = summary[Action.DEFERRED] - sum(planned.actions[Action.DEFERRED] for planned in refused)
    if waiting:
        # What sends them stands in the line that says what is next.
        hint = "" if says_next else f" To send them when they are due, run: {command_line('apply')}"
        yield paint.dim(f"{pluralise(waiting, 'recipient')}: deferred.{hint}")


def _expired(plan: Plan, paint: Paint) -> Iterator[str]:
    """Who is not sent anything because it is late: each occurrence that was missed lately, and the others together."""
    for planned in plan.notifications:
        if missed := describe_missed(planned):
            yield paint.red(f"⚠ {name_occurrence(planned)}: {missed}.")
    for planned in plan.notifications:
        if planned.lapsed is not None and planned.lapsed.missed:
            yield paint.red(
                f"⚠ {planned.name}: {describe_lapsed(planned.lapsed, planned.timezone or 'UTC')}."
            )
    others = plan.summary[Action.EXPIRED] - plan.missed
    if others > 0:
        yield paint.dim(
            f"{pluralise(others, 'recipient')}: expired earlier, or replaced by a later occurrence."
        )


def moments_object_of(planned: PlannedNotification, name: str) -> dict[str, Any] | None:
    moments = planned.times.get(name)
    return moments_object(moments) if moments is not None else None


def name_occurrence(planned: PlannedNotification) -> str:
    slot = "" if planned.occurrence == "once" else f" ({format_occurrence(planned.occurrence)})"
    return f"{planned.name}{slot}"


def find_waiting(plan: Plan) -> Iterator[tuple[PlannedNotification, str, int]]:
    """Those who are not sent to because nobody accepted it, with the reason."""
    for planned in plan.notifications:
        for reason, count in planned.reasons.get(Action.BLOCKED, {}).items():
            if waits_for_acceptance(reason):
                yield planned, reason, count


def as_json(plan: Plan, report: Report | None, *, following: NextSend | None = None) -> str:
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": plan.environment,
        "digest": plan.digest,
        "summary": {action.value: count for action, count in plan.summary.items()},
        "rejected_rows": plan.rejected_rows,
        "missed": [
            {
                "name": planned.name,
                "edition": planned.edition,
                "occurrence": planned.occurrence,
                "recipients": planned.missed,
                "expired_at": moments_object_of(planned, "expired_at"),
            }
            for planned in (*plan.notifications, *plan.folded)
            if planned.missed
        ],
        "hand_off_refused": [
            {
                "name": planned.name,
                "edition": planned.edition,
                "occurrence": planned.occurrence,
                "recipients": planned.actions[Action.DEFERRED],
                "possible_from": moments_object_of(planned, "deferred_until"),
            }
            for planned in plan.notifications
            if is_refused(planned)
        ],
        "requests": report.requests if report else 0,
        "outcomes": {
            "accepted": report.accepted if report else 0,
            "rejected": report.rejected if report else 0,
            "uncertain": report.unknown if report else 0,
            "not_begun": report.not_begun if report else 0,
            "expired": report.expired if report else 0,
        },
        "waiting": [
            {
                "name": planned.name,
                "channel": planned.channel.value,
                "edition": planned.edition,
                "occurrence": planned.occurrence,
                "recipients": count,
                "reason": reason,
            }
            for planned, reason, count in find_waiting(plan)
        ],
        "reasons": dict(report.reasons) if report else {},
        "refused": report.refused if report else None,
        "interrupted": bool(report and report.interrupted),
        "next": next_object(following),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
