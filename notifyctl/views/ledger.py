"""The contents of a ledger and the status of each notification: text and JSON. Counts only, no address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from notifyctl.command_line import command_line
from notifyctl.model.ledger import BatchState, LedgerSummary, ScopeStatus
from notifyctl.model.project import Environment
from notifyctl.plan.history import Status
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_occurrence, format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.decisions import decision_lines, decision_objects
from notifyctl.views.ledger_words import KEYS, LABELS
from notifyctl.views.reasons import served_phrase
from notifyctl.views.series import acceptance_lines, acceptance_object
from notifyctl.views.test_messages import test_lines, test_object

FORMAT_VERSION = "1.0"


def as_text(summary: LedgerSummary, *, colour: bool) -> str:
    paint = Paint(colour)
    lines = [
        f"{paint.bold('Ledger')} {summary.location}",
        f"  ledger ID         {summary.lineage}",
        f"  created           {format_time(summary.created_at)}",
        f"  schema            {summary.schema_version}",
        f"  records           {summary.serial:,}",
        f"  editions started  {summary.scopes:,}",
        f"  batches           {format_counts(summary.batches)}",
        f"  recipients        {format_counts(summary.recipients)}",
        f"  receipts          {summary.receipts:,}",
        f"  test messages     {summary.tests:,}",
        f"  acceptances       {summary.acceptances:,}",
    ]
    return "\n".join(lines)


def format_counts(numbers: Mapping[BatchState, int]) -> str:
    return (
        ", ".join(f"{numbers[state]:,} {label}" for state, label in LABELS.items() if numbers.get(state))
        or "none"
    )


def as_json(summary: LedgerSummary) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "lineage": summary.lineage,
        "location": summary.location,
        "schema_version": summary.schema_version,
        "serial": summary.serial,
        "created_at": summary.created_at.isoformat(),
        "editions": summary.scopes,
        "batches": counts_by_key(summary.batches),
        "recipients": counts_by_key(summary.recipients),
        "receipts": summary.receipts,
        "tests": summary.tests,
        "acceptances": summary.acceptances,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def counts_by_key(numbers: Mapping[BatchState, int]) -> dict[str, int]:
    return {key: numbers.get(state, 0) for state, key in KEYS.items()}


OUTCOMES = {
    "accepted": "accepted",
    "rejected": "not accepted",
    "uncertain": "outcome unknown",
    "not_begun": "not attempted",
    "expired": "expired",
}
"""Keys of outcomes in JSON, which are fields of ScopeStatus too, and what people read instead."""
LABEL_WIDTH = max(map(len, OUTCOMES.values()))


def status_text(status: Status, environment: Environment, *, colour: bool) -> str:
    paint = Paint(colour)
    return "\n".join(_status_lines(status, environment, paint))


def _status_lines(status: Status, environment: Environment, paint: Paint) -> Iterator[str]:
    if not status.scopes:
        yield f"No messages have been sent in environment `{environment.name}`."
    for row in status.scopes:
        yield from _status(row, environment, paint)
    yield from decision_lines(status.statements, status.resolutions, paint)
    yield from acceptance_lines(status.acceptances, status.timezone, paint)
    yield from test_lines(status.tests, paint)


def _status(row: ScopeStatus, environment: Environment, paint: Paint) -> Iterator[str]:
    scope = row.scope
    slot = "" if scope.occurrence == "once" else f" · {format_occurrence(scope.occurrence)}"
    head = f"{scope.channel.value} · edition {scope.edition}{slot} · {pluralise(row.total, 'recipient')}"
    yield f"{paint.bold(scope.notification)}  {paint.dim(head)}"
    shades = {
        "accepted": paint.green,
        "rejected": paint.red,
        "uncertain": paint.red,
        "not_begun": paint.yellow,
        "expired": paint.red,
    }
    for outcome, label in OUTCOMES.items():
        number = getattr(row, outcome)
        if number:
            yield f"  {shades[outcome](label.ljust(LABEL_WIDTH))} {number:>9,}"
    if row.served:
        label = paint.dim("baseline".ljust(LABEL_WIDTH))
        yield f"  {label} {row.served:>9,}  {served_phrase(row.baseline)}"
    if row.receipts:
        counts = ", ".join(f"{count:,} {strip_controls(status)}" for status, count in row.receipts.items())
        yield f"  {'receipts'.ljust(LABEL_WIDTH)}  {counts}"
    for reason, count in row.reasons.items():
        yield paint.dim(f"    {count:,}: {strip_controls(reason)}")
    if row.uncertain:
        yield paint.dim(
            f"    to resolve them, run: {command_line('resolve', scope.notification, env=environment.name)}"
        )


def status_json(status: Status) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "notifications": [_status_object(row) for row in status.scopes],
        "decisions": decision_objects(status.statements, status.resolutions),
        "acceptances": [acceptance_object(each) for each in status.acceptances],
        "tests": [test_object(each) for each in status.tests],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _status_object(row: ScopeStatus) -> dict[str, Any]:
    return {
        "name": row.scope.notification,
        "channel": row.scope.channel.value,
        "edition": row.scope.edition,
        "occurrence": row.scope.occurrence,
        "recipients": row.total,
        "outcomes": {**{outcome: getattr(row, outcome) for outcome in OUTCOMES}, "baseline": row.served},
        "baseline": row.baseline or None,
        "receipts": dict(row.receipts),
        "reasons": dict(row.reasons),
    }
