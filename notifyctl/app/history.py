"""The use case of `history`: what was done, when, by whom and from which commit."""

from __future__ import annotations

from collections import Counter, defaultdict

from notifyctl.app.ledger import ledger_store, open_reader, refuse_unknown_in_ledger
from notifyctl.app.names import refuse_unknown_name
from notifyctl.app.workspace import Workspace
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.plan.history import History, PastRun, ScopeActivity


def history(workspace: Workspace, environment: Environment, *, notification: str | None = None) -> History:
    """Runs and statements, latest first; with `notification` those about it only. None for an unused sandbox."""
    if environment.is_sandbox and not ledger_store(workspace, environment).exists():
        if notification is not None:
            refuse_unknown_name(notification, workspace.sound.notifications)
        return History((), ())
    with open_reader(workspace, environment) as reader:
        refuse_unknown_in_ledger(workspace, reader, notification)
        people: dict[tuple[int, Scope], Counter[BatchState]] = defaultdict(Counter)
        requests: Counter[tuple[int, Scope]] = Counter()
        for scope in reader.scopes():
            if notification is not None and scope.notification != notification:
                continue
            for batch in reader.facts(scope):
                counts = people[batch.epoch, scope]
                counts[batch.state] += len(batch.members) // MEMBER_BYTES - len(batch.others)
                counts.update(batch.others.values())
            for attempt in reader.attempts(scope):
                requests[attempt.epoch, scope] += 1
        runs = []
        for run in reversed(reader.runs()):
            did = tuple(
                ScopeActivity(
                    scope, {state: count for state, count in counts.items() if count}, requests[epoch, scope]
                )
                for (epoch, scope), counts in sorted(people.items())
                if epoch == run.epoch
            )
            tests = tuple(
                each
                for each in reader.tests()
                if each.epoch == run.epoch and notification in {None, each.message.notification}
            )
            if did or tests or notification is None:
                runs.append(PastRun(run, did, tests))
        statements = [each for each in reader.statements() if notification in {None, each.notification}]
        resolutions = [
            each for each in reader.resolutions() if notification in {None, each.scope.notification}
        ]
        acceptances = [each for each in reader.acceptances() if notification in {None, each.notification}]
    return History(
        tuple(runs),
        tuple(reversed(statements)),
        tuple(reversed(resolutions)),
        tuple(reversed(acceptances)),
        workspace.sound.timezone,
    )
