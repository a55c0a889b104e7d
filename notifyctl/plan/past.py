"""What was done, as data for views: runs with what they sent, and what became of one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from notifyctl.model.events import Delivery, RunRecord, Statement
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import Scope
from notifyctl.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Did:
    """What one run did in one scope: people by how they stand now."""

    scope: Scope
    people: dict[BatchState, int]
    requests: int


@dataclass(frozen=True, slots=True)
class PastRun:
    run: RunRecord
    did: tuple[Did, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Latest first."""

    runs: tuple[PastRun, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Got:
    """One batch that a person was in."""

    scope: Scope
    batch: int
    attempt: int
    state: BatchState
    at: datetime
    reason: str | None
    fingerprint: str
    revision: str | None
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a person will or will not get a notification, and what they got of it. `plan` is for them alone."""

    plan: Plan
    got: tuple[Got, ...]
