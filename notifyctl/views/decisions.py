"""The decisions in a ledger: text and JSON. What was resolved, withdrawn, moved, acknowledged or counted as notified, why and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from notifyctl.model.events import Resolution, Statement, StatementKind
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import Scope
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_occurrence, format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.reasons import served_phrase

RESOLVE = "resolve"


def describe_scope(scope: Scope) -> str:
    slot = "" if scope.occurrence == "once" else f", occurrence {format_occurrence(scope.occurrence)}"
    return f"{scope.notification} ({scope.channel}, edition {scope.edition}{slot})"


def decision_lines(
    statements: Sequence[Statement],
    resolutions: Sequence[Resolution],
    paint: Paint,
    *,
    latest_first: bool = False,
) -> Iterator[str]:
    """A section with one line for each decision, in the order of recording; nothing without decisions."""
    lines = [(each.at, _statement(each)) for each in statements]
    lines += [(each.at, _resolution(each)) for each in resolutions]
    if lines:
        yield paint.bold("Decisions")
    for at, line in sorted(lines, key=_moment, reverse=latest_first):
        yield f"  {format_time(at)}  {line}" if at else f"  {line}"


def _moment(entry: tuple[datetime | None, object]) -> float:
    return entry[0].timestamp() if entry[0] else 0.0


def _statement(statement: Statement) -> str:
    edition = f" edition {statement.edition}" if statement.edition else ""
    detail = strip_controls(statement.detail)
    sentence = {
        StatementKind.MOVED: f"renamed from `{detail}`",
        StatementKind.BASELINE: served_phrase(statement.detail),
        StatementKind.ACKNOWLEDGE: f"changed text {detail}",
    }.get(statement.kind, detail)
    return (
        f"{statement.kind.value}: {statement.notification}{edition}: {sentence}{describe_who(statement.who)}"
    )


def _resolution(each: Resolution) -> str:
    what = "sent" if each.kind is BatchState.ACCEPTED else "not sent"
    batches = ", ".join(map(str, each.batches))
    batch = f"{'batch' if len(each.batches) == 1 else 'batches'} {batches}"
    return (
        f"{RESOLVE}: {describe_scope(each.scope)}: {pluralise(each.recipients, 'recipient')} recorded as {what}"
        f" ({batch}): {strip_controls(each.reason or 'no reason given')}{describe_who(each.who)}"
    )


def describe_who(who: str | None) -> str:
    return f" · by {strip_controls(who)}" if who else ""


def decision_objects(
    statements: Sequence[Statement], resolutions: Sequence[Resolution], *, latest_first: bool = False
) -> list[dict[str, Any]]:
    found = [(each.at, statement_object(each)) for each in statements]
    found += [(each.at, resolution_object(each)) for each in resolutions]
    return [each for _, each in sorted(found, key=_moment, reverse=latest_first)]


def statement_object(each: Statement) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "notification": each.notification,
        "edition": each.edition,
        "detail": each.detail,
        "who": each.who,
        "at": each.at.isoformat() if each.at else None,
    }


def resolution_object(each: Resolution) -> dict[str, Any]:
    return {
        "kind": RESOLVE,
        "notification": each.scope.notification,
        "edition": each.scope.edition,
        "detail": each.reason,
        "who": each.who,
        "at": each.at.isoformat(),
        "channel": each.scope.channel.value,
        "occurrence": each.scope.occurrence,
        "as": "sent" if each.kind is BatchState.ACCEPTED else "not-sent",
        "recipients": each.recipients,
        "batches": list(each.batches),
    }
