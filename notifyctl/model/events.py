"""What a ledger learns after a batch was sent: words on single people, receipts, and statements. Plain data and pure folds.

A batch's outcome is one word for all its members. What is learnt of single ones (a partly accepted request, a receipt, a
person who settled it) is a further word; the fold over them is the same in every ledger.
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
    """Who says a word."""

    ANSWER = "answer"  # the provider, in the answer to the request
    RECEIPT = "receipt"
    RESOLVE = "resolve"  # a person


class Verdict(Struct, frozen=True):
    """`position` counts the batch's members from 0; None: all of them whose outcome is unknown. `kind`: ACCEPTED or REJECTED."""

    position: int | None
    kind: BatchState
    source: VerdictSource
    reason: str | None = None
    who: str | None = None


OPT_OUT_CODES = {"7521": "complaint", "unsubscribe": "unsubscribe"}
"""The code of a receipt → why its person wants nothing more."""
UNSETTLED = frozenset({BatchState.ARMED, BatchState.UNKNOWN})


def fold_verdicts(state: BatchState, size: int, words: Iterable[Verdict]) -> dict[int, BatchState]:
    """Members that stand otherwise than their batch, by position. `words` in the order in which they were said.

    Accepted is never taken back. A rejection by a person or a receipt settles only what is unknown.
    """
    states: dict[int, BatchState] = {}
    for word in words:
        for position in range(size) if word.position is None else (word.position,):
            now = states.get(position, state)
            settles = word.source is VerdictSource.ANSWER or now in UNSETTLED
            if (word.kind is BatchState.ACCEPTED and word.position is not None) or settles:
                states[position] = word.kind
    return {position: kind for position, kind in states.items() if kind is not state}


def member_verdicts(outcome: Accepted) -> list[Verdict]:
    """Members that a partly accepted request did not reach, or may not have."""
    refused = [
        Verdict(position, BatchState.REJECTED, VerdictSource.ANSWER, reason)
        for position, reason in sorted(outcome.refused.items())
    ]
    silent = "the answer lists its recipients and does not name this one"
    unheard = [
        Verdict(position, BatchState.UNKNOWN, VerdictSource.ANSWER, silent)
        for position in sorted(outcome.unheard)
    ]
    return [*refused, *unheard]


class DeliveryStatus(StrEnum):
    """What receipts say of a message that was accepted; later ones outrank earlier ones, in whatever order they come."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"
    READ = "read"


CLICKED = "clicked"
RANK = {status: rank for rank, status in enumerate(DeliveryStatus)}


class Delivery(Struct, frozen=True):
    """The receipts of one person and one batch, folded. `clicked` is told apart: it comes with any status."""

    status: DeliveryStatus | None = None
    clicked: bool = False


def fold_receipts(statuses: Iterable[str]) -> Delivery:
    """Submitted < delivered < failed < read; the same for any order and any number of repeats."""
    seen = set(statuses)
    known = [DeliveryStatus(status) for status in seen if status in RANK]
    return Delivery(max(known, key=RANK.__getitem__, default=None), CLICKED in seen)


class Receipt(Struct, frozen=True):
    """One receipt, normalised. `digest` names it: the same one again changes nothing. No address.

    `batch` and `position` are None where nobody of this ledger is meant. `status` is one of DeliveryStatus, or clicked.
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
    """Something that a person declared and an apply carried out. `detail`: the old name, the reason or the delivery hash."""

    kind: StatementKind
    notification: str
    edition: int | None
    detail: str
    who: str | None = None
    at: datetime | None = None


class RunRecord(Struct, frozen=True):
    """One writer of the ledger. `ended` and `how` are None while it works, or when it broke off."""

    epoch: int
    started: datetime
    holder: str
    tool: str
    revision: str | None
    ended: datetime | None
    how: str | None


class AttemptRecord(Struct, frozen=True):
    """One attempt of a batch, and what came of it. `seal` authenticates its correlation ids."""

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
    """The members of one batch whose outcome nobody knows."""

    batch: int
    scope: Scope
    positions: tuple[int, ...]
    since: datetime
    reason: str | None


Deliveries = Mapping[int, Delivery]
"""Position in a batch → its folded receipts."""
