"""The result of planning one scope: counts, reasons, effects, costs, samples and send groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from notifyctl.audience.rejects import Rejects
from notifyctl.model.batch import SendGroup
from notifyctl.model.left_out import SMS_FALLBACK
from notifyctl.model.message import Envelope, LeftOut
from notifyctl.model.project import ChannelName, Notification
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.combinations import Combination
from notifyctl.plan.digest import ScopeEffects
from notifyctl.plan.forecast import Leg
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.model import LeftOutOf
from notifyctl.plan.prices import CostTally
from notifyctl.plan.samples import Samples
from notifyctl.plan.selected_recipients import SelectedRecipients
from notifyctl.plan.similarity import NearlySent
from notifyctl.recipients.gaps import Gaps
from notifyctl.schedule.moments import Moments, gather


class GroupKey(NamedTuple):
    """What recipients of one request have in common."""

    variant: str | None
    send_at: datetime | None
    expire_at: datetime | None
    validity: int | None
    closes: datetime | None
    fallback: str | None = None
    """Why no SMS is sent in place of the message."""


class ScopeResult(Struct):
    """Counts, effects and send groups of one scope, filled during evaluation."""

    input: ScopeInput
    effects: ScopeEffects
    sending: ScopeEffects
    """The part of the effects that an apply of this plan would carry out now."""
    samples: Samples
    tally: CostTally
    """The cost of all authorised messages."""
    fallback: CostTally
    """Of the SMS that are sent if RCS fails for all of them."""
    content_hash: str
    excluded: Rejects = field(default_factory=Rejects)
    readings: Counter[str] = field(default_factory=Counter)
    """How phone numbers were read, as in RecipientBatch."""
    gaps: Gaps = field(default_factory=Gaps)
    counts: Counter[Action] = field(default_factory=Counter)
    reasons: dict[Action, Counter[str]] = {}
    groups: dict[GroupKey, SelectedRecipients] = {}
    final: set[GroupKey] = set()
    """Groups of which nobody is sent to after `closes`."""
    begin_by: dict[GroupKey, datetime] = {}
    """Until when a run must begin a group."""
    legs: list[Leg] = []
    """What is authorised, by when it goes and until when."""
    late: float | None = None
    """Seconds since the first moment at which those who are sent to now might have been."""
    probed: list[Combination] = []
    """Of the addresses that the plan is asked about."""
    blocked_by: str | None = None
    """The threshold that blocks every send of the scope."""
    people: int = 0
    """All recipients of the occurrence: who was sent it, or may have been, and who is still to be."""
    waits: str | None = None
    """Why nobody is sent it by an acceptance."""
    held: bytes = b""
    """Packed ids of recipients that belong to the edition but are not sent to now."""
    served: bytes = b""
    """Packed members that a baseline counts as already notified."""
    without_fallback: Counter[str] = field(default_factory=Counter)
    """Why somebody who may be sent to gets no SMS in place of the message → how many."""
    likeness: tuple[int, ...] = ()
    """Fingerprints of the texts, for the ledger, if the edition is not started yet."""
    nearly: tuple[NearlySent, ...] = ()
    recorded_size: int = 0
    """Size of the audience recorded when the edition started."""
    rows: int = 0
    recipients: int = 0
    segments: int = 0
    joiners: int = 0
    """Those of `covered`."""
    missed: int = 0
    """Recipients of the audience who were not sent it in time, and of whom nobody was told yet: see `plan.missed`."""
    covered: int = 0
    """Recipients who are authorised now or at another time of the day: what limits are compared with, at whatever time."""
    elsewhere: Counter[str] = field(default_factory=Counter)
    """Recipients whose time zone has no such occurrence, or has it after the horizon, by this reason."""
    due: datetime | None = None
    deferred_until: datetime | None = None
    expires: datetime | None = None
    expired_at: datetime | None = None
    """When the first of `missed` expired."""
    instants: dict[str, dict[str, datetime]] = {}
    """Those and `closes`, `send_at` and `expired_at`, by time zone."""
    moved: set[str] = set()
    zones: set[str] = set()
    """Time zones of the recipients, in the schedule's or their own; what is none of the IANA database is not left out."""
    by_zone: Counter[str] = field(default_factory=Counter)
    """Recipients whom no rule keeps from being sent to, whenever that is and whether or not they were, by time zone."""

    def note(self, name: str, zone: str, moment: datetime | None) -> None:
        """Keeps the earliest moment of a time zone."""
        if moment is not None:
            found = self.instants.setdefault(name, {})
            found[zone] = min(found.get(zone, moment), moment)

    def times(self) -> dict[str, Moments]:
        zone = self.input.timezone
        return {name: found for name, by_zone in self.instants.items() if (found := gather(zone, by_zone))}

    def count(self, action: Action, reason: str | None, number: int) -> None:
        self.counts[action] += number
        if reason:
            self.reasons.setdefault(action, Counter())[reason] += number

    @property
    def listed(self) -> bool:
        """Whether the scope concerns anybody; an empty audience is a problem to show."""
        return not self.recipients or self.elsewhere.total() < self.recipients

    @property
    def authorised(self) -> int:
        return sum(self.counts[action] for action in AUTHORISED)

    @property
    def sends(self) -> int:
        return sum(map(len, self.groups.values()))

    def block(self, reason: str) -> None:
        """Blocks every send of the scope, because a threshold is exceeded."""
        self.blocked_by = reason
        blocked = self.authorised
        for action in AUTHORISED:
            self.counts.pop(action, None)
            self.reasons.pop(action, None)
        if blocked:
            self.count(Action.BLOCKED, reason, blocked)
        self.covered = 0
        self.sending.groups.clear()
        self.legs.clear()
        self.late = None
        self.groups.clear()
        self.without_fallback.clear()
        self.effects.groups.clear()
        self.segments = 0
        self.tally = CostTally(self.tally.channel, self.tally.list)
        self.fallback = CostTally(ChannelName.SMS, self.tally.list)

    def send_groups(self) -> Iterator[SendGroup]:
        """Yields what is sent now, in the order of an apply."""
        for key, units in sorted(self.groups.items(), key=lambda each: str(each[0])):
            yield SendGroup(
                self.input.scope,
                self.input.messages[key.variant],
                envelope(self.input.notification, key),
                units,
                self.left_out(key.fallback),
                key.closes,
                key in self.final,
                self.begin_by.get(key),
            )

    def left_out(self, fallback: str | None) -> tuple[LeftOut, ...]:
        """Destinations that the message goes without. `fallback`: why there is no SMS in its place, if there is none."""
        copies = self.input.copies.left_out
        return copies if fallback is None else (*copies, LeftOut(SMS_FALLBACK, fallback))

    def describe_left_out(self) -> Iterator[LeftOutOf]:
        """The same with the number of those who may be sent to."""
        if self.authorised:
            for each in self.input.copies.left_out:
                yield LeftOutOf(each.what, each.reason, self.authorised)
        for reason, people in sorted(self.without_fallback.items()):
            yield LeftOutOf(SMS_FALLBACK, reason, people)


def envelope(notification: Notification, key: GroupKey) -> Envelope:
    return Envelope(
        send_at=key.send_at,
        expire_at=key.expire_at,
        validity=key.validity,
        priority=notification.priority,
        callback_data=notification.callback_data,
        notify_url=notification.notify_url,
        notify_url_auth_id=notification.notify_url_auth_id,
        requested_receipts=notification.requested_receipts,
        contact_policy=notification.contact_policy,
        batch_id=notification.batch_id,
        multiple_to_recipients=notification.multiple_to_recipients,
    )
