"""The result of an apply: text for the terminal, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from notifyctl.apply.run import Report
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.reasons import spell_out

FORMAT_VERSION = "1.0"


def as_text(plan: Plan, report: Report | None, *, colour: bool) -> str:
    return "\n".join(_lines(plan, report, Paint(colour)))


def _lines(plan: Plan, report: Report | None, paint: Paint) -> Iterator[str]:
    if report is None:
        have = sum(count_unchanged(planned) for planned in plan.notifications)
        already = (
            f" {pluralise(have, 'recipient')} already {'has' if have == 1 else 'have'} it." if have else ""
        )
        yield paint.green(f"Nothing to send.{already}")
    else:
        yield from _sent(plan, report, paint)
    for planned in plan.notifications:
        for reason, count in planned.reasons.get(Action.BASELINE, {}).items():
            yield f"{planned.name}: {count:,} {spell_out(reason)}"
    yield from _standing(plan, report, paint)


def count_unchanged(planned: PlannedNotification) -> int:
    """Recipients who have this very text, without those who are unchanged for another reason."""
    return planned.actions.get(Action.UNCHANGED, 0) - sum(planned.reasons.get(Action.UNCHANGED, {}).values())


def _sent(plan: Plan, report: Report, paint: Paint) -> Iterator[str]:
    yield paint.green(
        f"Sent to {pluralise(report.accepted, 'recipient')} in {pluralise(report.requests, 'request')}."
    )
    if report.rejected:
        yield paint.red(
            f"{pluralise(report.rejected, 'recipient')} certainly not accepted; the next plan shows them as retry."
        )
    if report.unknown:
        yield paint.red(
            f"{pluralise(report.unknown, 'recipient')} uncertain: the provider may or may not have them."
            " They are not sent again by themselves."
        )
    for reason, count in report.reasons.items():
        yield paint.dim(f"  {count:,}: {strip_controls(reason)}")
    if report.refused:
        yield paint.red(f"The run ended early: {strip_controls(report.refused)}")
    if report.expired:
        yield paint.red(
            f"⚠ {pluralise(report.expired, 'recipient')} not begun and expired: the window or the message ended before"
            " their turn. Nothing is sent to them any more."
        )
    goes_on = report.not_begun - report.expired
    if goes_on > 0:
        until = report.goes_on_until
        why = "Interrupted: " if report.interrupted else ""
        yield paint.yellow(
            f"{why}{pluralise(goes_on, 'recipient')} not begun; the next apply goes on with them"
            f"{'' if until is None else f' until {format_time(until, plan.timezone)}, when they expire'}."
        )
    elif report.interrupted:
        yield paint.yellow("Interrupted after the last request; all of it is recorded.")


def _standing(plan: Plan, report: Report | None, paint: Paint) -> Iterator[str]:
    summary = plan.summary
    if summary[Action.CHANGED]:
        changed = pluralise(summary[Action.CHANGED], "recipient")
        yield paint.red(
            f"{changed} already have another text; nothing recalls it, and nothing was sent to them."
        )
    if summary[Action.BLOCKED]:
        yield paint.red(
            f"{pluralise(summary[Action.BLOCKED], 'recipient')} blocked; `notifyctl plan` says why."
        )
    before = summary[Action.UNCERTAIN]
    if before and report is None:
        yield paint.red(
            f"{pluralise(before, 'recipient')} uncertain from an earlier run; a person must settle them."
        )
    if plan.rejected_rows:
        rejected = pluralise(plan.rejected_rows, "rejected row")
        yield paint.yellow(f"⚠ {rejected}: nothing was sent to them; `notifyctl plan` lists them.")
    if summary[Action.DEFERRED]:
        yield paint.dim(f"{pluralise(summary[Action.DEFERRED], 'recipient')} deferred until they are due.")


def as_json(plan: Plan, report: Report | None) -> str:
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "environment": plan.environment,
        "digest": plan.digest,
        "summary": {action.value: count for action, count in plan.summary.items()},
        "rejected_rows": plan.rejected_rows,
        "requests": report.requests if report else 0,
        "outcomes": {
            "accepted": report.accepted if report else 0,
            "rejected": report.rejected if report else 0,
            "uncertain": report.unknown if report else 0,
            "not_begun": report.not_begun if report else 0,
            "expired": report.expired if report else 0,
        },
        "reasons": dict(report.reasons) if report else {},
        "refused": report.refused if report else None,
        "interrupted": bool(report and report.interrupted),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
