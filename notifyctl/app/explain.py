"""The use case of `explain --recipient`: what the plan decides for one recipient, and what they were sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from notifyctl.app.ledger import facts_of
from notifyctl.app.plan import Past, derive, refuse_unknown
from notifyctl.app.resolve import normalise
from notifyctl.app.workspace import Workspace
from notifyctl.audience.former_addresses import known_keys
from notifyctl.model.events import Delivery, served_reason
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.plan.history import DeliveryRecord, Explanation, ServedRecord
from notifyctl.plan.statuses import MEMBER
from notifyctl.ports import LedgerReader


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
        served = tuple(find_served(facts.reader, names, keys))
        decisions = tuple(each for each in facts.reader.statements() if each.notification in names)
        return Explanation(plan, received, served, decisions)


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
            verdicts = reader.verdicts(batch.number) if batch.others else {}
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
                        verdict=verdicts.get(position),
                    )
