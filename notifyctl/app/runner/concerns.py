"""Which occurrences need somebody: expired unsent, waiting for acceptance, or with recipients whose outcome is unknown.

An occurrence that expired counts if it was due after its series was accepted, and if it was to be sent at all: what a holiday, a
window or a later slot leaves out is no failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import islice

from msgspec import Struct

from notifyctl.app.ledger import Facts
from notifyctl.app.plan import Past, is_recurring, readings_of, schedule_zone
from notifyctl.app.workspace import Workspace
from notifyctl.model.acceptance import Acceptance
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import RECIPIENT_ZONE, Notification, Project, Schedule
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.plan.actions import Action
from notifyctl.plan.ledger_join import count_unsettled
from notifyctl.plan.model import Plan, PlannedNotification
from notifyctl.schedule.slots import ONCE, WEST, Occurrence, slots_before
from notifyctl.schedule.timing import lapse_time, local_time
from notifyctl.schedule.upcoming import Slot, judge
from notifyctl.schedule.zones import to_local

LOOKED_BACK = timedelta(days=31)
"""How long ago an occurrence can have lapsed for a runner that was not there to be noticed."""
STANDING = timedelta(hours=24)
"""How long an expired occurrence keeps `/healthz` at 503, unless the next one of its series is sent before."""
MOST_SLOTS = 1_000
"""Slots of one series that are looked at: each hour of those days."""


class ConcernKind(StrEnum):
    EXPIRED = "expired"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    BLOCKED = "blocked"  # what no acceptance lets go, and some recipients: they are listed, and no more


class Concern(Struct, frozen=True):
    """One occurrence. `recipients`: 0 if not known. `why`: the reason, as in a plan, and `series`: the fingerprint to accept, for what
    waits.
    """

    kind: ConcernKind
    scope: Scope
    recipients: int = 0
    why: str = ""
    series: str = ""

    @property
    def key(self) -> str:
        """By which the ledger knows that it was reported. Another version of the series, or another kind of reason, is another
        report; another number in it is not.
        """
        scope = self.scope
        parts = (
            self.kind.value,
            scope.notification,
            str(scope.edition),
            scope.occurrence,
            scope.channel.value,
        )
        mark = (self.why.partition(" ")[0], self.series) if self.why else ()
        return "|".join((*parts, *mark))


class Concerns(Struct, frozen=True):
    """`expired` are those that nobody was told of, `standing` those that were, and keep `/healthz` at 503."""

    waiting: Sequence[Concern]
    uncertain: Sequence[Concern]
    expired: Sequence[Concern]
    standing: Sequence[Concern]
    blocked: Sequence[Concern] = ()


def find_concerns(workspace: Workspace, plan: Plan, facts: Facts) -> Concerns:
    """`plan`: by what is accepted, and with nothing left to send now."""
    notices = facts.reader.notices() if facts.reader is not None else {}
    waiting = list(find_waiting(plan))
    lapsed = list(find_lapsed(workspace, plan, facts))
    return Concerns(
        waiting=waiting,
        uncertain=list(find_uncertain(plan)),
        expired=[each for each in lapsed if each.key not in notices],
        standing=[
            each
            for each in lapsed
            if each.key in notices
            and plan.as_of < notices[each.key] + STANDING
            and not was_followed(workspace.sound, facts, each.scope)
        ],
        blocked=list(find_blocked(plan, {each.scope for each in waiting})),
    )


def find_uncertain(plan: Plan) -> Iterator[Concern]:
    for planned in plan.notifications:
        if count := planned.actions.get(Action.UNCERTAIN, 0):
            yield Concern(ConcernKind.UNCERTAIN, scope_of(planned), count)


THRESHOLDS = ("max-", "unsubscribe-missing")
"""How the reasons begin for which a whole occurrence is blocked."""


def find_waiting(plan: Plan) -> Iterator[Concern]:
    """Occurrences of series that need an acceptance, or that a limit blocks, also before they are due: there is time then."""
    fingerprints = {each.name: each.fingerprint for each in plan.series}
    for planned in plan.notifications:
        blocked = planned.actions.get(Action.BLOCKED, 0)
        if planned.name not in fingerprints or not blocked:
            continue
        limits = (each for each in planned.reasons.get(Action.BLOCKED, {}) if each.startswith(THRESHOLDS))
        why = planned.waits or next(limits, None)
        if why is not None:
            yield Concern(ConcernKind.WAITING, scope_of(planned), blocked, why, fingerprints[planned.name])


def find_blocked(plan: Plan, waiting: Collection[Scope]) -> Iterator[Concern]:
    for planned in plan.notifications:
        count = planned.actions.get(Action.BLOCKED, 0)
        if count and scope_of(planned) not in waiting:
            why = planned.waits or ", ".join(planned.reasons.get(Action.BLOCKED, {}))
            yield Concern(ConcernKind.BLOCKED, scope_of(planned), count, why)


def scope_of(planned: PlannedNotification) -> Scope:
    return Scope(planned.name, planned.edition, planned.occurrence, planned.channel)


def find_lapsed(workspace: Workspace, plan: Plan, facts: Facts) -> Iterator[Concern]:
    """Accepted occurrences that nobody, or not everybody, was sent before they expired, earliest first."""
    project = workspace.sound
    accepted = accepted_since(facts)
    planned = {scope_of(each): each for each in (*plan.notifications, *plan.folded)}
    for notification in filter(is_recurring, project.notifications.values()):
        since = accepted.get((notification.name, notification.edition))
        if since is None:
            continue
        past = Past(project, facts)
        own = [
            each
            for each in past.scopes(notification.name)
            if (each.edition, each.channel) == (notification.edition, notification.channel)
        ]
        # What an apply began in time is finished after grace, and time zones lapse one after the other: the plan knows who expired.
        missed = {
            scope: each
            for scope, each in planned.items()
            if each.missed
            and scope.notification == notification.name
            and was_due_since(each, notification, since)
        }
        for scope, each in missed.items():
            yield Concern(ConcernKind.EXPIRED, scope, each.missed)
        for slot in lapsed_slots(project, notification, since, plan.as_of):
            scope = Scope(notification.name, notification.edition, slot.id, notification.channel)
            if scope in missed:
                continue
            is_same = readings_of(project, notification, occurrence_of(slot, notification))
            begun = [each for each in own if is_same(each.occurrence)]
            here = planned.get(scope)
            if here is not None:
                left = 0 if begun else here.actions.get(Action.EXPIRED, 0)
            else:
                left = sum(count_left(facts, each) for each in begun)
            if left or (here is None and not begun):
                yield Concern(ConcernKind.EXPIRED, scope, left)


def was_due_since(planned: PlannedNotification, notification: Notification, since: datetime) -> bool:
    """Whether what was missed of an occurrence was due after a moment."""
    schedule, expired = notification.schedule, planned.times.get("expired_at")
    assert schedule is not None, "only recurring notifications have occurrences"
    return expired is None or expired.last - schedule.grace > since


def count_left(facts: Facts, scope: Scope) -> int:
    """Recipients of a scope's batches who were in none that was attempted."""
    planned = b"".join(
        each.members[at : at + ID_BYTES]
        for each in facts.batches(scope)
        if each.state is BatchState.PLANNED
        for at in range(0, len(each.members), MEMBER_BYTES)
    )
    return count_unsettled(partial(facts.batches, scope), planned).never_begun if planned else 0


