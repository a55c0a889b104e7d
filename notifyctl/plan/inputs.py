"""Inputs of the planner: the context, the scopes to plan, and scopes whose definition was removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec import Struct, field

from notifyctl.audience.destination_rules import JudgedCopies
from notifyctl.model.ledger import BatchRecord
from notifyctl.model.message import Message
from notifyctl.model.project import Environment, Notification
from notifyctl.model.recipients import Scope
from notifyctl.plan.prices import PriceList
from notifyctl.plan.series import Series
from notifyctl.ports import AudienceReader
from notifyctl.progress import Progress, ignore_progress
from notifyctl.recipients.values import ValueTable
from notifyctl.schedule.horizon import Span
from notifyctl.schedule.slots import Occurrence

Batches = Callable[[], Iterable[BatchRecord]]
"""Reads batch records; can be called repeatedly."""


FindBlocked = Callable[[ValueTable], Iterable[tuple[int, str]]]
"""Positions of recipients that are not sent to, each with the rule that their message breaks."""


def no_batches() -> Iterable[BatchRecord]:
    return ()


class RecordedAudience(Struct, frozen=True):
    """The audience recorded when an edition started: the packed ids in `held`, and the members of the batches planned by that
    run. `epochs`: scope → run that opened it.
    """

    held: Sequence[bytes]
    epochs: Mapping[Scope, int] = {}


class ScopeRecords(Struct, frozen=True):
    """What the ledger has of one scope, read on demand. `served` as in LedgerRecords."""

    scope: Scope
    batches: Batches = no_batches
    served: Callable[[], Iterable[bytes]] = tuple


class LedgerRecords(Struct, frozen=True):
    """The ledger's records of one scope, read on demand."""

    batches: Batches = no_batches
    """Of the scope, under its current and earlier names."""
    served: Callable[[], Iterable[bytes]] = tuple
    """Packed members that a baseline counts as already notified."""
    recorded: RecordedAudience | None = None
    """`None`: the edition has not started."""
    earlier: Batches = no_batches
    """Of earlier editions on the same channel."""
    own: Sequence[ScopeRecords] = ()
    """Of every edition and occurrence on the same channel, under current and earlier names."""
    vanished: Mapping[str, Sequence[ScopeRecords]] = {}
    """Recorded names without a definition → their scopes on the same channel."""
    alike: Sequence[tuple[ScopeRecords, Sequence[int]]] = ()
    """Other scopes on the same channel with the fingerprints of their texts, for an edition that has not started."""
    beside: Sequence[ScopeRecords] = ()
    """Other occurrences of the same edition that may stand for this one in some recipients' time zones."""
    begins: Callable[[], Mapping[int, datetime]] = dict
    """Run → when it began to send."""


class ScopeInput(Struct, frozen=True):
    """One scope to plan: definition, audience and ledger records."""

    notification: Notification
    scope: Scope
    occurrence: Occurrence
    messages: Mapping[str | None, Message]
    """The composed message for each variant of the template."""
    audience: AudienceReader
    locale: str
    """For recipients without a locale."""
    zone: str
    """The project's time zone, for schedules and recipients without one."""
    records: LedgerRecords = field(default_factory=LedgerRecords)
    former_messages: Callable[[], Mapping[str | None, Message]] = dict
    """The messages that earlier versions composed from the same files, where they differ."""
    withdrawn: str | None = None
    baseline: str | None = None
    """The reason of a baseline that is not recorded yet. Its apply counts the audience as already notified."""
    copies: JudgedCopies = JudgedCopies()
    recorded_baseline: str | None = None
    """The reason of the recorded one."""
    higher_edition: int | None = None
    """The highest edition that was opened, where it is above this one."""
    find_blocked: Mapping[str | None, FindBlocked] = {}
    """For each variant the rules over finished texts."""
    require_plus: bool = False
    """The account takes numbers with a + only."""
    fresh_only: bool = False
    """Send only to recipients never attempted: a saved plan is applied again."""
    opened: AbstractSet[str] = frozenset()
    """The ids of the occurrences of this edition that were opened."""

    @property
    def timezone(self) -> str:
        """The schedule's: an IANA name, or RECIPIENT_ZONE."""
        schedule = self.notification.schedule
        return (schedule.timezone if schedule else None) or self.zone


class FollowUp(Struct, frozen=True):
    """A notification with a time in its schedule, to show what is still to come of it. `zone`: the project's; `scope_input` makes
    the input for one of its occurrences.
    """

    notification: Notification
    zone: str
    scope_input: Callable[[Occurrence], ScopeInput]

    @property
    def timezone(self) -> str:
        """The schedule's: an IANA name, or RECIPIENT_ZONE."""
        schedule = self.notification.schedule
        return (schedule.timezone if schedule else None) or self.zone

    @property
    def is_recurring(self) -> bool:
        schedule = self.notification.schedule
        return schedule is not None and schedule.recurs


class RemovedScope(Struct, frozen=True):
    """A recorded scope whose definition was removed.

    `uncertain`: recipients with an unknown outcome. `withdrawn`: recipients of the recorded audience not sent to.
    """

    scope: Scope
    uncertain: int
    withdrawn: int


class PlanContext(Struct, frozen=True):
    """The input of a plan that all notifications share."""

    project: str
    environment: Environment
    provider: str
    """The provider's identity in the digest."""
    lineage: str | None
    """The ledger's ID; `None` without a ledger."""
    as_of: datetime
    made_at: datetime | None = None
    """As in Plan."""
    complete: bool = True
    timezone: str = "UTC"
    """The project's."""
    probe: frozenset[str] = frozenset()
    """Normalised addresses of which the plan is to say what it decides."""
    knows_former_keys: bool = False
    """Whether the ledger may know people by the keys of former rules of identity."""
    span: Span | None = None
    """What is authorised of recurring schedules; None: everything that the inputs name."""
    later: Sequence[tuple[str, str, datetime | None]] = ()
    versions: Mapping[str, str] = {}
    """Of the data that moments depend on, as in Plan."""
    prices: PriceList | None = None
    needs_gsm7: bool = False
    """Whether a value outside GSM-7 blocks its reader, in an SMS of `type: text`."""
    show_progress: Callable[[Progress], None] = ignore_progress
    series: Mapping[str, Series] = {}
    """Of recurring notifications, by name."""
    accepted_only: bool = False
    """Whether only what is accepted may be sent: nobody is asked."""
