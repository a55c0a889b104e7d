"""Folds a ledger's batch records into one status per recipient. Pure.

`ledger_join` computes the same for the recipients of an audience, in packed columns.
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
"""Without PLANNED: such a batch was not attempted."""

RANK: dict[Kind, int] = {"rejected": 1, "uncertain": 3, "accepted": 4}


class RecipientStatus(NamedTuple):
    """The status of one recipient in one scope."""

    kind: Kind
    fingerprint: bytes
    """The first FINGERPRINT_BYTES of the delivery hash, from the batch that decides."""
    batch: int
    attempts: int
    """Over all batches of the recipient."""


def recipient_statuses(batches: Iterable[BatchRecord]) -> dict[bytes, RecipientStatus]:
    """Returns recipient id → status, for each recipient attempted.

    The order is accepted > uncertain > rejected; among equals the later batch wins. To apply it across the scopes of a
    moved notification, pass their batches in one call.
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
    """Returns the stronger status, with the attempts of both."""
    _, _, winner = max((RANK[one.kind], one.batch, one), (RANK[other.kind], other.batch, other))
    return winner._replace(attempts=one.attempts + other.attempts)


def unpack_ids(packed: bytes) -> set[bytes]:
    """Splits a recorded audience into recipient ids, ID_BYTES each."""
    return {packed[start : start + ID_BYTES] for start in range(0, len(packed), ID_BYTES)}
