"""Occurrences of recurring notifications that nobody began and nobody will: counted together, not listed one by one.

Those that have lapsed, and, apart from them, those that a later occurrence replaces when it goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace

from notifyctl.model.project import RECIPIENT_ZONE, Schedule
from notifyctl.plan.actions import Action
from notifyctl.plan.inputs import ScopeInput
from notifyctl.plan.model import REPLACED, Lapsed, PlannedNotification
from notifyctl.plan.scope_result import ScopeResult
from notifyctl.schedule.slots import EASTERNMOST, ONCE, Occurrence, slots_before
from notifyctl.schedule.timing import INSTANT, PAST_GRACE, local_time
from notifyctl.schedule.upcoming import judge
from notifyctl.schedule.zones import to_instant, to_local

MOST = 1_000
"""Occurrences counted before those that a plan evaluates."""
LOOKED_BACK = timedelta(days=31)
"""How far back to count those of a rule of which nothing was ever begun: it may be older than the notification."""
WITHOUT_SENDING = {Action.EXPIRED, Action.SUPPRESSED}


class LapsedOccurrences:
    """Those that a plan has evaluated, by notification and whether they are still to be replaced, earliest first."""

    def __init__(self) -> None:
        self.evaluated: dict[tuple[str, bool], list[PlannedNotification]] = {}
        self.inputs: dict[str, ScopeInput] = {}

    def add(self, result: ScopeResult, planned: PlannedNotification) -> bool:
        """Whether it has lapsed, and is kept here."""
        if is_lapsed(result):
            self.evaluated.setdefault((planned.name, is_to_be_replaced(planned)), []).append(planned)
            self.inputs[planned.name] = result.input
            return True
        return False

    def latest(self, now: datetime) -> Iterator[PlannedNotification]:
        """What stands in the plan for all the occurrences of its notification."""
        for (name, _), evaluated in self.evaluated.items():
            yield replace(evaluated[-1], lapsed=count_lapsed(self.inputs[name], evaluated, now=now))

    def folded(self) -> Iterator[PlannedNotification]:
        """The others."""
        return (earlier for each in self.evaluated.values() for earlier in each[:-1])


def count_lapsed(
    scope_input: ScopeInput, evaluated: Sequence[PlannedNotification], *, now: datetime
) -> Lapsed | None:
    """`evaluated`: earliest first. None: only one has lapsed.

    Those that are earlier than all that the plan and the ledger have are counted by the rule alone: nobody was sent them.
    """
    schedule = scope_input.notification.schedule
    assert schedule is not None, "only recurring notifications have several occurrences"
    zone = EASTERNMOST if scope_input.timezone == RECIPIENT_ZONE else scope_input.timezone
    first, opened = evaluated[0].occurrence, scope_input.opened
    before = (
        [] if is_to_be_replaced(evaluated[0]) else slots_since(schedule, zone, first, opened=opened, now=now)
    )
    earlier = list(islice(before, MOST))
    if len(evaluated) + len(earlier) == 1:
        return None
    reasons = Counter(
        judge(schedule, each.id, each.due, zone).skipped or PAST_GRACE for each in earlier if each.due
    )
    reasons += Counter(next(iter(each.reasons[Action.EXPIRED])) for each in evaluated)
    return Lapsed(
        occurrences=len(evaluated) + len(earlier),
        first=earlier[-1].id if earlier else first,
        last=evaluated[-1].occurrence,
        recipients=max(each.actions[Action.EXPIRED] for each in evaluated),
        reasons=dict(sorted(reasons.items())),
        more=len(earlier) == MOST,
        missed=sum(each.missed for each in evaluated[:-1]),
    )


def is_to_be_replaced(planned: PlannedNotification) -> bool:
    """Whether a later occurrence replaces it at a time to come."""
    return REPLACED in planned.times


def is_lapsed(result: ScopeResult) -> bool:
    """Whether an occurrence is over for everybody, and the ledger has nothing of it."""
    schedule, scope = result.input.notification.schedule, result.input.scope
    return (
        schedule is not None
        and schedule.recurs
        and scope.occurrence not in result.input.opened
        and result.input.records.recorded is None
        and Action.EXPIRED in result.counts
        and result.counts.keys() <= WITHOUT_SENDING
    )


def slots_since(
    schedule: Schedule, zone: str, first: str, *, opened: AbstractSet[str], now: datetime
) -> Iterator[Occurrence]:
    """The slots before the one named `first`, latest first, since the last before it that was opened. If none was, those of a rule
    that begins at a time: when a rule without one began to be used is not known.
    """
    known = [each for each in map(local_time, opened - {ONCE}) if each < local_time(first)]
    if not known and schedule.starts is None:
        return
    since = max(known, default=to_local(now, zone) - LOOKED_BACK)
    for each in slots_before(schedule, zone, to_instant(datetime.fromisoformat(first), zone) - INSTANT):
        if local_time(each.id) <= since:
            return
        yield each
