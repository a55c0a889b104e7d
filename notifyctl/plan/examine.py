"""One scope, recipient by recipient: the action of each, and the units, effects and counts that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from msgspec import Struct, field

from notifyctl.audience.rejects import Rejects
from notifyctl.message import DeliveryHash, own_values, resolve, texts_hash, variant_for
from notifyctl.model.batch import SendGroup, UnitColumns, Units
from notifyctl.model.message import Envelope
from notifyctl.model.project import ChannelName, Notification
from notifyctl.model.recipients import FINGERPRINT_BYTES, MEMBER_BYTES, RecipientBatch, RowRejection
from notifyctl.plan.actions import AUTHORISED, Action, Circumstances, Decision, Intent, decide
from notifyctl.plan.digest import ScopeEffects
from notifyctl.plan.inspect import Inspector
from notifyctl.plan.part import Identify, Part
from notifyctl.plan.prices import PriceList, Tally
from notifyctl.plan.samples import Samples
from notifyctl.plan.standing import Standing
from notifyctl.progress import ignore_progress
from notifyctl.schedule.timing import Timing, evaluate_timing


class GroupKey(NamedTuple):
    """What units must share to be sent together."""

    variant: str | None
    send_at: datetime | None
    expire_at: datetime | None
    validity: int | None
    closes: datetime | None


UNITS_AT_ONCE = 8192

Shown = tuple[str | None, bytes, Action, str, Sequence[str | None]]
"""What `Samples.add` takes."""

NOT_A_RECIPIENT = {
    RowRejection.DUPLICATE: Action.SUPPRESSED,
    RowRejection.NO_ADDRESS: Action.SUPPRESSED,
}
"""Rows that are people all the same, and so are counted under an action; bad rows are nobody."""


class Growing(Struct):
    """Units of one message and envelope while they are gathered."""

    members: list[bytes] = field(default_factory=list)
    destinations: list[str] = field(default_factory=list)
    own: list[tuple[str | None, ...]] = field(default_factory=list)
    correlations: list[str | None] = field(default_factory=list)

    def units(self) -> Units:
        columns = list(zip(*self.own, strict=True))
        return UnitColumns(b"".join(self.members), self.destinations, columns, self.correlations)


class Examination(Struct):
    """All that is found out about one scope."""

    part: Part
    effects: ScopeEffects
    samples: Samples
    counts: Counter[Action] = field(default_factory=Counter)
    reasons: dict[Action, Counter[str]] = field(default_factory=dict)
    groups: dict[GroupKey, Units] = field(default_factory=dict)
    held: list[bytes] = field(default_factory=list)
    """Ids of people in the audience whom nothing is sent to now, but who belong to the edition."""
    excluded: Rejects = field(default_factory=Rejects)
    served: list[bytes] = field(default_factory=list)
    """Packed members that a baseline counts as served."""
    content_hash: str = ""
    tally: Tally = field(default_factory=lambda: Tally(ChannelName.SMS, None))
    """Of all that is authorised."""
    rows: int = 0
    recipients: int = 0
    segments: int = 0
    joiners: int = 0
    due: datetime | None = None
    deferred_until: datetime | None = None
    expires: datetime | None = None

    def count(self, action: Action, reason: str | None, number: int = 1) -> None:
        self.counts[action] += number
        if reason:
            self.reasons.setdefault(action, Counter())[reason] += number

    @property
    def authorised(self) -> int:
        return sum(self.counts[action] for action in AUTHORISED)

    def block(self, reason: str) -> None:
        """Turn all that would be sent into blocked: a threshold of the whole scope is broken."""
        stopped = self.authorised
        for action in AUTHORISED:
            self.counts.pop(action, None)
            self.reasons.pop(action, None)
        self.count(Action.BLOCKED, reason, stopped)
        self.groups.clear()
        self.effects.clear()
        self.segments = 0
        self.tally = Tally(self.tally.channel, self.tally.list)

    def units(self) -> Iterator[bytes]:
        """Packed members of all that is sent now, one by one."""
        for units in self.groups.values():
            for members, _ in units.heads(UNITS_AT_ONCE):
                for at in range(0, len(members), MEMBER_BYTES):
                    yield members[at : at + MEMBER_BYTES]

    def consignments(self) -> Iterator[SendGroup]:
        for key, units in sorted(self.groups.items(), key=lambda each: str(each[0])):
            yield SendGroup(
                self.part.scope,
                self.part.messages[key.variant],
                envelope(self.part.notification, key),
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


class Examiner:
    """Walks the batches of one part. Whatever is the same for a variant or a time zone is worked out once."""

    def __init__(self, part: Part, *, profile: str, now: datetime, prices: PriceList | None = None) -> None:
        policy = part.notification.policy
        assert policy is not None, "linking fills the policy in"
        self.part = part
        self.now = now
        template = part.notification.template
        self.hashes = {variant: DeliveryHash(message) for variant, message in part.messages.items()}
        self.inspectors = {
            variant: Inspector(message, template, policy, profile=profile)
            for variant, message in part.messages.items()
        }
        self.content_hash = texts_hash(part.messages)
        given = part.notification.acknowledge
        self.acknowledged = given is not None and self.content_hash.startswith(given)
        self.zones: dict[str, Timing | None] = {}
        self.growing: dict[GroupKey, Growing] = {}
        self.found = Examination(part, ScopeEffects(part.scope, policy), Samples(part.messages))
        self.found.content_hash = self.content_hash
        self.tally = self.found.tally = Tally(part.scope.channel, prices)

    def run(self, identify: Identify, *, on_rows: Callable[[int], None] = ignore_progress) -> Examination:
        """`on_rows` is told of the rows that were read, now and then."""
        for batch in self.part.audience.batches(self.part.scope.channel):
            self._exclude(batch)
            ids = identify(batch.addresses)
            by_variant: dict[str | None, list[int]] = {}
            for position, locale in enumerate(batch.locales):
                variant = variant_for(self.part.notification.template, locale or self.part.locale)
                by_variant.setdefault(variant, []).append(position)
            shown: list[tuple[int, Shown]] = []
            for variant, positions in by_variant.items():
                shown += self._walk(batch, ids, variant, positions)
            # Variants may have the same text: its first reader is the one of the first row.
            for _, each in sorted(shown, key=itemgetter(0)):
                self.found.samples.add(*each)
            self.found.rows += len(batch)
            self.found.recipients += len(batch)
            on_rows(self.found.rows)
        self.found.groups = {key: growing.units() for key, growing in self.growing.items()}
        return self.found

    def _exclude(self, batch: RecipientBatch) -> None:
        for row in batch.excluded:
            self.found.rows += 1
            self.found.excluded.add(row)
            action = NOT_A_RECIPIENT.get(row.reason)
            if action is not None:
                self.found.count(action, row.reason.value)

    def _walk(
        self,
        batch: RecipientBatch,
        ids: Sequence[bytes],
        variant: str | None,
        positions: list[int],
    ) -> Iterator[tuple[int, Shown]]:
        """Those that may be shown, by their positions."""
        part, found = self.part, self.found
        message, hasher, inspector = part.messages[variant], self.hashes[variant], self.inspectors[variant]
        rows = list(own_values(message, batch))
        for position in positions:
            recipient, own = ids[position], rows[position]
            values = resolve(message, own)
            delivery_hash = hasher.of(values)
            look = inspector.look(values)
            when = self.timing(part.zone_of(batch.timezones[position]))
            suppression = batch.suppressions[position]
            joined = part.recorded is not None and recipient not in part.recorded
            standing = part.standings.get(recipient)
            decision = decide(
                kind=standing.kind if standing else None,
                same=standing is None or is_same(standing, delivery_hash, hasher, values),
                suppressed=suppression,
                blocked=part.held or look.blocked or (None if when else "unknown-timezone"),
                joined=joined,
                earlier=recipient in part.earlier,
                circumstances=self.circumstances(when),
            )
            self._keep(decision, recipient, delivery_hash, look.segments, when)
            if decision.reason == "baseline":
                found.served.append(recipient + delivery_hash[:FINGERPRINT_BYTES])
            if decision.action in AUTHORISED:
                self.tally.add(batch.addresses[position], look.segments)
            if decision.action in AUTHORISED or decision.action is Action.CHANGED:
                yield (
                    position,
                    (variant, delivery_hash, decision.action, batch.destinations[position], values),
                )
            if decision.action.sends:
                assert when is not None
                key = GroupKey(variant, when.send_at, when.expire_at, when.validity, when.closes)
                group = self.growing.setdefault(key, Growing())
                group.members.append(recipient + delivery_hash[:FINGERPRINT_BYTES])
                group.destinations.append(batch.destinations[position])
                group.own.append(own)
                group.correlations.append(batch.correlations[position])

    def _keep(
        self,
        decision: Decision,
        recipient: bytes,
        delivery_hash: bytes,
        segments: int | None,
        when: Timing | None,
    ) -> None:
        found = self.found
        found.count(decision.action, decision.reason)
        if decision.action in {Action.DEFERRED, Action.BLOCKED}:
            found.held.append(recipient)
        if decision.action in AUTHORISED and when is not None:
            found.effects.add(recipient, decision.intent, delivery_hash, when.not_before, when.expires)
            found.segments += segments or 0
            found.joiners += decision.intent is Intent.JOINER
            found.due = earliest(found.due, when.not_before)
            found.expires = earliest(found.expires, when.expires)
            if decision.action is Action.DEFERRED:
                found.deferred_until = earliest(found.deferred_until, when.until)

    def timing(self, zone: str) -> Timing | None:
        if zone not in self.zones:
            try:
                self.zones[zone] = evaluate_timing(
                    self.part.notification.schedule, self.part.occurrence, zone=zone, now=self.now
                )
            except (ZoneInfoNotFoundError, ValueError):
                self.zones[zone] = None
        return self.zones[zone]

    def circumstances(self, when: Timing | None) -> Circumstances:
        return Circumstances(
            withdrawn=self.part.withdrawn,
            expired=when.reason if when and when.state == "expired" else None,
            deferred=when.reason if when and when.state == "deferred" else None,
            joiners=self.part.notification.joiners,
            unknown=self.part.notification.on_unknown,
            fresh_only=self.part.fresh_only,
            acknowledged=self.acknowledged,
            baseline=self.part.baseline is not None,
        )


def is_same(
    standing: Standing, delivery_hash: bytes, hasher: DeliveryHash, values: Sequence[str | None]
) -> bool:
    """Whether what was sent is what it would get now, by the hash of this version or that of earlier ones."""
    hashes = chain([delivery_hash], hasher.formers(values))
    return any(standing.fingerprint == each[:FINGERPRINT_BYTES] for each in hashes)


def earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    return min(filter(None, (first, second)), default=None)
