"""What was done, as data for views: runs with what they sent, and what became of one person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from notifyctl.audience.row_trace import Trace
from notifyctl.audience.suppression_trace import Listing
from notifyctl.diagnostics import Location
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.events import Delivery, Resolution, RunRecord, Statement, Verdict
from notifyctl.model.ledger import BatchState, ScopeStatus
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.model.test_messages import TestRecord
from notifyctl.plan.model import Plan, Probed
from notifyctl.recipients.zones import ZoneSource
from notifyctl.schedule.upcoming import Slot


class ScopeActivity(Struct, frozen=True):
    """What one run did in one scope: people by how they stand now."""

    scope: Scope
    people: dict[BatchState, int]
    requests: int


class PastRun(Struct, frozen=True):
    run: RunRecord
    did: tuple[ScopeActivity, ...]
    tests: tuple[TestRecord, ...] = ()
    """Test messages that it sent; they are in no scope."""


class History(Struct, frozen=True):
    """Latest first."""

    runs: tuple[PastRun, ...]
    statements: tuple[Statement, ...]
    resolutions: tuple[Resolution, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    timezone: str = "UTC"
    """The project's: in which acceptances end."""


class Status(Struct, frozen=True):
    """Recipients by outcome in each edition that was started, and the decisions about them, first to last."""

    scopes: tuple[ScopeStatus, ...] = ()
    statements: tuple[Statement, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    tests: tuple[TestRecord, ...] = ()
    acceptances: tuple[Acceptance, ...] = ()
    """Of series, first to last, with those that take one back."""
    timezone: str = "UTC"
    """The project's: in which they end."""


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


class Standing(StrEnum):
    """How a recipient stands to a notification; declared in the order in which they are shown."""

    PLANNED = "planned"  # the plan decides: `Explained.probed`
    WAITING = "waiting"  # in the audience, and no occurrence is due
    SUPPRESSED = "suppressed"  # likewise, and not sent any
    WITHDRAWN = "withdrawn"  # likewise
    REJECTED = "rejected"  # the row is
    FILTERED = "filtered"  # by `where`
    UNKNOWN = "unknown"  # the audience is not available here
    ABSENT = "absent"
    OTHER_CHANNEL = "other-channel"


class Explained(Struct, frozen=True):
    """How one recipient stands to one notification, and why.

    `trace`: their rows; None where none were looked for. `source`: the audience's file. `zone`: in which `next`, the next slot of
    the schedule for them, and those `skipped` before it are shown. `listings`: entries of suppression lists that apply to them;
    `opt_outs`: what receipts reported of them. `fence`: where the allow-list is, if they are not on it.
    """

    notification: str
    channel: ChannelName
    edition: int
    audience: str
    source: str | None
    standing: Standing
    probed: tuple[Probed, ...] = ()
    missed: Probed | None = None
    """The last occurrence, if it is past and the recipient was not sent it."""
    foreseen: Probed | None = None
    """What a plan of the next occurrence would decide, if nothing of the notification is due."""
    trace: Trace | None = None
    where: str | None = None
    problem: str = ""
    """Why the audience is not available."""
    withdrawn: str | None = None
    """Why the edition is withdrawn."""
    zone_source: ZoneSource | None = None
    """Where `zone` is from; None: the schedule has one of its own."""
    zone: str = "UTC"
    next: Slot | None = None
    skipped: tuple[Slot, ...] = ()
    listings: tuple[Listing, ...] = ()
    opt_outs: tuple[tuple[str, datetime], ...] = ()
    fence: Location | None = None
    waits: str | None = None
    """Why `run` and `apply --accepted` do not send it, as in a plan."""

    @property
    def in_audience(self) -> bool:
        return self.trace is not None and self.trace.recipient is not None


class Explanation(Struct, frozen=True):
    """Why a recipient is or is not sent notifications, and what they were sent."""

    plan: Plan
    explained: tuple[Explained, ...]
    """In the order of Standing, then by name."""
    got: tuple[DeliveryRecord, ...] = ()
    served: tuple[ServedRecord, ...] = ()
    statements: tuple[Statement, ...] = ()
    """Decisions about these notifications, first to last."""
    elsewhere: tuple[str, ...] = ()
    """Other notifications that have the recipient in their audience, where the one that was asked for does not."""
    tests: tuple[tuple[TestRecord, bool, bool], ...] = ()
    """Test messages with the recipient's values, or sent to them: the record, whether the first, whether the second."""
    has_ledger: bool = True
    """False: nothing is known of earlier sends."""
