"""What the planner is given for one notification at one occurrence, and for what only the ledger remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from notifyctl.model.ledger import BatchRecord
from notifyctl.model.message import Message
from notifyctl.model.project import RECIPIENT_ZONE, Environment, Notification
from notifyctl.model.recipients import Scope
from notifyctl.plan.prices import PriceList
from notifyctl.ports import AudienceReader
from notifyctl.progress import Progress, ignore_progress
from notifyctl.schedule.timing import Occurrence

Batches = Callable[[], Iterable[BatchRecord]]
"""Reads batch records of a ledger; may be called again."""


def no_batches() -> Iterable[BatchRecord]:
    return ()


class RecordedAudience(Struct, frozen=True):
    """The audience that was recorded when an edition was opened: the packed ids in `held`, and the members of the batches that
    the opening run planned. `epochs`: the run that opened each scope.
    """

    held: Sequence[bytes]
    epochs: Mapping[Scope, int] = {}


class LedgerRecords(Struct, frozen=True):
    """What a ledger holds about the recipients of one scope. Nothing is read before it is asked for."""

    batches: Batches = no_batches
    """Of the scope, and of those it had under other names."""
    served: Callable[[], Iterable[bytes]] = tuple
    """Packed members that a baseline counts as served."""
    recorded: RecordedAudience | None = None
    """`None`: the edition is not opened yet."""
    earlier: Batches = no_batches
    """Of lower editions on the same channel."""
    vanished: Mapping[str, Sequence[Batches]] = {}
    """Names that have records and no definition → the batches of each of their scopes; for a name without records."""


class ScopeInput(Struct, frozen=True):
    """One scope to plan: definition, audience, and what the ledger holds about it."""

    notification: Notification
    scope: Scope
    occurrence: Occurrence
    messages: Mapping[str | None, Message]
    """The composed message for each variant of the template."""
    audience: AudienceReader
    locale: str
    """For recipients that name none."""
    zone: str
    """The project's time zone, for schedules and recipients that name none."""
    records: LedgerRecords = field(default_factory=LedgerRecords)
    withdrawn: str | None = None
    baseline: str | None = None
    """The reason of a baseline that is not recorded yet: whoever is in the audience counts as served from its apply on."""
    fresh_only: bool = False
    """Only who was never attempted may be sent to: a saved plan is applied again."""

    def zone_of(self, recipient_zone: str | None) -> str:
        """The time zone that the schedule counts in for a recipient."""
        schedule = self.notification.schedule
        wanted = schedule.timezone if schedule else None
        return (recipient_zone or self.zone) if wanted == RECIPIENT_ZONE else (wanted or self.zone)


class RemovedScope(Struct, frozen=True):
    """A scope in the ledger that no definition stands for any more.

    `uncertain` people may have the message; `withdrawn` people are in the recorded audience and will not get it.
    """

    scope: Scope
    uncertain: int
    withdrawn: int


class PlanContext(Struct, frozen=True):
    """What a plan is made for: the part of the input that is not about one notification."""

    project: str
    environment: Environment
    provider: str
    """The provider's identity, as the digest binds to it."""
    lineage: str | None
    """The ledger's; `None` without one."""
    as_of: datetime
    complete: bool = True
    later: Sequence[tuple[str, str, datetime]] = ()
    prices: PriceList | None = None
    show_progress: Callable[[Progress], None] = ignore_progress
