"""Past runs, and what one recipient was sent: text and JSON, with commit and user, without addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from notifyctl.model.events import Delivery, Statement
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.history import DeliveryRecord, Explanation, History, PastRun
from notifyctl.plan.model import PlannedNotification
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.ledger import WORDS
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


def as_text(history: History, *, colour: bool) -> str:
    lines = list(_history(history, Paint(colour)))
    return "\n".join(lines) or "Nothing was done here yet."


def _history(history: History, paint: Paint) -> Iterator[str]:
    for each in history.runs:
        yield from _run(each, paint)
    if history.statements:
        yield paint.bold("Declared")
        yield from (f"  {_statement(statement)}" for statement in history.statements)


def _run(each: PastRun, paint: Paint) -> Iterator[str]:
    run = each.run
    commit = f" · from {run.revision}" if run.revision else ""
    ending = run.how or "broke off, or is at work"
    if ending == "finished" and not each.did:
        ending = "sent nothing"
    yield f"{paint.bold(f'run {run.epoch}')}  {format_time(run.started)} · {strip_controls(run.holder)}{commit} · {ending}"
    for did in each.did:
        counts = ", ".join(f"{count:,} {WORDS[state]}" for state, count in did.people.items())
        yield f"  {_scope(did.scope)}: {counts} in {pluralise(did.requests, 'request')}"


def _scope(scope: Scope) -> str:
    slot = "" if scope.occurrence == "once" else f" {scope.occurrence}"
    return f"{scope.notification} ({scope.channel}, edition {scope.edition}{slot})"


def _statement(statement: Statement) -> str:
    edition = f" edition {statement.edition}" if statement.edition else ""
    detail = strip_controls(statement.detail)
    detail = {"moved": f"was {detail}", "baseline": served_phrase(detail)}.get(statement.kind, detail)
    at = f"{format_time(statement.at)} " if statement.at else ""
    who = f", by {strip_controls(statement.who)}" if statement.who else ""
    return f"{at}{statement.kind}: {statement.notification}{edition}: {detail}{who}"


def as_json(history: History) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "runs": [_run_object(each) for each in history.runs],
        "statements": [
            {
                "kind": each.kind.value,
                "notification": each.notification,
                "edition": each.edition,
                "detail": each.detail,
                "who": each.who,
                "at": each.at.isoformat() if each.at else None,
            }
            for each in history.statements
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _run_object(each: PastRun) -> dict[str, Any]:
    run = each.run
    return {
        "run": run.epoch,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "how": run.how,
        "holder": run.holder,
        "tool": run.tool,
        "revision": run.revision,
        "sent": [
            {
                **_scope_object(did.scope),
                "requests": did.requests,
                "recipients": {
                    WORDS[state].replace(" ", "_"): did.people.get(state, 0) for state in BatchState
                },
            }
            for did in each.did
        ],
    }


def _scope_object(scope: Scope) -> dict[str, Any]:
    return {
        "notification": scope.notification,
        "channel": scope.channel.value,
        "edition": scope.edition,
        "occurrence": scope.occurrence,
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
    yield paint.bold("What they got")
    for each in found.served:
        yield f"  {_scope(each.scope)}: {served_phrase(each.reason)}; no request was made for it"
    if not found.got and not found.served:
        yield "  nothing was ever begun for them"
    for got in found.got:
        yield from _got(got, paint)


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
    yield f"  {format_time(got.at)}  {_scope(got.scope)}: {WORDS[got.state]}, batch {got.batch}{commit}"
    if got.reason:
        yield paint.dim(f"    {strip_controls(got.reason)}")
    yield paint.dim(f"    text d1:{got.fingerprint}; receipts: {_receipts(got.delivery)}")


def _receipts(delivery: Delivery) -> str:
    words = [delivery.status.value] if delivery.status else []
    words += ["clicked"] if delivery.clicked else []
    return " and ".join([*words, *(each.value for each in delivery.opt_outs)]) or "none"


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
                **_scope_object(got.scope),
                "batch": got.batch,
                "attempt": got.attempt,
                "outcome": WORDS[got.state].replace(" ", "_"),
                "at": got.at.isoformat(),
                "reason": got.reason,
                "delivery_hash": f"d1:{got.fingerprint}",
                "revision": got.revision,
                "receipt": got.delivery.status.value if got.delivery.status else None,
                "clicked": got.delivery.clicked,
                "opt_outs": [each.value for each in got.delivery.opt_outs],
            }
            for got in found.got
        ],
        "served": [{**_scope_object(each.scope), "baseline": each.reason} for each in found.served],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
