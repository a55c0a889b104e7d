"""The events of a run, and the report at its end. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from notifyctl.model.batch import Outcome
from notifyctl.model.campaign import Progress
from notifyctl.model.recipients import Scope


class Planned(Struct, frozen=True):
    """Every batch is recorded in the ledger; nothing was sent yet."""

    batches: int
    recipients: int


class Waiting(Struct, frozen=True):
    """No request starts for `seconds`, because of `why`."""

    seconds: float
    why: str


class Sent(Struct, frozen=True):
    """An attempt was armed in the ledger, and its request handed to a worker."""

    number: int
    recipients: int
    attempt: int


class Settled(Struct, frozen=True):
    """An attempt ended, and its outcome is recorded in the ledger. `again`: this run will try the batch once more."""

    number: int
    recipients: int
    outcome: Outcome
    again: bool
    attempt: int


class Followed(Struct, frozen=True):
    """How far the workers are that send a campaign, and how many of them are running."""

    progress: Progress
    workers: int


Event = Planned | Waiting | Sent | Settled | Followed


class Counts(Struct, frozen=True):
    """Recipients, or batches, by their outcome at the end of a run. `rejected`: certainly not accepted."""

    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    not_begun: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.accepted + other.accepted,
            self.rejected + other.rejected,
            self.unknown + other.unknown,
            self.not_begun + other.not_begun,
        )


class Report(Struct, frozen=True):
    """What a run did.

    `requests` counts attempts that were posted. `reasons` maps why recipients were rejected, unknown or held back to how
    many. `refused` is why the provider refused the whole account, which ends a run early; those recipients count as
    `rejected`.
    """

    recipients: Counts
    batches: Counts
    scopes: Mapping[Scope, Counts]
    """Recipients of each scope."""
    requests: int
    reasons: Mapping[str, int]
    refused: str | None = None
    interrupted: bool = False
    expired: int = 0
    """Those not begun whose window or message has ended: no later apply goes on with them."""
    goes_on_until: datetime | None = None
    """Until when a later apply can go on with the others; None: at any time."""

    @property
    def accepted(self) -> int:
        return self.recipients.accepted

    @property
    def rejected(self) -> int:
        return self.recipients.rejected

    @property
    def unknown(self) -> int:
        return self.recipients.unknown

    @property
    def not_begun(self) -> int:
        return self.recipients.not_begun