def accepted_since(facts: Facts) -> Mapping[tuple[str, int], datetime]:
    """Notification and edition → since when an acceptance of it is in the ledger; without those whose last one was taken back."""
    found: dict[tuple[str, int], datetime] = {}
    acceptances: Sequence[Acceptance] = facts.reader.acceptances() if facts.reader is not None else ()
    for each in acceptances:
        key = each.notification, each.edition
        if each.revoked:
            found.pop(key, None)
        else:
            found.setdefault(key, each.at)
    return found


def occurrence_of(slot: Slot, notification: Notification) -> Occurrence:
    by_recipient = notification.schedule is not None and notification.schedule.timezone == RECIPIENT_ZONE
    return Occurrence(slot.id, None if by_recipient else slot.due)


def lapsed_slots(
    project: Project, notification: Notification, since: datetime, now: datetime
) -> Iterator[Slot]:
    """The slots due since a moment that were to be sent, and have expired everywhere by now."""
    schedule = notification.schedule
    assert schedule is not None, "only recurring notifications have slots"
    zone = schedule_zone(project, notification)
    # With each recipient's own zone, an occurrence is over once it is in the westernmost one.
    room = WEST + utc_offset(now, zone) if schedule.timezone == RECIPIENT_ZONE else timedelta()
    for slot in slots_since(schedule, zone, max(since, now - LOOKED_BACK), now):
        if slot.skipped is None and slot.goes is not None:
            expires = lapse_time(schedule, slot.goes, zone)
            if expires is not None and expires + room <= now:
                yield slot


def utc_offset(now: datetime, zone: str) -> timedelta:
    return to_local(now, zone) - now.astimezone(UTC).replace(tzinfo=None)


def slots_since(schedule: Schedule, zone: str, since: datetime, now: datetime) -> Iterator[Slot]:
    """The slots due after `since` and by `now`, earliest first; of very many the latest."""
    found = []
    for each in islice(slots_before(schedule, zone, now), MOST_SLOTS):
        if each.due is None or each.due <= since:
            break
        found.append(judge(schedule, each.id, each.due, zone))
    return reversed(found)


def was_followed(project: Project, facts: Facts, scope: Scope) -> bool:
    """Whether a later occurrence of the series was sent to somebody."""
    for other in Past(project, facts).scopes(scope.notification):
        same = (other.edition, other.channel) == (scope.edition, scope.channel)
        later = ONCE not in {other.occurrence, scope.occurrence} and (
            local_time(other.occurrence) > local_time(scope.occurrence)
        )
        if same and later and any(each.state is BatchState.ACCEPTED for each in facts.batches(other)):
            return True
    return False
