"""The states of batches in a ledger: as keys of JSON, and as what people read."""

from __future__ import annotations

from notifyctl.model.ledger import BatchState

KEYS = {
    BatchState.ACCEPTED: "accepted",
    BatchState.UNKNOWN: "uncertain",
    BatchState.ARMED: "in_flight",
    BatchState.REJECTED: "rejected",
    BatchState.PLANNED: "not_begun",
}
"""Keys of batch states in JSON; UNKNOWN is the plan's `uncertain`."""
LABELS = {
    BatchState.ACCEPTED: "accepted",
    BatchState.UNKNOWN: "outcome unknown",
    BatchState.ARMED: "in flight",
    BatchState.REJECTED: "not accepted",
    BatchState.PLANNED: "not attempted",
}
"""What people read instead."""
