"""Ledger records that follow an attempt: verdicts on single members, receipts and statements. Plain data and pure folds.

An outcome covers all members of a batch; a verdict overrides it for some of them. Every ledger folds verdicts the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from notifyctl.model.batch import Accepted
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import Scope


class VerdictSource(StrEnum):
    """Where a verdict comes from."""

    ANSWER = "answer"  # the provider's response to the request
    RECEIPT = "receipt"
    RESOLVE = "resolve"  # the command of that name


class Verdict(Struct, frozen=True):
    """`position` is a member of the batch, from 0; None: all with an unknown outcome. `kind` is ACCEPTED or REJECTED, or UNKNOWN
    from an answer.
    """

    position: int | None
    kind: BatchState
    source: VerdictSource
    reason: str | None = None
    who: str | None = None
    at: datetime | None = None
    """When it was recorded; set by the ledger."""


NO_ANSWER = "no response recorded yet"


def describe_verdict(verdict: Verdict) -> str:
    """Why the outcome of a member is what it is; a decision by `resolve` is called that."""
    if verdict.source is not VerdictSource.RESOLVE:
        return verdict.reason or NO_ANSWER
    what = "sent" if verdict.kind is BatchState.ACCEPTED else "not sent"
    who = f" by {verdict.who}" if verdict.who else ""
    return f"recorded as {what}{who}: {verdict.reason or 'no reason given'}"


class OptOutReason(StrEnum):
    """Why a receipt means that somebody is not to be written to. The values of `optOutOn`."""

    COMPLAINT = "complaint"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"  # for good: the mailbox does not exist


UNSUBSCRIBE_CODE, BOUNCE_CODE = "unsubscribe", "bounced"
"""In place of a code, for what the provider tells by a status or a description."""
OPT_OUT_CODES = {
    "7521": OptOutReason.COMPLAINT,
    UNSUBSCRIBE_CODE: OptOutReason.UNSUBSCRIBED,
    "7241": OptOutReason.UNSUBSCRIBED,  # Failed: the address unsubscribed
    BOUNCE_CODE: OptOutReason.BOUNCED,
    "7240": OptOutReason.BOUNCED,  # Failed: the address has bounced before
}
"""The code of a receipt → why it opts its recipient out."""
UNSETTLED = frozenset({BatchState.ARMED, BatchState.UNKNOWN})


def fold_verdicts(state: BatchState, size: int, verdicts: Iterable[Verdict]) -> dict[int, BatchState]:
    """Position → state, for members whose state differs from the batch's. `verdicts` are in the order of recording."""
    decisive = decisive_verdicts(state, size, verdicts)
    return {position: verdict.kind for position, verdict in decisive.items() if verdict.kind is not state}


def decisive_verdicts(state: BatchState, size: int, verdicts: Iterable[Verdict]) -> dict[int, Verdict]:
    """Position → the verdict that decides the state of the member, for members about whom a verdict says something new.

    Accepted is final. Except from an answer, a rejection settles only unknown outcomes.
    """
    decisive: dict[int, Verdict] = {}
    for verdict in verdicts:
        for position in range(size) if verdict.position is None else (verdict.position,):
            current = decisive[position].kind if position in decisive else state
            settles = verdict.source is VerdictSource.ANSWER or current in UNSETTLED
            confirms = verdict.kind is BatchState.ACCEPTED and verdict.position is not None
            if settles or (confirms and current is not BatchState.ACCEPTED):
                decisive[position] = verdict
    return decisive


def member_verdicts(outcome: Accepted) -> list[Verdict]:
    """The verdicts on members that a partly accepted request rejects or does not list."""
    refused = [
        Verdict(position, BatchState.REJECTED, VerdictSource.ANSWER, reason)
        for position, reason in sorted(outcome.refused.items())
    ]
    silent = "the answer lists its recipients and does not name this one, or contradicts itself"
    unheard = [
        Verdict(position, BatchState.UNKNOWN, VerdictSource.ANSWER, silent)
        for position in sorted(outcome.unheard)
    ]
    return [*refused, *unheard]


