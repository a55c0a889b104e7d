"""Evaluates one scope: reads its recipients, joins them with the ledger, decides, and gathers what follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfoNotFoundError

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from notifyctl.message import texts_hash
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RowRejection
from notifyctl.plan.actions import AUTHORISED, Action, Circumstances, Decision, Intent, decide
from notifyctl.plan.combinations import (
    OTHER_TEXT,
    SAME_TEXT,
    UNCERTAIN,
    Circumstance,
    Combination,
    CombinationKeys,
    Past,
    Selection,
)
from notifyctl.plan.digest import ScopeEffects, SortedEntries, baseline_key, shared_key
from notifyctl.plan.forecast import Leg
from notifyctl.plan.inputs import PlanContext, ScopeInput, ScopeRecords
from notifyctl.plan.ledger_join import LedgerJoin
from notifyctl.plan.legacy_hashes import match
from notifyctl.plan.missed import is_missed
from notifyctl.plan.model import REPLACED
from notifyctl.plan.prices import CostTally
from notifyctl.plan.recipient_table import Mask, RecipientTable
from notifyctl.plan.renames import find_renames
from notifyctl.plan.sample_search import find_samples
from notifyctl.plan.samples import Samples
from notifyctl.plan.scope_reader import ScopeReader
from notifyctl.plan.scope_result import GroupKey, ScopeResult
from notifyctl.plan.selected_recipients import SelectedRecipients
from notifyctl.plan.shared_request import attachment_sizes
from notifyctl.plan.similarity import NearlySent, are_alike, fingerprints
from notifyctl.progress import Progress
from notifyctl.recipients.hashes import Identify
from notifyctl.schedule.timing import PAST_GRACE, Gate, Timing, beginnings, evaluate_timing, stands_for

COUNTED_ROWS = {
    RowRejection.DUPLICATE: Action.SUPPRESSED,
    RowRejection.NO_ADDRESS: Action.SUPPRESSED,
}
"""Rows that are people all the same, and so are counted under an action; bad rows are nobody."""
NEVER_SENT = frozenset({Action.WITHDRAWN, Action.SUPPRESSED, Action.BASELINE, Action.BLOCKED})
"""Actions of recipients who are sent this at no time."""


def evaluate_scope(scope_input: ScopeInput, context: PlanContext, identify: Identify) -> ScopeResult:
    """Read the audience, join it with the ledger, decide."""
    return ScopeEvaluator(scope_input, context).run(identify)


class ScopeEvaluator:
    """The steps for one scope, in their order."""

    def __init__(self, scope_input: ScopeInput, context: PlanContext) -> None:
        policy, channel = scope_input.notification.policy, scope_input.scope.channel
        assert policy is not None, "resolving references fills the policy in"
        self.input = scope_input
        self.context = context
        self.result = ScopeResult(
            input=scope_input,
            effects=ScopeEffects(scope_input.scope, policy),
            sending=ScopeEffects(scope_input.scope, policy),
            samples=Samples(
                scope_input.messages,
                {
                    variant: attachment_sizes(scope_input.notification, variant)
                    for variant in scope_input.messages
                },
                context.prices,
            ),
            tally=CostTally(channel, context.prices),
            fallback=CostTally(ChannelName.SMS, context.prices),
            content_hash=texts_hash(scope_input.messages),
        )
        acknowledged = scope_input.notification.acknowledge
        self.acknowledged = acknowledged is not None and self._is_acknowledged(acknowledged)
        self.timings: dict[tuple[str, bool], Timing | None] = {}

    def _is_acknowledged(self, acknowledged: str) -> bool:
        """By the hash of the texts, or by the one that earlier versions made of the same files."""
        if self.result.content_hash.startswith(acknowledged):
            return True
        former = self.input.former_messages()
        return bool(former) and texts_hash({**self.input.messages, **former}).startswith(acknowledged)

    def run(self, identify: Identify) -> ScopeResult:
        table = self._read(identify)
        if not len(table):
            return self.result
        self._report("asking the ledger", 0.6)
        keys = CombinationKeys(table, self._past(table))
        self._report("deciding", 0.9)
        combinations = [self._decide(each) for each in keys.count()]
        for each in combinations:
            self._count(each)
            if each.when is not None and each.decision.action not in NEVER_SENT:
                self.result.by_zone[each.about.profile.zone] += each.about.people
        self.result.people = sum(each.about.people for each in combinations if is_of_occurrence(each))
        if self.input.notification.name in self.context.series:
            self.result.people += LedgerJoin(table).count_absent(self.input.records.batches())
        self._authorise(table, keys, combinations)
        self._send(table, keys, combinations)
        self._show(table, keys, combinations)
        self._compare_texts(table, keys, combinations, identify)
        self._probe(table, keys, combinations, identify)
        return self.result

    def _report(self, doing: str, share: float) -> None:
        self.context.show_progress(Progress(self.input.notification.name, doing, share=share))

    def _read(self, identify: Identify) -> RecipientTable:
        name, tell = self.input.notification.name, self.context.show_progress
        result = self.result
        fallback_prefix = (
            result.fallback.prefix_length if result.effects.scope.channel is ChannelName.RCS else 0
        )
        reader = ScopeReader(
            self.input,
            profile=self.context.environment.profile,
            prefix_length=max(result.tally.prefix_length, fallback_prefix),
            optional=result.samples.optional,
            needs_gsm7=self.context.needs_gsm7,
            former_ids=self.context.knows_former_keys,
        )
        table = reader.read(identify, lambda rows: tell(Progress(name, "reading", rows)))
        result.excluded = reader.excluded
        result.readings = reader.readings
        result.gaps = reader.gaps.gaps
        for reason, number in reader.excluded.counts.items():
            if reason in COUNTED_ROWS:
                result.count(COUNTED_ROWS[reason], reason.value, number)
        result.rows = len(table) + reader.excluded.counts.total()
        result.recipients = len(table)
        result.zones = {each.zone for each in table.profile_list}
        return table

    def _past(self, table: RecipientTable) -> Past:
        join = LedgerJoin(table)
        past, statuses = join.join(self.input.records, self._beside(table))
        same = match(
            table,
            past.statuses == OTHER_TEXT,
            statuses.fingerprints,
            self.input.messages,
            self.input.former_messages,
        )
        past.statuses[same] = SAME_TEXT
        self.result.recorded_size = join.recorded_size
        eligible = (past.statuses <= UNCERTAIN) & ~past.served & self._unhindered(table)
        renames = find_renames(table, join, self.input, eligible)
        return replace(past, renames=renames, begun=self._begun(table, join))

    def _beside(self, table: RecipientTable) -> Iterator[tuple[ScopeRecords, Mask]]:
        """Records of other occurrences that stand for this one in some recipients' zones, with these recipients."""
        schedule, own = self.input.notification.schedule, self.input.scope.occurrence
        for other in self.input.records.beside:
            if schedule is None or other.scope.occurrence == own:
                continue
            concerned = [
                self._timing(each.zone) is not None
                and stands_for(schedule, other.scope.occurrence, own, zone=each.zone)
                for each in table.profile_list
            ]
            if any(concerned):
                yield other, np.array(concerned, bool)[table.profiles]

    def _begun(self, table: RecipientTable, join: LedgerJoin) -> Mask | None:
        """Whom an apply began in time: it makes a difference where grace is over."""
        zones = [each.zone for each in table.profile_list]
        late = {zone for zone in set(zones) if (when := self._timing(zone)) and when.reason == PAST_GRACE}
        if not late:
            return None
        schedule, now = self.input.notification.schedule, self.context.as_of
        ranges = {zone: beginnings(schedule, self.input.occurrence, zone=zone, now=now) for zone in late}
        first = [seconds(each.first, -math.inf) if (each := ranges.get(zone)) else math.inf for zone in zones]
        last = [each.last.timestamp() if (each := ranges.get(zone)) else -math.inf for zone in zones]
        return join.find_begun(
            self.input.records, np.array(first)[table.profiles], np.array(last)[table.profiles]
        )

    def _unhindered(self, table: RecipientTable) -> Mask:
        """Whom no rule keeps from being sent to before the ledger's texts are asked."""
        free = self.input.withdrawn is None and self.input.baseline is None
        unhindered = np.array(
            [free and each.suppression is None and each.problem is None for each in table.profile_list], bool
        )
        return unhindered[table.profiles]

    # Deciding

    def _decide(self, about: Circumstance) -> Combination:
        when = self._timing(about.profile.zone, begun=about.begun)
        decision = self._ask(about, when, self._circumstances(when, about))
        allowed = None
        if decision.action is Action.EXPIRED and when is not None and when.today:
            at_another_time = replace(self._circumstances(when, about), expired=None)
            found = self._ask(about, when, at_another_time)
            allowed = found if found.action.sends else None
        return Combination(about, when, decision, allowed)

    def _ask(self, about: Circumstance, when: Timing | None, circumstances: Circumstances) -> Decision:
        profile = about.profile
        return decide(
            kind=about.kind,
            same=about.same,
            suppressed=profile.suppression,
            blocked=profile.problem or (None if when else "unknown-timezone"),
            joined=about.joined,
            earlier=about.earlier,
            served=about.served,
            renamed=about.renamed,
            circumstances=circumstances,
        )

    def _timing(self, zone: str, *, begun: bool = False) -> Timing | None:
        """What the schedule says in a time zone; `None` for one that does not exist."""
        key = zone, begun
        if key not in self.timings:
            try:
                self.timings[key] = evaluate_timing(
                    self.input.notification.schedule,
                    self.input.occurrence,
                    zone=zone,
                    now=self.context.as_of,
                    span=self.context.span,
                    begun=begun,
                    opened=self.input.opened,
                )
            except (ZoneInfoNotFoundError, ValueError):
                self.timings[key] = None
        return self.timings[key]

    def _circumstances(self, when: Timing | None, about: Circumstance) -> Circumstances:
        # Whoever has no such occurrence waits for it to come, so that a corrected time zone makes nobody a joiner.
        state = when.state if when is not None else None
        waits = state is Gate.DEFERRED or (state is Gate.ELSEWHERE and about.kind is None)
        over = state is Gate.EXPIRED or (state is Gate.ELSEWHERE and about.kind is not None)
        return Circumstances(
            withdrawn=self.input.withdrawn,
            expired=when.reason if when and over else None,
            deferred=when.reason if when and waits else None,
            joiners=self.input.notification.joiners,
            unknown=self.input.notification.on_unknown,
            fresh_only=self.input.fresh_only,
            acknowledged=self.acknowledged,
            baseline=self.input.baseline,
            recorded_baseline=self.input.recorded_baseline,
            higher_edition=self.input.higher_edition,
        )

    def _count(self, each: Combination) -> None:
        result, when, decision = self.result, each.when, each.decision
        if not each.listed:
            result.elsewhere[when.reason if when is not None and when.reason else "other-time-zone"] += (
                each.about.people
            )
            return
        result.count(decision.action, decision.reason, each.about.people)
        if decision.action is Action.EXPIRED and when is not None:
            self._count_expired(each, when)
        if each.covered is not None:
            result.covered += each.about.people
            result.joiners += each.about.people if each.covered.intent is Intent.JOINER else 0
        if each.authorised and when is not None:
            result.segments += each.about.segments
            if each.about.profile.fallback is not None:
                result.without_fallback[each.about.profile.fallback] += each.about.people
            result.due = earliest(result.due, when.not_before)
            result.expires = earliest(result.expires, when.expires)
            zone = each.about.profile.zone
            result.note("due", zone, when.not_before)
            result.note("expires", zone, when.expires)
            result.moved |= {when.moved} if when.moved else set()
            now = self.context.as_of
            start = max(when.until or now, now)
            result.legs.append(Leg(result.effects.scope, each.about.people, start, when.closes, when.final))
            if decision.action.sends and when.not_before is not None and when.send_at is None:
                result.late = max(result.late or 0.0, (now - when.not_before).total_seconds())
            if decision.action is Action.DEFERRED:
                result.deferred_until = earliest(result.deferred_until, when.until)
                result.note("deferred_until", zone, when.until)
            elif when.send_at is not None:
                result.note("send_at", zone, when.send_at)
            else:
                result.note("closes", zone, when.closes)

    def _count_expired(self, each: Combination, when: Timing) -> None:
        result, zone = self.result, each.about.profile.zone
        result.note(REPLACED, zone, when.replaced)
        now, opened = self.context.as_of, self.input.opened
        # Without the ledger it is not known who was sent it in time.
        known = self.context.complete and not each.about.joined
        if known and is_missed(self.input.scope.occurrence, when, now=now, opened=opened):
            result.missed += each.about.people
            result.expired_at = earliest(result.expired_at, when.expires)
            result.note("expired_at", zone, when.expires)

    # What follows from the decisions

    def _authorise(
        self, table: RecipientTable, keys: CombinationKeys, combinations: Sequence[Combination]
    ) -> None:
        """Effects by what they share, and what they cost."""
        by_effect: dict[str, list[Combination]] = {}
        for each in combinations:
            if each.covered is not None and each.when is not None:
                name = shared_key(
                    each.covered.intent,
                    each.when.not_before,
                    each.when.expires,
                    contact_policy=self.input.notification.contact_policy,
                )
                by_effect.setdefault(name, []).append(each)
        for name, some in by_effect.items():
            self.result.effects.groups[name] = packed_entries(table, keys.select(some))
            now = keys.select(each for each in some if each.decision.action.sends)
            if now.people:
                self.result.sending.groups[name] = packed_entries(table, now)
        authorised = keys.select(each for each in combinations if each.authorised).mask()
        if self.result.effects.scope.channel is not ChannelName.RCS:
            add_costs(self.result.tally, table, authorised, np.maximum(table.segments, 1))
            return
        add_costs(self.result.tally, table, authorised, np.ones_like(table.segments))
        # The segments of RCS are those of the SMS that is sent when it fails.
        falling = keys.select(
            each for each in combinations if each.authorised and each.about.profile.fallback is None
        )
        add_costs(self.result.fallback, table, falling.mask() & (table.segments > 0), table.segments)

    def _send(
        self, table: RecipientTable, keys: CombinationKeys, combinations: Sequence[Combination]
    ) -> None:
        """Groups of those who are sent to now; and who belongs to the edition without."""
        result = self.result
        by_group: dict[GroupKey, list[Combination]] = {}
        for each in combinations:
            when = each.when
            if each.decision.action.sends and when is not None:
                key = GroupKey(
                    each.about.profile.variant,
                    when.send_at,
                    when.expire_at,
                    when.validity,
                    when.closes,
                    each.about.profile.fallback,
                )
                by_group.setdefault(key, []).append(each)
                if when.final:
                    result.final.add(key)
                if when.expires is not None and not each.about.begun:
                    result.begin_by[key] = min(result.begin_by.get(key, when.expires), when.expires)
        for key, some in by_group.items():
            names = self.input.messages[key.variant].names
            result.groups[key] = SelectedRecipients(table, keys.select(some), names)
        held = [each for each in combinations if each.decision.action in {Action.DEFERRED, Action.BLOCKED}]
        if self.input.records.recorded is None and by_group:
            result.held = table.packed_ids(keys.select(held).mask())
        served = keys.select(each for each in combinations if each.decision.action is Action.BASELINE)
        result.served = table.packed_members(served.mask())
        if served.people:
            # A part of what is reviewed like what is sent: who counts as served is never sent to.
            entries = packed_entries(table, served)
            result.effects.groups[baseline_key(self.input.baseline)] = entries
            result.sending.groups[baseline_key(self.input.baseline)] = entries

    def _show(
        self, table: RecipientTable, keys: CombinationKeys, combinations: Sequence[Combination]
    ) -> None:
        shown = [each for each in combinations if each.authorised or each.decision.action is Action.CHANGED]
        if shown:
            actions = {each.about.key: each.decision.action for each in shown}
            find_samples(table, keys.select(shown).mask(), actions, keys.keys, self.result.samples)

    def _compare_texts(
        self,
        table: RecipientTable,
        keys: CombinationKeys,
        combinations: Sequence[Combination],
        identify: Identify,
    ) -> None:
        """Fingerprints for the ledger; and who was sent nearly the same under another name or edition."""
        records = self.input.records
        if records.recorded is not None:
            return
        self.result.likeness = fingerprints(self.input.messages, identify)
        near = [scope for scope, likeness in records.alike if are_alike(self.result.likeness, likeness)]
        if near:
            authorised = keys.select(each for each in combinations if each.authorised)
            self.result.nearly = tuple(
                find_nearly_sent(LedgerJoin(table), near, authorised.mask(), of=authorised.people)
            )

    def _probe(
        self,
        table: RecipientTable,
        keys: CombinationKeys,
        combinations: Sequence[Combination],
        identify: Identify,
    ) -> None:
        """What is decided of the addresses that the plan is asked about."""
        for recipient in identify(sorted(self.context.probe)) if self.context.probe else ():
            position = table.find(recipient)
            if position is not None:
                key = int(keys.keys[position])
                self.result.probed += [each for each in combinations if each.about.key == key and each.listed]


