"""What the planner is given for one notification at one occurrence, and for what only the ledger remembers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct, field

from notifyctl.model.message import Message
from notifyctl.model.project import RECIPIENT_ZONE, Notification
from notifyctl.model.recipients import Scope
from notifyctl.plan.standing import Standing
from notifyctl.ports import AudienceReader
from notifyctl.schedule.timing import Occurrence

Identify = Callable[[Sequence[str]], Sequence[bytes]]
"""Normalised addresses → recipient ids, in their order: the ledger's keyed hash."""


class Part(Struct, frozen=True):
    """One scope to plan: definition, people and the facts about them."""

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
    standings: Mapping[bytes, Standing]
    recorded: Collection[bytes] | None
    """The recorded audience of the edition; `None`: not opened yet."""
    earlier: Collection[bytes]
    """Who accepted a lower edition."""
    withdrawn: str | None = None
    held: str | None = None
    """A reason to block the whole scope, found before anybody was looked at."""
    baseline: str | None = None
    """The reason of a baseline that is not recorded yet: whoever is in the audience counts as served from its apply on."""
    vanished: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    """Names that have facts and no definition → packed members that accepted under them; for a name without facts."""
    fresh_only: bool = False
    """Only who was never attempted may be sent to: a saved plan is applied again."""

    def zone_of(self, recipient_zone: str | None) -> str:
        schedule = self.notification.schedule
        wanted = schedule.timezone if schedule else None
        return (recipient_zone or self.zone) if wanted == RECIPIENT_ZONE else (wanted or self.zone)


class Orphan(Struct, frozen=True):
    """A scope in the ledger that no definition stands for any more: what was not accepted is withdrawn."""

    scope: Scope
    standings: Mapping[bytes, Standing]
    recorded: Collection[bytes]
