"""What a ledger records of batches and scopes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from notifyctl.model.recipients import Scope


class BatchState(StrEnum):
    """What the ledger knows of one batch: the last word of its last attempt."""

    PLANNED = "planned"  # recorded, never begun
    ARMED = "armed"  # begun, no outcome: nobody knows
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # certainly not accepted
    UNKNOWN = "unknown"  # begun, and the answer tells nothing


class BatchRecord(Struct, frozen=True):
    """One batch in the ledger: `members` is packed, MEMBER_BYTES each (recipient id, then delivery fingerprint)."""

    number: int
    scope: Scope
    state: BatchState
    attempt: int
    members: bytes
    at: datetime
    """When it came into this state."""
    reason: str | None = None
    others: Mapping[int, BatchState] = field(default_factory=dict)
    """Members that stand otherwise than the batch, by position: partly accepted, or settled later."""
    epoch: int = 0
    """Of the run that planned it."""


class OpeningRecord(Struct, frozen=True):
    """A recorded audience: the packed ids in `held`, and the members of the scope's batches of this epoch."""

    epoch: int
    held: bytes


class LedgerSummary(Struct, frozen=True):
    """What `ledger show` and the plan's digest say of a ledger. `lineage` names it from its making on."""

    lineage: str
    location: str
    schema_version: int
    serial: int
    """Grows with every commit."""
    created_at: datetime
    batches: Mapping[BatchState, int]
    recipients: Mapping[BatchState, int]
    """Members of the batches in each state. Who was rejected and then accepted stands in two batches, and counts in both."""
    scopes: int
    receipts: int = 0


class ScopeStatus(Struct, frozen=True):
    """Each person who belongs to a scope counts once. `total` is the sum of the four others."""

    scope: Scope
    accepted: int
    rejected: int
    uncertain: int
    not_begun: int
    """In the recorded audience, and nothing was ever begun for them."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why batches are rejected or uncertain, with the number of people in them."""
    receipts: Mapping[str, int] = field(default_factory=dict)
    """Accepted people by their last receipt; `none`: without one. `clicked` counts beside the others."""

    @property
    def total(self) -> int:
        return self.accepted + self.rejected + self.uncertain + self.not_begun
