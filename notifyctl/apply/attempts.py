"""Attempts to send a batch, and why one was not posted. Plain data."""

from __future__ import annotations

from msgspec import Struct

from notifyctl.apply.batches import BatchSlice
from notifyctl.model.batch import PreparedRequest

NEVER_LEFT = "it was not sent in time after it was recorded, and never left"
TOO_LATE = "the sending window closed, or the message expired, before it was sent"
LAPSED = f"{TOO_LATE}; {NEVER_LEFT}"


class Attempt(Struct, frozen=True):
    """One try to send a batch. `attempt` counts from 1 over all runs, `tries` over this run."""

    number: int
    attempt: int
    slice: BatchSlice
    tries: int = 1


class PreparedAttempt(Struct, frozen=True):
    """An attempt with the seal to record at ARM and the request to POST."""

    attempt: Attempt
    seal: bytes
    request: PreparedRequest