def is_of_occurrence(each: Combination) -> bool:
    """Whether these recipients were sent the occurrence, may have been, or are still to be, be it after the horizon."""
    later = (
        each.decision.action in AUTHORISED and each.when is not None and each.when.reason == "after-horizon"
    )
    return each.about.kind in {"accepted", "uncertain"} or each.covered is not None or later


def add_costs(tally: CostTally, table: RecipientTable, wanted: Mask, units: NDArray[np.uint16]) -> None:
    """By the beginnings of addresses. `units`: segments or messages of each recipient."""
    prefixes = table.prefixes[wanted]
    sums, people = np.bincount(prefixes, weights=units[wanted]), np.bincount(prefixes)
    for number in np.flatnonzero(people).tolist():
        tally.add(table.prefix_list[number], int(people[number]), int(sums[number]))


def find_nearly_sent(
    join: LedgerJoin, near: Iterable[ScopeRecords], wanted: Mask, *, of: int
) -> Iterator[NearlySent]:
    """By name and edition, the most recipients first."""
    found: dict[tuple[str, int], tuple[Mask, datetime]] = {}
    for records in near:
        reached, last = join.find_reached(records, wanted)
        if last is not None:
            key = (records.scope.notification, records.scope.edition)
            before = found.get(key, (reached, last))
            found[key] = (reached | before[0], max(last, before[1]))
    rows = [
        NearlySent(name, edition, int(reached.sum()), of, last)
        for (name, edition), (reached, last) in found.items()
    ]
    yield from sorted(rows, key=lambda each: (-each.recipients, each.name, each.edition))


def packed_entries(table: RecipientTable, selection: Selection) -> SortedEntries:
    return SortedEntries(selection.people, partial(sorted_entries, table, selection))


def seconds(moment: datetime | None, otherwise: float) -> float:
    return moment.timestamp() if moment is not None else otherwise


def sorted_entries(table: RecipientTable, selection: Selection) -> Iterator[bytes]:
    return table.sorted_entries(selection.mask())


def earliest(first: datetime | None, second: datetime | None) -> datetime | None:
    return min(filter(None, (first, second)), default=None)
