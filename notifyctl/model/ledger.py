"""Ledger records of batches and scopes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from notifyctl.model.recipients import Scope


class BatchState(StrEnum):
    """The state of one batch: the last recorded outcome of its last attempt."""

    PLANNED = "planned"  # recorded, not attempted
    ARMED = "armed"  # attempted, no outcome recorded
    ACCEPTED = "accepted"
    REJECTED = "rejected"  # known not to be accepted
    UNKNOWN = "unknown"  # attempted, no conclusive response


class BatchRecord(Struct, frozen=True):
    """One batch in the ledger: `members` is packed, MEMBER_BYTES each (recipient id, then delivery fingerprint)."""

    number: int
    scope: Scope
    state: BatchState
    attempt: int
    members: bytes
    at: datetime
    """When the batch entered this state."""
    reason: str | None = None
    others: Mapping[int, BatchState] = field(default_factory=dict)
    """Position → state, for members whose state differs from the batch's: partly accepted, or settled later."""
    epoch: int = 0
    """The run that planned the batch."""


class Purpose(StrEnum):
    """What a code under the ledger's key is for."""

    PLAN_FILE = "plan file 1"
    ACCOUNT = "account 1"


class OpeningRecord(Struct, frozen=True):
    """A recorded audience: the packed ids in `held` and the members of the scope's batches in this epoch."""

    epoch: int
    held: bytes


class Extent(Struct, frozen=True):
    """How far a ledger's records reach at a moment, so that they can be read as they were then: what runs before `epoch` recorded, and of
    what others record beside them, each by its last number.
    """

    epoch: int
    scopes: int
    words: int
    receipts: int


EVERYTHING = Extent(*[(1 << 63) - 1] * 4)
"""Whatever is recorded."""


class LedgerSummary(Struct, frozen=True):
    """Totals of a ledger, for `ledger show` and the plan's digest. `lineage` is its ID, fixed at creation."""

    lineage: str
    location: str
    schema_version: int
    serial: int
    """Grows with every commit."""
    created_at: datetime
    batches: Mapping[BatchState, int]
    recipients: Mapping[BatchState, int]
    """Members of the batches in each state. A recipient in two batches counts in both."""
    scopes: int
    receipts: int = 0
    tests: int = 0
    """Test messages, which are in no batch."""
    acceptances: int = 0
    """Of series, with those that take one back."""


class ScopeStatus(Struct, frozen=True):
    """Recipients of a scope by state, each counted once. `total` is the sum of the six other counts."""

    scope: Scope
    accepted: int
    rejected: int
    uncertain: int
    not_begun: int
    """In the recorded audience, and not attempted."""
    expired: int = 0
    """Not attempted, and too late for that: as applies recorded it."""
    served: int = 0
    """Counted as served by a baseline, and not attempted or only rejected."""
    baseline: str = ""
    """The reason of that baseline."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Why batches are rejected or uncertain → recipients in them."""
    receipts: Mapping[str, int] = field(default_factory=dict)
    """Accepted recipients by their last receipt; `none`: without one. `clicked`, `complaint`,
    `unsubscribed` and `bounced` count in addition to the others."""

    @property
    def total(self) -> int:
        return self.accepted + self.rejected + self.uncertain + self.not_begun + self.expired + self.served
