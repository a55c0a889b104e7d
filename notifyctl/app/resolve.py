"""Use cases of `resolve` and `withdraw`: record a person's decisions in the ledger, with who made them and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from math import ceil

from notifyctl.app.ledger import actor_of, holder, ledger_store, open_reader, refuse_unknown_in_ledger
from notifyctl.app.workspace import Workspace
from notifyctl.audience.addresses import parse_address
from notifyctl.audience.former_addresses import known_keys
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
from notifyctl.plan.statuses import MEMBER
from notifyctl.ports import LedgerReader
from notifyctl.schedule.moments import format_duration

QUARANTINE = timedelta(minutes=15)
"""The waiting period: minimum age of an attempt with an unknown outcome before it can be recorded as not sent. A run that was suspended before its request gives up much
earlier (`apply.run.SEND_BY`)."""


def normalise(address: str) -> str:
    """The form of an address that is hashed. Raises UsageError if it is invalid."""
    try:
        return parse_address(address).key
    except ValueError as error:
        raise UsageError(f"not a valid address: {error}") from error


def find_uncertain(
    reader: LedgerReader, *, notification: str | None, addresses: Sequence[str], batch: int | None
) -> Iterator[UnresolvedBatch]:
    """The uncertain members of each batch; of the named notification, addresses and batch only, if given."""
    keys = [key for address in addresses for key in known_keys(address, normalise(address))]
    recipients = set(reader.recipient_ids(keys))
    for scope in reader.scopes():
        if notification is not None and scope.notification != notification:
            continue
        for facts in reader.facts(scope):
            if batch is not None and facts.number != batch:
                continue
            positions = tuple(uncertain_positions(facts, recipients))
            if positions:
                yield UnresolvedBatch(facts.number, scope, positions, facts.at, facts.reason)


def uncertain_positions(facts: BatchRecord, recipients: set[bytes]) -> Iterator[int]:
    """Positions of a batch's uncertain members, of these recipients only unless the set is empty."""
    if facts.state not in UNSETTLED and not facts.others:
        return
    for position in range(len(facts.members) // MEMBER_BYTES):
        if facts.others.get(position, facts.state) in UNSETTLED:
            recipient, _ = MEMBER.unpack_from(facts.members, position * MEMBER_BYTES)
            if not recipients or recipient in recipients:
                yield position


def list_uncertain(
    workspace: Workspace,
    environment: Environment,
    *,
    notification: str | None = None,
    addresses: Sequence[str] = (),
    batch: int | None = None,
) -> list[UnresolvedBatch]:
    with open_reader(workspace, environment) as reader:
        refuse_unknown_in_ledger(workspace, reader, notification)
        return list(find_uncertain(reader, notification=notification, addresses=addresses, batch=batch))


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
    """Records what happened to the members with an unknown outcome that are selected; returns how many in each scope.

    Raises LedgerError if one is to be recorded as not sent within its `quarantine`.
    """
    clock, kind = workspace.clock, BatchState.ACCEPTED if sent else BatchState.REJECTED
    settled: Counter[Scope] = Counter()
    who = actor_of(workspace)
    with ledger_store(workspace, environment).writer(
        holder(), revision=current_revision(workspace.root), actor=who
    ) as writer:
        selected = list(find_uncertain(writer, notification=notification, addresses=addresses, batch=batch))
        fresh = [
            each for each in selected if not sent and clock.now() - last_begun(writer, each) < quarantine
        ]
        if fresh:
            wait = max(quarantine - (clock.now() - last_begun(writer, each)) for each in fresh)
            raise LedgerError(
                f"batch {fresh[0].batch} was attempted less than {format_duration(quarantine.total_seconds())} ago, and a run that was"
                " stopped may still send it; nothing was recorded",
                hint=f"run the command again in {format_duration(60 * ceil(wait.total_seconds() / 60))}; if you are sure that no run is alive, add"
                " --quarantine 0s",
            )
        now = clock.now()
        for each in selected:
            words = [Verdict(at, kind, VerdictSource.RESOLVE, reason, who) for at in each.positions]
            writer.resolve(each.batch, words, at=now)
            settled[each.scope] += len(words)
    return settled


def last_begun(reader: LedgerReader, each: UnresolvedBatch) -> datetime:
    """When the last attempt of a batch was recorded as begun."""
    return max(
        (attempt.at for attempt in reader.attempts(each.scope) if attempt.batch == each.batch),
        default=each.since,
    )


def withdraw(
    workspace: Workspace, environment: Environment, *, notification: str, edition: int | None, reason: str
) -> Statement:
    """Stops sending an edition to recipients who were not sent it yet. Default: the edition in the files."""
    project, who = workspace.sound, actor_of(workspace)
    known = project.notifications.get(notification)
    with ledger_store(workspace, environment).writer(
        holder(), revision=current_revision(workspace.root), actor=who
    ) as writer:
        names = {scope.notification for scope in writer.scopes()} | set(project.notifications)
        if notification not in names:
            near = get_close_matches(notification, names, n=1)
            raise UsageError(
                f"unknown notification `{notification}`; nothing was recorded",
                hint=f"did you mean `{near[0]}`?" if near else None,
            )
        latest = max((s.edition for s in writer.scopes() if s.notification == notification), default=1)
        chosen = edition or (known.edition if known else latest)
        highest = max(latest, known.edition if known else 0)
        if chosen > highest:
            raise UsageError(
                f"`{notification}` has no edition {chosen}; the highest is {highest}; nothing was recorded",
                hint="withdraw an edition that exists; one that does not exist yet would never be sent",
            )
        statement = Statement(StatementKind.WITHDRAW, notification, chosen, reason, who)
        writer.declare(statement, at=workspace.clock.now())
    return statement
