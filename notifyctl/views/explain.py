"""Why a recipient is or is not sent a notification, and what they were sent: text and JSON, with masked addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from notifyctl.audience.row_trace import NearRow, RowOutcome, TracedRow
from notifyctl.command_line import command_line
from notifyctl.diagnostics import Location
from notifyctl.model.events import Delivery, Verdict, VerdictSource, describe_verdict
from notifyctl.model.ledger import BatchState
from notifyctl.plan.actions import Action
from notifyctl.plan.history import DeliveryRecord, Explained, Explanation, Standing
from notifyctl.plan.model import Probed
from notifyctl.recipients.zones import ZoneSource
from notifyctl.schedule.moments import Moments, format_occurrence, format_slot, format_time
from notifyctl.views.as_of import as_of_object, describe_as_of, plan_as_of
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.decisions import decision_lines, decision_objects, describe_scope
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.history import scope_object
from notifyctl.views.ledger_words import KEYS, LABELS
from notifyctl.views.reasons import TOO_EARLY, served_phrase, spell_out
from notifyctl.views.test_messages import describe_test, test_object

FORMAT_VERSION = "1.0"

MOST_NEAR = 5
"""Rows shown whose address comes near."""


def explanation_text(found: Explanation, *, recipient: str, colour: bool) -> str:
    return "\n".join(_explained(found, recipient, Paint(colour)))


def _explained(found: Explanation, recipient: str, paint: Paint) -> Iterator[str]:
    plan = found.plan
    yield f"{paint.bold(recipient)} in environment {plan.environment}, {plan_as_of(plan)}"
    if not_now := describe_as_of(plan):
        yield paint.yellow(not_now)
    if not found.has_ledger:
        yield paint.yellow(f"Environment `{plan.environment}` has no ledger here: earlier sends are unknown.")
    yield from _standings(found, paint)
    yield paint.bold("Attempts")
    for each in found.served:
        yield f"  {describe_scope(each.scope)}: {served_phrase(each.reason)}; no request was made for it"
    if not found.got and not found.served:
        yield "  none" if found.has_ledger else "  unknown"
    for got in found.got:
        yield from _got(got, paint)
    yield from decision_lines(found.statements, (), paint)
    if found.tests:
        yield paint.bold("Test messages (not counted as sent to a recipient)")
    for test, *roles in found.tests:
        yield f"  {describe_test(test)} · {describe_roles(*roles)}"


def describe_roles(values: bool, to: bool) -> str:  # noqa: FBT001 - as in Explanation.tests
    return " and ".join(["with this recipient's values"] * values + ["sent to this address"] * to)


def _standings(found: Explanation, paint: Paint) -> Iterator[str]:
    """One paragraph for each notification; those that do not concern the recipient in one line."""
    alone = len(found.explained) == 1
    absent = [each for each in found.explained if each.standing is Standing.ABSENT]
    other = [each for each in found.explained if each.standing is Standing.OTHER_CHANNEL]
    shown = [each for each in found.explained if alone or each not in {*absent, *other}]
    for each in shown:
        yield from _standing(each, found.plan.environment, found.plan.as_of, paint)
    if not shown:
        rows = sum(each.trace.total for each in absent if each.trace is not None)
        yield (
            f"Not in any audience of this project ({pluralise(len(absent), 'notification')},"
            f" {pluralise(rows, 'row')} searched)."
        )
        yield from unreadable_lines(absent)
    elif absent and not alone:
        yield f"Not in the audience of: {', '.join(each.notification for each in absent)}"
    if other and not alone:
        kinds = "phone numbers" if other[0].channel != "email" else "email addresses"
        yield f"Not searched, because they send to {kinds}: {', '.join(each.notification for each in other)}"
    if found.elsewhere:
        yield f"In the audience of: {', '.join(found.elsewhere)}"
    if not any(each.trace is not None and each.trace.rows for each in found.explained):
        yield from near_lines(found)


def near_lines(found: Explanation) -> Iterator[str]:
    """The rows whose address is nearly this one, each once."""
    near: dict[Location, NearRow] = {}
    for each in found.explained:
        for row in each.trace.near if each.trace is not None else ():
            near.setdefault(row.location, row)
    if near:
        yield "Nearest addresses:"
    for row in list(near.values())[:MOST_NEAR]:
        yield f"  {place(row.location, row.label)}: {row.address}"


def unreadable_lines(explained: list[Explained]) -> Iterator[str]:
    """Rows that may hold the address, since they cannot be read."""
    seen = set()
    for each in explained:
        trace = each.trace
        if trace is not None and trace.first_broken is not None and trace.first_broken not in seen:
            seen.add(trace.first_broken)
            yield (
                f"  {pluralise(trace.broken, 'row')} of audience `{each.audience}` cannot be read and may contain the address,"
                f" the first at {trace.first_broken}"
            )


def _standing(each: Explained, environment: str, now: datetime, paint: Paint) -> Iterator[str]:
    head = f"{each.notification} ({each.channel}, edition {each.edition})"
    for probed in each.probed:
        verdict, why = verdict_of(probed, each.zone)
        yield f"{describe_scope(probed.scope)}: {paint.bold(verdict)}: {why}"
        if probed.action is Action.UNCERTAIN:
            yield f"  to resolve it, run: {command_line('resolve', each.notification, env=environment)}"
        for left in probed.left_out:
            yield f"  without {left.what}: {spell_out(left.reason)}"
    if not each.probed:
        verdict, why = sentence_of(each, now)
        yield f"{head}: {paint.bold(verdict)}{': ' if why else ''}{why}"
    yield from (f"  {line}" for line in detail_lines(each, now))


SENTENCES = {
    Action.SEND: "not sent yet",
    Action.SEND_NEW: "added to the audience after edition {edition} started",
    Action.RESEND: "was sent an earlier edition",
    Action.UNCERTAIN: "the outcome of an earlier attempt is unknown",
    Action.CHANGED: "was already sent a different text of edition {edition}",
    Action.WITHDRAWN: "edition {edition} was withdrawn ({reason})",
    Action.BASELINE: "{reason}; the next apply records it",
}
"""Of other actions the reason is the sentence."""
WITHOUT_REASON = {Action.UNCHANGED: "already sent"}
VERDICTS = {Action.DEFERRED: "will be sent later", Action.BLOCKED: "blocked"}


def verdict_of(probed: Probed, zone: str) -> tuple[str, str]:
    """What the plan decides of a recipient, and why."""
    action = probed.action
    reason = spell_out(probed.reason, action) if probed.reason else WITHOUT_REASON.get(action, action.value)
    sentence = SENTENCES.get(action, "{reason}").format(edition=probed.scope.edition, reason=reason)
    if probed.reason == TOO_EARLY and probed.until is not None:
        return (
            "hand-off refused",
            f"{reason}; possible from {format_time(probed.until, zone)}, with another apply",
        )
    if action is Action.DEFERRED and probed.until is not None:
        sentence += f"; next possible time {format_time(probed.until, zone)}"
    if probed.replaced is not None:
        sentence += f"; the later one is sent from {format_time(probed.replaced, zone)}"
    if probed.send_at is not None:
        when = "handed to the provider now" if action.sends else "handed to the provider before"
        sentence += f"; {when}, delivered {format_time(probed.send_at, zone)}, cannot be recalled"
    return VERDICTS.get(action, "will be sent" if action.sends else "will not be sent"), sentence


def sentence_of(each: Explained, now: datetime) -> tuple[str, str]:
    """The same where the plan has nothing of the recipient."""
    trace = each.trace
    rows = trace.rows if trace is not None else ()
    match each.standing:
        case Standing.WAITING:
            if each.next is None:
                return "in the audience", "no further occurrence is due"
            return "in the audience", f"next due {slot_time(each.next.due, each.zone, now)}"
        case Standing.SUPPRESSED:
            row = trace.recipient if trace is not None else None
            return "will not be sent", spell_out(row.suppression or "") if row is not None else ""
        case Standing.WITHDRAWN:
            return (
                "will not be sent",
                f"edition {each.edition} was withdrawn ({strip_controls(each.withdrawn or '')})",
            )
        case Standing.REJECTED:
            return "not in this plan: row rejected", rejected_rows(rows)
        case Standing.FILTERED:
            places = ", ".join(
                place(row.location, row.label) for row in rows if row.outcome is RowOutcome.FILTERED
            )
            return "not in this plan: filtered out by `where`", f"{places} does not match `{each.where}`"
        case Standing.UNKNOWN:
            return "unknown", strip_controls(each.problem)
        case Standing.OTHER_CHANNEL:
            kind = "email addresses" if each.channel == "email" else "phone numbers"
            return f"not searched: it sends to {kind}", ""
    rows_searched = pluralise(trace.total if trace is not None else 0, "row")
    return f"not in the audience `{each.audience}` ({each.source}, {rows_searched} searched)", ""


def rejected_rows(rows: tuple[TracedRow, ...]) -> str:
    return "; ".join(describe_row(row) for row in rows if row.outcome is RowOutcome.REJECTED)


def describe_row(row: TracedRow) -> str:
    """Where a row is, and what is to be said of it. A source without lines has the number of the row in its sentence."""
    where = row.location.file if row.detail.startswith(row.label) else place(row.location, row.label)
    return f"{where}: {strip_controls(row.detail)}" if row.detail else where


def detail_lines(each: Explained, now: datetime) -> Iterator[str]:
    """What is to be known beside the verdict: where it is said, other rows, when it is due next."""
    for listing in each.listings:
        yield f"listed in {listing.location.file}:{listing.location.line}: {spell_out(listing.reason)}"
    for reason, at in each.opt_outs:
        yield f"reported by a receipt at {format_time(at)}: {spell_out(reason)}"
    if each.fence is not None:
        yield f"allow-list: `fence` at {each.fence.file}:{each.fence.line}"
    rows = each.trace.rows if each.trace is not None else ()
    for row in rows:
        if each.in_audience and row.outcome is not RowOutcome.FILTERED:
            yield f"{ROWS[row.outcome]} {describe_row(row)}"
    yield from recipient_lines(each)
    if each.standing is Standing.ABSENT:
        yield from (line.strip() for line in unreadable_lines([each]))
    if each.waits is not None:
        yield f"waits for acceptance: {spell_out(each.waits)}; `run` and `apply --accepted` do not send it"
    if each.in_audience:
        yield from schedule_lines(each, now)


def recipient_lines(each: Explained) -> Iterator[str]:
    """What the row of a recipient lacks, and what does not show in the verdict."""
    row = each.trace.recipient if each.trace is not None else None
    if row is None:
        return
    decided = [*each.probed, *([each.foreseen] if each.foreseen is not None else [])]
    if row.locale and decided and decided[0].variant is None:
        yield f"locale `{strip_controls(row.locale)}`: reads the default text"
    if each.zone_source is not None:
        yield f"time zone {strip_controls(each.zone)}, {ZONE_SOURCES[each.zone_source]}"
    if each.withdrawn is not None and {probed.action for probed in each.probed} & SENT:
        withdrawn = strip_controls(each.withdrawn)
        yield f"edition {each.edition} is withdrawn: {withdrawn}; no further recipients are sent it"


ZONE_SOURCES = {
    ZoneSource.AUDIENCE: "from the row",
    ZoneSource.COUNTRY: "from the number's country",
    ZoneSource.PROJECT: "the project's: the row has none",
}


SENT = frozenset({Action.UNCHANGED, Action.CHANGED, Action.UNCERTAIN})
NEVER = frozenset({Action.WITHDRAWN, Action.SUPPRESSED})


def schedule_lines(each: Explained, now: datetime) -> Iterator[str]:
    """What came before the next occurrence, and what will become of it."""
    waits = each.standing is Standing.WAITING
    if not waits and (each.standing is not Standing.PLANNED or {p.action for p in each.probed} & NEVER):
        return
    if waits and each.foreseen is not None:
        yield from (f"then {line}" for line in foreseen_lines(each.foreseen, each.zone))
    if each.missed is not None:
        yield f"last occurrence {format_occurrence(each.missed.scope.occurrence)}: not sent: {spell_out(each.missed.reason or '')}"
    for slot in each.skipped:
        yield f"skipped: {slot_time(slot.due, each.zone, now)}: {spell_out(slot.skipped or '')}"
    if each.next is None:
        return
    if not waits:
        yield f"next occurrence: {slot_time(each.next.due, each.zone, now)}"
    if each.next.moved and each.next.goes is not None:
        yield f"then sent from {slot_time(each.next.goes, each.zone, now)}: {spell_out(each.next.moved)}"


EXPECTED = frozenset({Action.SEND, Action.SEND_NEW, Action.RESEND, Action.DEFERRED})


def foreseen_lines(probed: Probed, zone: str) -> Iterator[str]:
    """What stands in the way of the next occurrence; nothing if it will be sent."""
    if probed.action not in EXPECTED:
        verdict, why = verdict_of(probed, zone)
        yield f"{verdict}, as things are now: {why}"


ROWS = {
    RowOutcome.RECIPIENT: "row",
    RowOutcome.DUPLICATE: "duplicate row",
    RowOutcome.REJECTED: "rejected row",
}


def place(location: Location, label: str) -> str:
    """FILE:LINE, or the number of the row where a source has no lines."""
    return f"{location.file}:{location.line}" if label.startswith("line") else f"{location.file}, {label}"


def slot_time(moment: datetime, zone: str, now: datetime) -> str:
    return format_slot(Moments(zone, None, moment, moment), now)


def _got(got: DeliveryRecord, paint: Paint) -> Iterator[str]:
    commit = f", commit {got.revision}" if got.revision else ""
    yield f"  {format_time(got.at)}  {describe_scope(got.scope)}: {LABELS[got.state]}, batch {got.batch}{commit}"
    reason = describe_verdict(got.verdict) if got.verdict is not None else got.reason
    if reason:
        yield paint.dim(f"    {strip_controls(reason)}")
    yield paint.dim(f"    text d1:{got.fingerprint}; receipts: {_receipts(got.delivery)}")


def _receipts(delivery: Delivery) -> str:
    words = [delivery.status.value] if delivery.status else []
    words += ["clicked"] if delivery.clicked else []
    return " and ".join([*words, *(each.value for each in delivery.opt_outs)]) or "none"


def explanation_json(found: Explanation, *, recipient: str) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "recipient": recipient,
        "environment": found.plan.environment,
        **as_of_object(found.plan.as_of, found.plan.made_at),
        "ledger": found.plan.lineage,
        "notifications": [_probed_object(probed) for each in found.explained for probed in each.probed],
        "verdicts": [_standing_object(each, found.plan.as_of) for each in found.explained],
        "elsewhere": list(found.elsewhere),
        "received": [
            {
                **scope_object(got.scope),
                "batch": got.batch,
                "attempt": got.attempt,
                "outcome": KEYS[got.state],
                "at": got.at.isoformat(),
                "reason": got.reason,
                "resolved": _verdict_object(got.verdict),
                "delivery_hash": f"d1:{got.fingerprint}",
                "revision": got.revision,
                "receipt": got.delivery.status.value if got.delivery.status else None,
                "clicked": got.delivery.clicked,
                "opt_outs": [each.value for each in got.delivery.opt_outs],
            }
            for got in found.got
        ],
        "served": [{**scope_object(each.scope), "baseline": each.reason} for each in found.served],
        "decisions": decision_objects(found.statements, ()),
        "tests": [
            {**test_object(test), "values_of": values, "sent_to": to} for test, values, to in found.tests
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _probed_object(probed: Probed) -> dict[str, Any]:
    """As of a notification in the JSON of a plan, for one recipient."""
    reasons = {probed.action.value: {probed.reason: 1}} if probed.reason else {}
    return {
        "name": probed.scope.notification,
        "channel": probed.scope.channel.value,
        "edition": probed.scope.edition,
        "occurrence": probed.scope.occurrence,
        "actions": {probed.action.value: 1},
        "reasons": reasons,
        "left_out": [{"what": each.what, "reason": each.reason, "recipients": 1} for each in probed.left_out],
        "until": probed.until.isoformat() if probed.until else None,
        "replaced": probed.replaced.isoformat() if probed.replaced else None,
    }


def _standing_object(each: Explained, now: datetime) -> dict[str, Any]:
    sentences = [verdict_of(probed, each.zone) for probed in each.probed] or [sentence_of(each, now)]
    return {
        "notification": each.notification,
        "channel": each.channel.value,
        "edition": each.edition,
        "audience": each.audience,
        "source": each.source,
        "verdict": each.standing.value,
        "sentences": [": ".join(filter(None, sentence)) for sentence in sentences],
        "in_audience": each.in_audience,
        "withdrawn": each.withdrawn,
        "waits": each.waits,
        "rows": [
            {**_place_object(row.location), "outcome": row.outcome.value, "detail": row.detail or None}
            for row in (each.trace.rows if each.trace is not None else ())
        ],
        "suppressed_by": [
            {**_place_object(listing.location), "reason": listing.reason} for listing in each.listings
        ],
        "opt_outs": [{"reason": reason, "at": at.isoformat()} for reason, at in each.opt_outs],
        "next_due": each.next.due.isoformat() if each.next is not None and each.in_audience else None,
        "timezone": each.zone if each.zone_source is not None else None,
        "timezone_source": each.zone_source.value if each.zone_source is not None else None,
        "near": [
            {**_place_object(row.location), "address": row.address}
            for row in (each.trace.near if each.trace is not None else ())
        ],
    }


def _place_object(location: Location) -> dict[str, Any]:
    return {"file": location.file, "line": location.line}


def _verdict_object(verdict: Verdict | None) -> dict[str, str | None] | None:
    """The decision by `resolve` that settled an outcome, if one did."""
    if verdict is None or verdict.source is not VerdictSource.RESOLVE:
        return None
    return {
        "as": "sent" if verdict.kind is BatchState.ACCEPTED else "not-sent",
        "reason": verdict.reason,
        "who": verdict.who,
        "at": verdict.at.isoformat() if verdict.at else None,
    }
