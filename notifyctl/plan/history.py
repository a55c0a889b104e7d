"""What was done, as data for views: runs with what they sent, and what became of one person."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from notifyctl.model.events import Delivery, Resolution, RunRecord, Statement, Verdict
from notifyctl.model.ledger import BatchState, ScopeStatus
from notifyctl.model.recipients import Scope
from notifyctl.plan.model import Plan


class ScopeActivity(Struct, frozen=True):
    """What one run did in one scope: people by how they stand now."""

    scope: Scope
    people: dict[BatchState, int]
    requests: int


class PastRun(Struct, frozen=True):
    run: RunRecord
    did: tuple[ScopeActivity, ...]


class History(Struct, frozen=True):
    """Latest first."""

    runs: tuple[PastRun, ...]
    statements: tuple[Statement, ...]
    resolutions: tuple[Resolution, ...] = ()


class Status(Struct, frozen=True):
    """Recipients by outcome in each edition that was started, and the decisions about them, first to last."""

    scopes: tuple[ScopeStatus, ...] = ()
    statements: tuple[Statement, ...] = ()
    resolutions: tuple[Resolution, ...] = ()


class DeliveryRecord(Struct, frozen=True):
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
    verdict: Verdict | None = None
    """What decided the outcome after the attempt, if something did."""


class ServedRecord(Struct, frozen=True):
    """A scope in which a baseline counts a person as served, and its reason."""

    scope: Scope
    reason: str


class Explanation(Struct, frozen=True):
    """Why a person will or will not get a notification, and what they got of it. `plan` is for them alone."""

    plan: Plan
    got: tuple[DeliveryRecord, ...]
    served: tuple[ServedRecord, ...] = ()
    statements: tuple[Statement, ...] = ()
    """Decisions about the notification, first to last."""
