"""What the ledger's batches say of each recipient, folded into one status per recipient. Pure; knows nothing of storage.

`ledger_join` folds the same for the recipients of an audience, in packed columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Literal, NamedTuple

from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES

Kind = Literal["uncertain", "accepted", "rejected"]

MEMBER = Struct(f"{ID_BYTES}s{FINGERPRINT_BYTES}s")

KINDS: dict[BatchState, Kind] = {
    BatchState.ARMED: "uncertain",
    BatchState.UNKNOWN: "uncertain",
    BatchState.ACCEPTED: "accepted",
    BatchState.REJECTED: "rejected",
}
"""A batch that is only planned was never begun and says nothing of anybody."""

RANK: dict[Kind, int] = {"rejected": 1, "uncertain": 3, "accepted": 4}
SERVED_RANK = 2
"""Of whom a baseline counts as served: more than rejected, less than an attempt that may have reached somebody."""


class RecipientStatus(NamedTuple):
    """What is known of one recipient in one scope."""

    kind: Kind
    fingerprint: bytes
    """FINGERPRINT_BYTES of the delivery hash of the batch that decides; compare with a truncated hash."""
    batch: int
    attempts: int
    """Over all batches the recipient was in."""


def recipient_statuses(batches: Iterable[BatchRecord]) -> dict[bytes, RecipientStatus]:
    """Recipient id → status, for each recipient that any attempt was begun for.

    Accepted wins over all, then uncertain, then rejected; among equals the later batch. Batches of several scopes that
    stand for the same recipients (a moved notification) belong into one call, so that this order holds across them.
    """
    statuses: dict[bytes, RecipientStatus] = {}
    for batch in batches:
        kind = KINDS.get(batch.state)
        members: dict[bytes, RecipientStatus] = {}
        if kind is not None:
            members = {
                recipient: RecipientStatus(kind, fingerprint, batch.number, batch.attempt)
                for recipient, fingerprint in MEMBER.iter_unpack(batch.members)
            }
        for position, state in batch.others.items():
            recipient, fingerprint = MEMBER.unpack_from(batch.members, position * MEMBER.size)
            members[recipient] = RecipientStatus(KINDS[state], fingerprint, batch.number, batch.attempt)
        for recipient in statuses.keys() & members.keys():
            members[recipient] = dominant(statuses[recipient], members[recipient])
        statuses.update(members)
    return statuses


def dominant(one: RecipientStatus, other: RecipientStatus) -> RecipientStatus:
    """The status that decides, with the attempts of both."""
    _, _, winner = max((RANK[one.kind], one.batch, one), (RANK[other.kind], other.batch, other))
    return winner._replace(attempts=one.attempts + other.attempts)


def unpack_ids(packed: bytes) -> set[bytes]:
    """The recipient ids of a recorded audience, ID_BYTES each."""
    return {packed[start : start + ID_BYTES] for start in range(0, len(packed), ID_BYTES)}
