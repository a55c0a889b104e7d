"""Past runs of an environment: text and JSON, with commit and user, without addresses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import Scope
from notifyctl.plan.history import History, PastRun
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.decisions import decision_lines, decision_objects, describe_scope
from notifyctl.views.ledger_words import KEYS, LABELS
from notifyctl.views.series import acceptance_lines, acceptance_object
from notifyctl.views.test_messages import describe_test, test_object

FORMAT_VERSION = "1.0"

RUNNING = "interrupted or still running"
ENDINGS = {
    "finished": "completed",
    "interrupted": "interrupted",
    "KeyboardInterrupt": "interrupted",
    "InterruptedRunError": "interrupted",
    "SystemExit": "interrupted",
    "adopted": "ledger adopted",
    "unlocked": "lock taken over",
    "PlanRefusedError": "refused: plan not confirmed or changed",
    "LedgerError": "ledger error",
    "UnseenLedgerError": "ledger error",
    "OverloadedError": "ledger error: too many receipts waited",
    "LedgerLockedError": "ledger error: another run took over the lock",
    "HaltedError": "halted",
    "SettingsError": "configuration error",
    "ProviderError": "provider error",
    "UsageError": "wrong usage",
    "ProjectError": "error in the project's files",
    "AcceptanceRefusedError": "refused: another person must accept, or prove who they are",
    "AbsentAudienceError": "audience not available",
    "UntrustedError": "refused: untrusted project",
}
"""How the ledger records the end of a run, by a word or the class of the error that ended it → what people read."""
BUG = "unexpected error in notifyctl"


def as_text(history: History, environment: Environment, *, colour: bool) -> str:
    lines = list(_history(history, Paint(colour)))
    return "\n".join(lines) or f"No runs recorded in environment `{environment.name}`."


def _history(history: History, paint: Paint) -> Iterator[str]:
    for each in history.runs:
        yield from _run(each, paint)
    yield from decision_lines(history.statements, history.resolutions, paint, latest_first=True)
    yield from acceptance_lines(history.acceptances, history.timezone, paint)


def _run(each: PastRun, paint: Paint) -> Iterator[str]:
    run = each.run
    facts = [format_time(run.started), *([run.actor] if run.actor else []), run.holder]
    facts += [f"commit {run.revision}"] if run.revision else []
    head = " · ".join(strip_controls(fact) for fact in (*facts, describe_ending(each)))
    yield f"{paint.bold(f'run {run.epoch}')}  {head}"
    for did in each.did:
        counts = ", ".join(f"{count:,} {LABELS[state]}" for state, count in did.people.items())
        yield f"  {describe_scope(did.scope)}: {counts} in {pluralise(did.requests, 'request')}"
    for test in each.tests:
        yield f"  {describe_test(test)}"


def describe_ending(each: PastRun) -> str:
    """How a run ended, as a phrase; an error is never named by its class."""
    if each.run.how is None:
        return RUNNING
    ending = ENDINGS.get(each.run.how, BUG)
    sent_nothing = each.run.how == "finished" and not (each.tests or any(did.requests for did in each.did))
    return f"{ending}, no messages sent" if sent_nothing else ending


def as_json(history: History) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "runs": [_run_object(each) for each in history.runs],
        "statements": decision_objects(history.statements, history.resolutions, latest_first=True),
        "acceptances": [acceptance_object(each) for each in history.acceptances],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _run_object(each: PastRun) -> dict[str, Any]:
    run = each.run
    return {
        "run": run.epoch,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "how": run.how,
        "ending": describe_ending(each),
        "actor": run.actor,
        "holder": run.holder,
        "tool": run.tool,
        "revision": run.revision,
        "sent": [
            {
                **scope_object(did.scope),
                "requests": did.requests,
                "recipients": {KEYS[state]: did.people.get(state, 0) for state in BatchState},
            }
            for did in each.did
        ],
        "tests": [test_object(test) for test in each.tests],
    }


def scope_object(scope: Scope) -> dict[str, Any]:
    return {
        "notification": scope.notification,
        "channel": scope.channel.value,
        "edition": scope.edition,
        "occurrence": scope.occurrence,
    }