class DeliveryStatus(StrEnum):
    """The delivery status of an accepted message. Later values outrank earlier ones, in any order of arrival."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"
    READ = "read"


CLICKED = "clicked"
UNSUBSCRIBED = "unsubscribed"
"""The status of an event that is about a person and proves nothing of a message."""
RANK = {status: rank for rank, status in enumerate(DeliveryStatus)}


class Delivery(Struct, frozen=True):
    """The folded receipts of one batch member. `clicked` is separate because it can accompany any status."""

    status: DeliveryStatus | None = None
    clicked: bool = False
    opt_outs: tuple[OptOutReason, ...] = ()
    """What the receipts mean beside: a complaint, an unsubscription, a permanent bounce. Sorted."""


def fold_receipts(statuses: Iterable[str], codes: Iterable[str | None] = ()) -> Delivery:
    """Keeps the highest status (submitted < delivered < failed < read), independent of order and repeats."""
    seen = set(statuses)
    known = [DeliveryStatus(status) for status in seen if status in RANK]
    opt_outs = {OPT_OUT_CODES[code] for code in codes if code in OPT_OUT_CODES}
    return Delivery(max(known, key=RANK.__getitem__, default=None), CLICKED in seen, tuple(sorted(opt_outs)))


class Receipt(Struct, frozen=True):
    """One normalised receipt, without an address. `digest` identifies it, so that a repeat changes nothing.

    `batch` and `position` are None if it matches no recipient in this ledger. `status` is a DeliveryStatus or CLICKED.
    """

    digest: bytes
    at: datetime
    status: str
    batch: int | None = None
    position: int | None = None
    code: str | None = None
    provider_id: str | None = None
    said_at: str | None = None


class StatementKind(StrEnum):
    MOVED = "moved"
    BASELINE = "baseline"
    WITHDRAW = "withdraw"
    ACKNOWLEDGE = "acknowledge"


class Statement(Struct, frozen=True):
    """A decision that an apply carried out. `detail`: the old name, the reason or the delivery hash."""

    kind: StatementKind
    notification: str
    edition: int | None
    detail: str
    who: str | None = None
    at: datetime | None = None


class Resolution(Struct, frozen=True):
    """One decision by `resolve` about recipients of a scope: what is counted as their outcome from then on, why and by whom."""

    scope: Scope
    kind: BatchState
    recipients: int
    batches: tuple[int, ...]
    reason: str | None
    who: str | None
    at: datetime


def served_reason(statements: Iterable[Statement], scope: Scope) -> str:
    """Why a baseline counts recipients of the scope as served; empty if none is recorded."""
    reasons = (
        each.detail
        for each in statements
        if each.kind is StatementKind.BASELINE
        and (each.notification, each.edition) == (scope.notification, scope.edition)
    )
    return next(reasons, "")


class RunRecord(Struct, frozen=True):
    """One run that wrote to the ledger. `ended` and `how` are None while it is active or if it was interrupted."""

    epoch: int
    started: datetime
    holder: str
    tool: str
    revision: str | None
    ended: datetime | None
    how: str | None
    """`finished`, `interrupted`, or the name of the error that ended it."""
    actor: str | None = None
    """Who was behind it; None in ledgers of earlier versions."""


class AttemptRecord(Struct, frozen=True):
    """One attempt of a batch, with its outcome. `seal` authenticates its correlation ids."""

    batch: int
    attempt: int
    scope: Scope
    epoch: int
    at: datetime
    seal: bytes
    kind: BatchState
    status: int | None = None
    provider_id: str | None = None
    reason: str | None = None


class UnresolvedBatch(Struct, frozen=True):
    """The members of one batch with an unknown outcome."""

    batch: int
    scope: Scope
    positions: tuple[int, ...]
    since: datetime
    reason: str | None


Deliveries = Mapping[int, Delivery]
"""Position in a batch → its folded receipts."""
