"""Counts the people of each scope by outcome, for the command `status`. Works on any ledger through its port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from notifyctl.model.events import CLICKED, NO_ANSWER, describe_verdict, served_reason
from notifyctl.model.ledger import BatchRecord, ScopeStatus
from notifyctl.model.recipients import Scope
from notifyctl.plan.missed import read_missed
from notifyctl.plan.statuses import MEMBER, recipient_statuses, unpack_ids
from notifyctl.ports import LedgerReader


def scope_statuses(reader: LedgerReader, notification: str | None = None) -> list[ScopeStatus]:
    """Every scope of the ledger or of one notification, sorted; those too that were missed whole."""
    missed = read_missed(reader.notices())
    return [
        scope_status(reader, scope, missed.get(scope, 0))
        for scope in sorted({*reader.scopes(), *missed})
        if notification is None or scope.notification == notification
    ]


def scope_status(reader: LedgerReader, scope: Scope, missed: int = 0) -> ScopeStatus:
    """`missed`: how many recipients were recorded as expired. Who was sent to since then is not one of them."""
    reasons: dict[int, str] = {}
    own: dict[tuple[int, bytes], str] = {}
    known = recipient_statuses(collect_reasons(reader, scope, reasons, own))
    served = {member for packed in reader.served(scope) for member, _ in MEMBER.iter_unpack(packed)}
    known = {
        each: status for each, status in known.items() if status.kind != "rejected" or each not in served
    }
    served -= known.keys()
    counts = Counter(standing.kind for standing in known.values())
    failures = Counter(
        own.get((standing.batch, recipient), reasons[standing.batch])
        for recipient, standing in known.items()
        if standing.kind != "accepted"
    )
    recorded = reader.recorded(scope)
    not_begun = len(unpack_ids(recorded or b"") - known.keys() - served)
    expired = missed if recorded is None else min(missed, not_begun)
    return ScopeStatus(
        scope,
        accepted=counts["accepted"],
        rejected=counts["rejected"],
        uncertain=counts["uncertain"],
        not_begun=not_begun if recorded is None else not_begun - expired,
        expired=expired,
        served=len(served),
        baseline=served_reason(reader.statements(), scope) if served else "",
        reasons=dict(failures.most_common()),
        receipts=count_receipts(reader, scope, counts["accepted"]),
    )


def count_receipts(reader: LedgerReader, scope: Scope, accepted: int) -> dict[str, int]:
    """People by the status of their receipts; the statuses and `none` add up to `accepted`. Clicks, complaints, unsubscriptions
    and permanent bounces are counted beside. Empty without receipts.
    """
    counts: Counter[str] = Counter()
    beside: Counter[str] = Counter()
    for batch in reader.facts(scope):
        for delivery in reader.deliveries(batch.number).values():
            beside.update([CLICKED] * delivery.clicked)
            beside.update(each.value for each in delivery.opt_outs)
            counts[delivery.status.value if delivery.status else "none"] += 1
    counts["none"] += accepted - counts.total()
    present = {status: count for status, count in counts.items() if count}
    if set(present) == {"none"} and not beside:
        return {}
    return {**dict(sorted(present.items())), **dict(sorted(beside.items()))}


def collect_reasons(
    reader: LedgerReader, scope: Scope, reasons: dict[int, str], own: dict[tuple[int, bytes], str]
) -> Iterator[BatchRecord]:
    """Passes batches through and notes the reason of each in `reasons`, so that they are read only once. `own`: of members
    whose outcome was decided apart, by (batch, recipient).
    """
    for batch in reader.facts(scope):
        reasons[batch.number] = batch.reason or NO_ANSWER
        if batch.others:
            for position, verdict in reader.verdicts(batch.number).items():
                recipient, _ = MEMBER.unpack_from(batch.members, position * MEMBER.size)
                own[batch.number, recipient] = describe_verdict(verdict)
        yield batch
