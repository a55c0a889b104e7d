"""What a plan found out about one scope: counts, reasons, effects, costs, samples, and whom it sends to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from notifyctl.audience.rejects import Rejects
from notifyctl.model.batch import SendGroup
from notifyctl.model.message import Envelope
from notifyctl.model.project import Notification
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.digest import ScopeEffects
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.prices import CostTally
from notifyctl.plan.samples import Samples
from notifyctl.plan.selected_recipients import SelectedRecipients


class GroupKey(NamedTuple):
    """What recipients must share to be sent to together."""

    variant: str | None
    send_at: datetime | None
    expire_at: datetime | None
    validity: int | None
    closes: datetime | None


class ScopeResult(Struct):
    """All that is found out about one scope."""

    input: ScopeInput
    effects: ScopeEffects
    samples: Samples
    tally: CostTally
    """Of all that is authorised."""
    content_hash: str
    excluded: Rejects = field(default_factory=Rejects)
    counts: Counter[Action] = field(default_factory=Counter)
    reasons: dict[Action, Counter[str]] = {}
    groups: dict[GroupKey, SelectedRecipients] = {}
    held: bytes = b""
    """Packed ids of people in the audience whom nothing is sent to now, but who belong to the edition."""
    served: bytes = b""
    """Packed members that a baseline counts as served."""
    rename_suspects: dict[str, int] = {}
    """Names that nothing defines any more → how many of those who are sent to accepted just this text under it."""
    recorded_size: int = 0
    """Of the audience that was recorded when the edition was opened."""
    rows: int = 0
    recipients: int = 0
    segments: int = 0
    joiners: int = 0
    due: datetime | None = None
    deferred_until: datetime | None = None
    expires: datetime | None = None

    def count(self, action: Action, reason: str | None, number: int) -> None:
        self.counts[action] += number
        if reason:
            self.reasons.setdefault(action, Counter())[reason] += number

    @property
    def authorised(self) -> int:
        return sum(self.counts[action] for action in AUTHORISED)

    @property
    def sends(self) -> int:
        return sum(map(len, self.groups.values()))

    def block(self, reason: str) -> None:
        """Turn all that would be sent into blocked: a threshold of the whole scope is broken."""
        stopped = self.authorised
        for action in AUTHORISED:
            self.counts.pop(action, None)
            self.reasons.pop(action, None)
        self.count(Action.BLOCKED, reason, stopped)
        self.groups.clear()
        self.effects.groups.clear()
        self.segments = 0
        self.tally = CostTally(self.tally.channel, self.tally.list)

    def send_groups(self) -> Iterator[SendGroup]:
        """What is sent now, in the order in which an apply walks it."""
        for key, units in sorted(self.groups.items(), key=lambda each: str(each[0])):
            yield SendGroup(
                self.input.scope,
                self.input.messages[key.variant],
                envelope(self.input.notification, key),
                units,
                key.closes,
            )


def envelope(notification: Notification, key: GroupKey) -> Envelope:
    return Envelope(
        send_at=key.send_at,
        expire_at=key.expire_at,
        validity=key.validity,
        priority=notification.priority,
        callback_data=notification.callback_data,
        notify_url=notification.notify_url,
        requested_receipts=notification.requested_receipts,
    )
