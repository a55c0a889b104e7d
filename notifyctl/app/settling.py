"""`resolve` and `withdraw` as use cases: a person says what the ledger cannot know, and the ledger keeps who and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from notifyctl.app.ledgers import existing, holder, ledger_store
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import email, msisdn
from notifyctl.errors import LedgerError, UsageError
from notifyctl.git import current_revision
from notifyctl.model.events import (
    UNSETTLED,
    Statement,
    StatementKind,
    UnresolvedBatch,
    Verdict,
    VerdictSource,
)
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import Environment
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.plan.standing import MEMBER
from notifyctl.ports import LedgerReader

QUARANTINE = timedelta(minutes=15)
"""How old an uncertain attempt must be before somebody may say that it was not sent: a runner that was stopped between its
record and its request gives up long before (`apply.run.SEND_BY`).
"""


def key_of(address: str) -> str:
    """An address as it is hashed. Raises UsageError for what is none."""
    try:
        return (email(address) if "@" in address else msisdn(address)).key
    except ValueError as error:
        raise UsageError(f"this is no address: {error}") from error


def unsettled(
    reader: LedgerReader, *, notification: str | None, addresses: Sequence[str], batch: int | None
) -> Iterator[UnresolvedBatch]:
    """Everybody uncertain, narrowed to what is named."""
    wanted = set(reader.recipient_ids([key_of(address) for address in addresses]))
    for scope in reader.scopes():
        if notification is not None and scope.notification != notification:
            continue
        for facts in reader.facts(scope):
            if batch is not None and facts.number != batch:
                continue
            positions = tuple(open_positions(facts, wanted))
            if positions:
                yield UnresolvedBatch(facts.number, scope, positions, facts.at, facts.reason)


def open_positions(facts: BatchRecord, wanted: set[bytes]) -> Iterator[int]:
    if facts.state not in UNSETTLED and not facts.others:
        return
    for position in range(len(facts.members) // MEMBER_BYTES):
        if facts.others.get(position, facts.state) in UNSETTLED:
            recipient, _ = MEMBER.unpack_from(facts.members, position * MEMBER_BYTES)
            if not wanted or recipient in wanted:
                yield position


def list_open(
    workspace: Workspace,
    environment: Environment,
    *,
    notification: str | None = None,
    addresses: Sequence[str] = (),
    batch: int | None = None,
) -> list[UnresolvedBatch]:
    with existing(workspace, environment) as reader:
        return list(unsettled(reader, notification=notification, addresses=addresses, batch=batch))


def resolve(
    workspace: Workspace,
    environment: Environment,
    *,
    sent: bool,
    reason: str,
    notification: str | None = None,
    addresses: Sequence[str] = (),
    batch: int | None = None,
    quarantine: timedelta = QUARANTINE,
) -> Counter[Scope]:
    """Settle everybody uncertain who is named, and give how many in each scope. Raises LedgerError while one of them is too
    fresh to be called not sent.
    """
    clock, kind = workspace.clock, BatchState.ACCEPTED if sent else BatchState.REJECTED
    settled: Counter[Scope] = Counter()
    with ledger_store(workspace, environment).writer(
        holder(), revision=current_revision(workspace.root)
    ) as writer:
        found = list(unsettled(writer, notification=notification, addresses=addresses, batch=batch))
        fresh = [each for each in found if not sent and clock.now() - begun(writer, each) < quarantine]
        if fresh:
            wait = max(quarantine - (clock.now() - begun(writer, each)) for each in fresh)
            raise LedgerError(
                f"batch {fresh[0].batch} was begun less than {quarantine} ago: a run that was stopped may still send it",
                hint=f"do it again in {int(wait.total_seconds() // 60) + 1} minutes, or --quarantine 0s when you are sure that"
                " no run is alive",
            )
        for each in found:
            words = [Verdict(at, kind, VerdictSource.RESOLVE, reason, holder()) for at in each.positions]
            writer.resolve(each.batch, words, at=clock.now())
            settled[each.scope] += len(words)
    return settled


def begun(reader: LedgerReader, each: UnresolvedBatch) -> datetime:
    """When the last attempt of a batch was recorded as begun."""
    return max(
        (attempt.at for attempt in reader.attempts(each.scope) if attempt.batch == each.batch),
        default=each.since,
    )


def withdraw(
    workspace: Workspace, environment: Environment, *, notification: str, edition: int | None, reason: str
) -> Statement:
    """Record that what was not accepted of an edition is not sent any more. Without `edition`, the one in the files."""
    project = workspace.sound
    known = project.notifications.get(notification)
    with ledger_store(workspace, environment).writer(
        holder(), revision=current_revision(workspace.root)
    ) as writer:
        names = {scope.notification for scope in writer.scopes()} | set(project.notifications)
        if notification not in names:
            raise UsageError(
                f"there is no notification {notification!r}; there are: {', '.join(sorted(names)) or 'none'}"
            )
        latest = max((s.edition for s in writer.scopes() if s.notification == notification), default=1)
        chosen = edition or (known.edition if known else latest)
        statement = Statement(StatementKind.WITHDRAW, notification, chosen, reason, holder())
        writer.declare(statement, at=workspace.clock.now())
    return statement
