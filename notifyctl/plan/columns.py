"""One scope, by columns: what `examine` finds out recipient by recipient, found out by a few queries.

Only what differs is looked at one by one: units are counted by all that a decision depends on, and the action table is asked
once for each such combination. Both give the same plan and the same digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from notifyctl.audience.roster import Roster
from notifyctl.engine import Engine
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import ID_BYTES
from notifyctl.plan.actions import AUTHORISED, Action, Intent, decide
from notifyctl.plan.combinations import KEY, Combination, Combinations, authorised, total
from notifyctl.plan.digest import Sorted, shared
from notifyctl.plan.examine import NOT_A_RECIPIENT, Examination, Examiner, GroupKey, earliest
from notifyctl.plan.former import recognise
from notifyctl.plan.meet import BATCH_BITS, RANKS, Meeting, meet_ids
from notifyctl.plan.packed import MEMBER, sorted_entries
from notifyctl.plan.part import Identify
from notifyctl.plan.selected import Selected
from notifyctl.plan.shown import show
from notifyctl.plan.standing import Kind, PackedIds, Recorded
from notifyctl.plan.units import AT_ONCE, Units
from notifyctl.progress import ignore_progress

__all__ = ["ByColumns"]

STANDINGS: tuple[tuple[Kind | None, bool], ...] = (
    (None, True),
    ("rejected", True),
    ("uncertain", True),
    ("accepted", True),
    ("accepted", False),
)
"""What the column `standing` says: the kind, and whether what was sent is what it would get now."""
SAME_TEXT, OTHER_TEXT = STANDINGS.index(("accepted", True)), STANDINGS.index(("accepted", False))


class ByColumns:
    """Examines one part in an engine that holds its audience. The engine must live as long as the plan that is made."""

    def __init__(self, examiner: Examiner, roster: Roster) -> None:
        self.examiner = examiner
        self.part = examiner.part
        self.found: Examination = examiner.found
        self.roster = roster
        self.engine: Engine = roster.engine
        self.combinations = Combinations()

    def run(
        self, identify: Identify, *, on_step: Callable[[str, float], None] = ignore_progress
    ) -> Examination:
        """`on_step` is told what begins, and what share of the work is done: by the times of a million people."""
        found = self.found
        found.excluded = self.roster.excluded
        for reason, count in found.excluded.counts.items():
            action = NOT_A_RECIPIENT.get(reason)
            if action is not None:
                found.count(action, reason.value, count)
        found.rows = self.roster.people + found.excluded.counts.total()
        found.recipients = self.roster.people
        if not self.roster.people:
            return found
        on_step("recognising people", 0.25)
        units = Units(self.examiner, self.roster)
        meeting = self._meeting()
        source = units.identified(identify)
        if source is not None:
            meeting.begin(source)
        units.make(identify, source)
        if source is None:
            meeting.begin("units")
        units.look_at_odd_ones()
        on_step("asking the ledger", 0.6)
        self._past(units, meeting)
        on_step("deciding", 0.9)
        self._decide(units)
        self._tally()
        show(units, self.combinations, found.samples)
        self._effects(units)
        return found

    # What the ledger knows

    def _meeting(self) -> Meeting:
        recorded = self.part.recorded
        epochs = recorded.epochs if isinstance(recorded, Recorded) else {}
        return Meeting(self.engine, self.part.standings, epochs)

    def _past(self, units: Units, meeting: Meeting) -> None:
        if meeting.end():
            self._fold(units)
        recorded = self.part.recorded
        held = recorded
        if isinstance(recorded, Recorded):
            held = PackedIds(recorded.held)
            # All of it has just been read: to ask the ledger would be to read it again.
            size = sum(map(len, recorded.held)) // ID_BYTES + meeting.recorded
            recorded.size = lambda: size
        meet_ids(self.engine, held or (), column="joined", value=False)
        meet_ids(self.engine, self.part.earlier, column="earlier", value=True)
        for table in ("met", "ids"):
            self.engine.run(f"DROP TABLE IF EXISTS {table}")

    def _fold(self, units: Units) -> None:
        """The word that decides for each unit, as `standing.standings` folds it."""
        self.engine.run(f"""
            UPDATE units SET joined = joined AND NOT recorded, standing = (CASE rank >> {BATCH_BITS} WHEN 0 THEN 0
                   WHEN {RANKS["rejected"]} THEN 1 WHEN {RANKS["uncertain"]} THEN 2 ELSE CASE WHEN same THEN {SAME_TEXT} ELSE {OTHER_TEXT} END
                   END)::UTINYINT FROM met WHERE units.n = met.n""")
        recognise(units, f"standing = {OTHER_TEXT}", SAME_TEXT)

    # What is decided

    def _decide(self, units: Units) -> None:
        counted = f"""
            SELECT {KEY} AS key, variant, zone, suppressed, blocked, standing, joined, earlier,
                   count(*), coalesce(sum(segments) FILTER (blocked = 0), 0)
            FROM units GROUP BY ALL ORDER BY key"""
        for (
            key,
            variant,
            zone,
            suppressed,
            blocked,
            standing,
            joined,
            earlier,
            people,
            segments,
        ) in self.engine.rows(counted):
            when = self.examiner.timing(units.zones[zone])
            kind, same = STANDINGS[standing]
            wrong = units.blocks[blocked - 1] if blocked else None
            decision = decide(
                kind=kind,
                same=same,
                suppressed=self.roster.suppressions[suppressed - 1] if suppressed else None,
                blocked=self.part.held or wrong or (None if when else "unknown-timezone"),
                joined=joined,
                earlier=earlier,
                circumstances=self.examiner.circumstances(when),
            )
            made = Combination(key, variant, when, decision, people, int(segments))
            self.combinations.append(made)
            self._keep(made)
        held = self.combinations.where(lambda each: each.decision.action in {Action.DEFERRED, Action.BLOCKED})
        self.found.held = list(self._packed(held, "id::BLOB"))
        served = self.combinations.where(lambda each: each.decision.reason == "baseline")
        self.found.served = list(self._packed(served, MEMBER))

    def _keep(self, made: Combination) -> None:
        found, when, decision = self.found, made.when, made.decision
        found.count(decision.action, decision.reason, made.people)
        if decision.action in AUTHORISED and when is not None:
            found.segments += made.segments
            found.joiners += made.people if decision.intent is Intent.JOINER else 0
            found.due = earliest(found.due, when.not_before)
            found.expires = earliest(found.expires, when.expires)
            if decision.action is Action.DEFERRED:
                found.deferred_until = earliest(found.deferred_until, when.until)

    def _packed(self, test: str, expression: str) -> Iterator[bytes]:
        """Bytes of units in their order."""
        if test != "false":
            for rows in self.engine.chunks(
                f"SELECT {expression} FROM units WHERE {test} ORDER BY n", AT_ONCE
            ):
                yield b"".join([each for (each,) in rows])

    def _tally(self) -> None:
        test = self.combinations.where(authorised)
        if test == "false":
            return
        tally = self.found.tally
        start = f"left(key, {tally.telling})" if tally.channel is not ChannelName.EMAIL else "''"
        rows = self.engine.rows(
            f"SELECT {start} AS start, count(*), sum(CASE WHEN segments > 0 THEN segments ELSE 1 END)"
            f" FROM units JOIN people USING (n) WHERE {test} GROUP BY start ORDER BY start"
        )
        for address, people, counted in rows:
            tally.add_many(address, people, int(counted))

    # What comes of it

    def _effects(self, units: Units) -> None:
        by_effect: dict[str, list[Combination]] = {}
        by_group: dict[GroupKey, list[Combination]] = {}
        for each in self.combinations:
            when = each.when
            if authorised(each) and when is not None:
                name = shared(each.decision.intent, when.not_before, when.expires)
                by_effect.setdefault(name, []).append(each)
            if each.decision.action.sends and when is not None:
                variant = units.variants[each.variant]
                group = GroupKey(variant, when.send_at, when.expire_at, when.validity, when.closes)
                by_group.setdefault(group, []).append(each)
        for name, some in by_effect.items():
            test = self.combinations.where(some.__contains__)
            self.found.effects.elsewhere[name] = Sorted(
                total(some), partial(sorted_entries, self.engine, test, total(some))
            )
        at = self.roster.places()
        correlated = bool(by_group and self.engine.row("SELECT count(correlation) FROM people")[0])
        for group, some in by_group.items():
            own = [at.get(name, "NULL") for name in self.part.messages[group.variant].names]
            test = self.combinations.where(some.__contains__)
            self.found.groups[group] = Selected(self.engine, test, own, correlated, total(some))
