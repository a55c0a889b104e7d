"""What is still to come of notifications with a schedule: their next occurrences, what is left out, and the words of the next.

It is shown and not authorised: nothing here is in the digest or in what an apply walks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from notifyctl.model.project import RECIPIENT_ZONE, HandOff
from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.inputs import FollowUp, PlanContext
from notifyctl.plan.model import NextOccurrence, Plan, PlannedNotification, Upcoming
from notifyctl.plan.scope_result import ScopeResult
from notifyctl.schedule.horizon import Span, authorised_from
from notifyctl.schedule.moments import gather
from notifyctl.schedule.slots import EAST, WEST, Occurrence
from notifyctl.schedule.timing import HORIZON
from notifyctl.schedule.upcoming import Slot, slots_to_come
from notifyctl.schedule.zones import is_zone

NEXT = 3
"""Occurrences shown of each notification."""
SKIPPED = 3
"""Occurrences shown that are left out."""
DUE = AUTHORISED | {Action.BLOCKED}


class Seen(Struct):
    """What the plan has of one notification."""

    zones: set[str] = field(default_factory=set)
    due: bool = False
    authorised: set[str] = field(default_factory=set)
    """Ids of occurrences of which somebody is sent something, now or later."""

    def add(self, result: ScopeResult) -> None:
        self.zones |= result.zones
        if result.listed:
            self.due = self.due or any(result.counts[action] for action in DUE)
            if any(result.counts[action] for action in AUTHORISED):
                self.authorised.add(result.input.scope.occurrence)


class PreviewedScope(Struct, frozen=True):
    """`zones`: of the recipients."""

    zones: set[str]
    planned: PlannedNotification


Preview = Callable[[FollowUp, Occurrence, PlanContext], PreviewedScope]
"""Evaluates an occurrence as a plan would that authorises it."""


def find_upcoming(
    follow_ups: Iterable[FollowUp],
    seen: Mapping[str, Seen],
    context: PlanContext,
    preview: Preview,
) -> Iterator[Upcoming]:
    """One for each of `follow_ups`, in their order. An audience is read again only where nothing of the notification is due."""
    for each in follow_ups:
        name = each.notification.name
        known = seen.get(name, Seen())
        slots = Slots.of(each, known.zones, context.as_of)
        shown = None
        # The one occurrence of an `at` is in the plan as it is.
        if not known.due and slots.next and each.is_recurring:
            result = preview(each, slots.first(each.timezone), widen(context, slots))
            shown = result.planned
            if result.zones - known.zones:
                # Nothing had been read of it, so the zones of its recipients were not known.
                slots = Slots.of(each, result.zones, context.as_of)
        yield Upcoming(
            name=name,
            channel=each.notification.channel,
            edition=each.notification.edition,
            timezone=each.timezone,
            due_now=known.due,
            next=tuple(
                replace(
                    next_occurrence(each.timezone, of, known), apply_from=first_apply(each, of, context.as_of)
                )
                for of in slots.next[:NEXT]
            ),
            skipped=tuple(next_occurrence(each.timezone, of, known) for of in slots.skipped[:SKIPPED]),
            skipped_more=max(0, len(slots.skipped) - SKIPPED),
            preview=shown,
        )


class Slots(Struct, frozen=True):
    """Slots by occurrence, each with its time zones; earliest first."""

    next: list[dict[str, Slot]]
    skipped: list[dict[str, Slot]]

    @classmethod
    def of(cls, follow_up: FollowUp, zones: Iterable[str], now: datetime) -> Slots:
        schedule = follow_up.notification.schedule
        assert schedule is not None, "only notifications with a schedule are followed"
        wanted = sorted(zones) if follow_up.timezone == RECIPIENT_ZONE else [follow_up.timezone]
        kept: dict[str, dict[str, Slot]] = {}
        left_out: dict[str, dict[str, Slot]] = {}
        for zone in filter(is_zone, wanted or [follow_up.zone]):
            found = []
            for slot in slots_to_come(schedule, zone, now=now):
                by_zone = kept if slot.skipped is None else left_out
                by_zone.setdefault(slot.id, {})[zone] = slot
                found += [slot] if slot.skipped is None else []
                if len(found) == NEXT:
                    break
        ordered = [sorted(each.values(), key=earliest_due) for each in (kept, left_out)]
        upcoming = ordered[0][:NEXT]
        last = max((slot.due for each in upcoming for slot in each.values()), default=None)
        before = [each for each in ordered[1] if last is None or earliest_due(each) < last]
        return cls(upcoming, before)

    def first(self, timezone: str) -> Occurrence:
        slot = next(iter(self.next[0].values()))
        return Occurrence(slot.id, None if timezone == RECIPIENT_ZONE else slot.due)


def earliest_due(slots: Mapping[str, Slot]) -> datetime:
    return min(slot.due for slot in slots.values())


def widen(context: PlanContext, slots: Slots) -> PlanContext:
    """The same with a span in which the first occurrence opens in every time zone."""
    goes = max((slot.goes or slot.due for slot in slots.next[0].values()), default=context.as_of)
    return replace(context, span=Span(context.as_of, goes + WEST + EAST + timedelta(days=1)), later=())


def first_apply(follow_up: FollowUp, slots: Mapping[str, Slot], now: datetime) -> datetime | None:
    """When the first apply after `now` sends something of an occurrence or hands it to the provider; None: one does now."""
    schedule = follow_up.notification.schedule
    goes = min(slot.goes or slot.due for slot in slots.values())
    if schedule is not None and schedule.hand_off is HandOff.PROVIDER:
        goes = authorised_from(goes, follow_up.zone) if follow_up.is_recurring else goes - HORIZON
    return goes if goes > now else None


def next_due(plan: Plan) -> datetime | None:
    """When to apply again, once what the plan sends now is sent: the first moment at which more of it can go.

    At the end of a deferral, when a window reopens, in the time zones that are still to come, at the next occurrence, or when that
    can be handed to the provider. Never later than the truth for the project and the audience as the plan read them; earlier where
    somebody is blocked, withdrawn or not sent to for another reason. None: nothing recurs and nothing waits.
    """
    waits = [each.deferred_until for each in plan.notifications]
    to_come = [occurrence.apply_from for each in plan.upcoming for occurrence in each.next]
    return min((each for each in (*waits, *to_come) if each is not None and each > plan.as_of), default=None)


def next_occurrence(timezone: str, slots: Mapping[str, Slot], known: Seen) -> NextOccurrence:
    due = gather(timezone, {zone: slot.due for zone, slot in slots.items()})
    assert due is not None, "an occurrence has a slot in some time zone"
    any_slot = next(iter(slots.values()))
    goes = {zone: slot.goes for zone, slot in slots.items() if slot.goes is not None and slot.moved}
    return NextOccurrence(
        occurrence=any_slot.id,
        due=due,
        goes=gather(timezone, goes),
        reason=next((why for each in slots.values() if (why := each.skipped or each.moved)), None),
        authorised=any_slot.id in known.authorised,
    )
