"""Why a recipient is or is not sent a notification, and what they were sent: text and JSON, without addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator

from notifyctl.model.events import Delivery, Verdict, VerdictSource, describe_verdict
from notifyctl.model.ledger import BatchState
from notifyctl.plan.actions import Action
from notifyctl.plan.history import DeliveryRecord, Explanation
from notifyctl.plan.model import PlannedNotification
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.decisions import decision_lines, decision_objects, describe_scope
from notifyctl.views.history import scope_object
from notifyctl.views.ledger import KEYS, LABELS
from notifyctl.views.plan import public_plan
from notifyctl.views.reasons import describe_reasons, served_phrase

FORMAT_VERSION = "1.0"

MEANS = {
    "uncertain": "nobody knows whether the provider had it; `notifyctl resolve` settles it",
    "unchanged": "they have just this",
    "changed-after-send": "they have another text, and nothing recalls it",
    "withdrawn": "it is withdrawn",
    "suppressed": "they are not written to",
    "baseline": "the next apply records it",
    "expired": "its time is past",
    "blocked": "it is held back",
    "deferred": "it is not due yet",
    "retry": "an earlier attempt was certainly not accepted",
    "send-new": "they joined the audience after the edition was opened",
    "resend": "they have a lower edition",
    "send": "they do not have it yet",
}


def explanation_text(found: Explanation, *, recipient: str, colour: bool) -> str:
    return "\n".join(_explained(found, recipient, Paint(colour)))


def _explained(found: Explanation, recipient: str, paint: Paint) -> Iterator[str]:
    plan = found.plan
    yield f"{paint.bold(recipient)} in {plan.environment}, as of {format_time(plan.as_of, plan.timezone)}"
    if not any(planned.actions for planned in plan.notifications):
        yield "Not in the audience of this notification."
    for planned in plan.notifications:
        yield from _verdict(planned, paint)
    yield paint.bold("Attempts")
    for each in found.served:
        yield f"  {describe_scope(each.scope)}: {served_phrase(each.reason)}; no request was made for it"
    if not found.got and not found.served:
        yield "  none"
    for got in found.got:
        yield from _got(got, paint)
    yield from decision_lines(found.statements, (), paint)


def _verdict(planned: PlannedNotification, paint: Paint) -> Iterator[str]:
    for action, count in planned.actions.items():
        if count:
            reasons = ", ".join(describe_reasons(planned.reasons.get(action, {}), action))
            will = "will get it" if action.sends else "will not get it"
            if action.value == "deferred":
                will = "will get it later"
            slot = "" if planned.occurrence == "once" else f" at {planned.occurrence}"
            head = f"{planned.name} ({planned.channel}, edition {planned.edition}{slot})"
            meaning = MEANS[action.value] + (f" ({reasons})" if reasons else "")
            if action in {Action.UNCHANGED, Action.BASELINE} and reasons:
                pending = f"; {MEANS['baseline']}" if action is Action.BASELINE else ""
                meaning = reasons + pending
            yield f"{head}: {paint.bold(will)}: {action.value}, {meaning}."
    for each in planned.left_out:
        yield f"  without {each.what}: {strip_controls(each.reason).replace('-', ' ')}"


def _got(got: DeliveryRecord, paint: Paint) -> Iterator[str]:
    commit = f", from {got.revision}" if got.revision else ""
    yield f"  {format_time(got.at)}  {describe_scope(got.scope)}: {LABELS[got.state]}, batch {got.batch}{commit}"
    reason = describe_verdict(got.verdict) if got.verdict is not None else got.reason
    if reason:
        yield paint.dim(f"    {strip_controls(reason)}")
    yield paint.dim(f"    text d1:{got.fingerprint}; receipts: {_receipts(got.delivery)}")


def _receipts(delivery: Delivery) -> str:
    words = [delivery.status.value] if delivery.status else []
    words += ["clicked"] if delivery.clicked else []
    return " and ".join([*words, *(each.value for each in delivery.opt_outs)]) or "none"


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


def explanation_json(found: Explanation, *, recipient: str) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "recipient": recipient,
        "notifications": [
            {
                key: each[key]
                for key in ("name", "channel", "edition", "occurrence", "actions", "reasons", "left_out")
            }
            for each in public_plan(found.plan)["notifications"]
        ],
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
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
