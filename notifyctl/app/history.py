"""Use cases of `history` and `explain`: what was done, when, by whom and from which commit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from notifyctl.app.ledger import facts_of, open_reader
from notifyctl.app.plan import Past, derive, refuse_unknown
from notifyctl.app.resolve import normalise
from notifyctl.app.workspace import Workspace
from notifyctl.audience.former_addresses import known_keys
from notifyctl.model.events import Delivery, served_reason
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.plan.history import (
    DeliveryRecord,
    Explanation,
    History,
    PastRun,
    ScopeActivity,
    ServedRecord,
)
from notifyctl.plan.statuses import MEMBER
from notifyctl.ports import LedgerReader


def history(workspace: Workspace, environment: Environment, *, notification: str | None = None) -> History:
    """Runs and statements, latest first; with `notification` those about it only."""
    with open_reader(workspace, environment) as reader:
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
            if did or notification is None:
                runs.append(PastRun(run, did))
        statements = [each for each in reader.statements() if notification in {None, each.notification}]
    return History(tuple(runs), tuple(reversed(statements)))


def explain(workspace: Workspace, environment: Environment, notification: str, address: str) -> Explanation:
    """What the plan decides for one recipient, and what they were sent. Raises UsageError for an unknown name or invalid address."""
    refuse_unknown([notification], workspace.sound)
    key = normalise(address)
    keys = set(known_keys(address, key))
    with facts_of(workspace, environment) as facts:
        plan = derive(workspace, environment, facts, only=(notification,), one=key, former_keys=keys)
        if facts.reader is None:
            return Explanation(plan, ())
        # What was sent under an earlier name is theirs too.
        names = Past(workspace.sound, facts).names(notification)
        received = tuple(find_received(facts.reader, names, keys))
        return Explanation(plan, received, tuple(find_served(facts.reader, names, keys)))


def find_served(
    reader: LedgerReader, names: Collection[str], keys: Collection[str]
) -> Iterator[ServedRecord]:
    """The scopes in which a baseline counts the recipient, under any of their keys, as served."""
    recipients = set(reader.recipient_ids(sorted(keys)))
    for scope in reader.scopes():
        if scope.notification in names and any(
            member in recipients
            for packed in reader.served(scope)
            for member, _ in MEMBER.iter_unpack(packed)
        ):
            yield ServedRecord(scope, served_reason(reader.statements(), scope))


def find_received(
    reader: LedgerReader, names: Collection[str], keys: Collection[str]
) -> Iterator[DeliveryRecord]:
    recipients = set(reader.recipient_ids(sorted(keys)))
    revisions = {run.epoch: run.revision for run in reader.runs()}
    for scope in reader.scopes():
        if scope.notification not in names:
            continue
        for batch in reader.facts(scope):
            for position in range(len(batch.members) // MEMBER_BYTES):
                member, fingerprint = MEMBER.unpack_from(batch.members, position * MEMBER_BYTES)
                if member in recipients:
                    yield DeliveryRecord(
                        scope=scope,
                        batch=batch.number,
                        attempt=batch.attempt,
                        state=batch.others.get(position, batch.state),
                        at=batch.at,
                        reason=batch.reason,
                        fingerprint=fingerprint.hex(),
                        revision=revisions.get(batch.epoch),
                        delivery=reader.deliveries(batch.number).get(position, Delivery()),
                    )
