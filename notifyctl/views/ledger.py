"""The contents of a ledger and the status of each notification: text and JSON. Counts only, no address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from notifyctl.model.ledger import BatchState, LedgerSummary, ScopeStatus
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.reasons import served_phrase

FORMAT_VERSION = "1.0"

WORDS = {
    BatchState.ACCEPTED: "accepted",
    BatchState.UNKNOWN: "uncertain",
    BatchState.ARMED: "in flight",
    BatchState.REJECTED: "rejected",
    BatchState.PLANNED: "not begun",
}
"""Displayed words of batch states; UNKNOWN is the plan's `uncertain`."""


def as_text(summary: LedgerSummary, *, colour: bool) -> str:
    paint = Paint(colour)
    lines = [
        f"{paint.bold('Ledger')} {summary.location}",
        f"  lineage    {summary.lineage}",
        f"  made       {format_time(summary.created_at)}",
        f"  schema     {summary.schema_version}",
        f"  serial     {summary.serial}",
        f"  opened     {pluralise(summary.scopes, 'edition')}",
        f"  batches    {format_counts(summary.batches)}",
        f"  recipients {format_counts(summary.recipients)}",
        f"  receipts   {summary.receipts:,}",
    ]
    return "\n".join(lines)


def format_counts(numbers: Mapping[BatchState, int]) -> str:
    return (
        ", ".join(f"{numbers[state]:,} {word}" for state, word in WORDS.items() if numbers.get(state))
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
        "batches": counts_by_word(summary.batches),
        "recipients": counts_by_word(summary.recipients),
        "receipts": summary.receipts,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def counts_by_word(numbers: Mapping[BatchState, int]) -> dict[str, int]:
    return {word.replace(" ", "_"): numbers.get(state, 0) for state, word in WORDS.items()}


OUTCOMES = ("accepted", "rejected", "uncertain", "not_begun")


def status_text(rows: Sequence[ScopeStatus], *, colour: bool) -> str:
    if not rows:
        return "Nothing was sent from this environment yet."
    paint = Paint(colour)
    return "\n".join(line for row in rows for line in _status(row, paint))


def _status(row: ScopeStatus, paint: Paint) -> Iterator[str]:
    scope = row.scope
    slot = "" if scope.occurrence == "once" else f" · {scope.occurrence}"
    head = f"{scope.channel.value} · edition {scope.edition}{slot} · {pluralise(row.total, 'recipient')}"
    yield f"{paint.bold(scope.notification)}  {paint.dim(head)}"
    shades = {
        "accepted": paint.green,
        "rejected": paint.red,
        "uncertain": paint.red,
        "not_begun": paint.yellow,
    }
    for outcome in OUTCOMES:
        number = getattr(row, outcome)
        if number:
            yield f"  {shades[outcome](outcome.replace('_', ' ').ljust(9))} {number:>9,}"
    if row.served:
        yield f"  {paint.dim('baseline ')} {row.served:>9,}  {served_phrase(row.baseline)}"
    if row.receipts:
        counts = ", ".join(f"{count:,} {strip_controls(status)}" for status, count in row.receipts.items())
        yield f"  receipts  {counts}"
    for reason, count in row.reasons.items():
        yield paint.dim(f"    {count:,}: {strip_controls(reason)}")


def status_json(rows: Sequence[ScopeStatus]) -> str:
    document = {"format_version": FORMAT_VERSION, "notifications": [_status_object(row) for row in rows]}
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
