"""One scope, by columns: what `examine` finds out recipient by recipient, found out by a few queries.

Only what differs is looked at one by one: units are counted by all that a decision depends on, and the action table is asked
once for each such combination. Texts are measured without being made. What is odd (a quote in a value, a character that
costs two units in a long text) is examined by the row-wise code. Both give the same plan and the same digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from notifyctl.audience.columns import Roster
from notifyctl.delivery import FINGERPRINT_BYTES, ID_BYTES
from notifyctl.effort import silent
from notifyctl.engine import Engine, literal, quoted
from notifyctl.message import resolve, variant_for
from notifyctl.model import ChannelName
from notifyctl.plan.actions import AUTHORISED, Action, Intent, decide
from notifyctl.plan.combinations import KEY, Combination, Combinations, authorised, total
from notifyctl.plan.digest import Sorted, shared
from notifyctl.plan.examine import NOT_A_RECIPIENT, Examination, Examiner, GroupKey, earliest
from notifyctl.plan.meet import BATCH_BITS, RANKS, Meeting, meet_ids
from notifyctl.plan.packed import DELIVERY_HASH, MEMBER, halved, high, identity_of, sorted_entries
from notifyctl.plan.part import Identify
from notifyctl.plan.reading import GSM7, RIGHT_TO_LEFT, Reading, sql_text, together
from notifyctl.plan.samples import HELD
from notifyctl.plan.selected import Selected
from notifyctl.plan.standing import Kind, PackedIds, Recorded

__all__ = ["ByColumns"]

AT_ONCE = 8192
"""Rows that are looked at one by one in one go."""
STANDINGS: tuple[tuple[Kind | None, bool], ...] = (
    (None, True),
    ("rejected", True),
    ("uncertain", True),
    ("accepted", True),
    ("accepted", False),
)
"""What the column `standing` says: the kind, and whether what was sent is what it would get now."""
OTHER_TEXT = len(STANDINGS) - 1


class ByColumns:
    """Examines one part in an engine that holds its audience. The engine must live as long as the plan that is made."""

    def __init__(self, examiner: Examiner, roster: Roster) -> None:
        self.examiner = examiner
        self.part = examiner.part
        self.found: Examination = examiner.found
        self.roster = roster
        self.engine: Engine = roster.engine
        self.variants: list[str | None] = list(self.part.messages)
        self.zones: list[str] = []
        self.blocks: list[str] = []
        self.readings: list[Reading] = []
        self.combinations = Combinations()

    def run(self, identify: Identify, *, on_step: Callable[[str, float], None] = silent) -> Examination:
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
        lacking = self._lacking()
        self.readings = [self._reading(variant, lacking) for variant in self.variants]
        on_step("recognising people", 0.25)
        meeting = self._meeting()
        source = self._identified(identify)
        if source is not None:
            meeting.begin(source)
        self._units(identify, source)
        if source is None:
            meeting.begin("units")
        self._look_at_odd_ones()
        on_step("asking the ledger", 0.6)
        self._past(meeting)
        on_step("deciding", 0.9)
        self._decide()
        self._tally()
        self._samples()
        self._effects()
        return found

    # What each unit is

    def _lacking(self) -> set[str]:
        """The columns in which somebody has nothing."""
        columns = self.roster.values()
        if not columns:
            return set()
        present = self.engine.row(f"SELECT {', '.join(f'count({column})' for column in columns)} FROM people")
        return {column for column, count in zip(columns, present, strict=True) if count < self.roster.people}

    def _reading(self, variant: str | None, empty: set[str]) -> Reading:
        message, at = self.part.messages[variant], self.roster.places()
        columns = [at.get(name) for name in message.names]
        lacking = [
            name not in message.shared and (column is None or column in empty)
            for name, column in zip(message.names, columns, strict=True)
        ]
        return Reading(message, self.examiner.hashes[variant], columns, lacking)

    def _identified(self, identify: Identify) -> str | None:
        """A table of ids by `n`; None: there is none yet. Ids by a function that is not known in SQL are made here."""
        if self.roster.identity is not None:
            return "people"
        if identity_of(identify) is not None:
            return None
        import numpy as np

        self.engine.run("CREATE TABLE ids (n BIGINT, id UUID)")
        for rows in self.engine.chunks("SELECT n, key FROM people", AT_ONCE):
            numbers, keys = zip(*rows, strict=True)
            ids = np.array([*identify(keys), None], dtype=object)[:-1]
            with self.engine.given("chunk", {"n": np.array(numbers), "id": ids}):
                self.engine.run("INSERT INTO ids SELECT n, id::UUID FROM chunk")
        return "ids"

    def _units(self, identify: Identify, source: str | None) -> None:
        """The table `units`: a row for each person, in their order, with all that a decision depends on. `source`: where ids
        are at hand.
        """
        identity = identity_of(identify)
        recipient = "id" if source is not None or identity is None else identity("key")
        people = "people" if source != "ids" else "(SELECT * EXCLUDE id FROM people) JOIN ids USING (n)"
        counts = [self.examiner.inspectors[each.message.locale].counts_segments for each in self.readings]
        columns = {
            "segments": [each.segments for each in self.readings],
            "length": [each.length for each in self.readings],
            "wide": [each.wide for each in self.readings],
            "odd": [each.odd(segments=its) for each, its in zip(self.readings, counts, strict=True)],
            "hashed": [each.hash for each in self.readings],
        }
        made = ", ".join(f"{self._by_variant(each)} AS {quoted(name)}" for name, each in columns.items())
        usual = self._by_variant([each.usual for each in self.readings]) if self.roster.peculiar else "true"
        blocked = self._by_variant([self._blocked(each) for each in self.readings])
        self.engine.run(f"""
            CREATE TABLE units AS
            SELECT n, id, variant, zone, suppression AS suppressed, segments, length, wide, odd, {halved("hashed")},
                   {blocked} AS blocked,
                   0::UTINYINT AS standing, {self.part.recorded is not None} AS joined, false AS earlier
            FROM (SELECT *, {made} FROM (
                SELECT *, {usual} AS usual FROM (
                    SELECT * EXCLUDE id, {recipient} AS id, {self._variant()} AS variant, {self._zone()} AS zone FROM {people}
            )))""")

    def _by_variant(self, each: Sequence[str]) -> str:
        if len(set(each)) == 1:
            return each[0]
        cases = " ".join(f"WHEN {number} THEN {text}" for number, text in enumerate(each))
        return f"CASE variant {cases} END"

    def _variant(self) -> str:
        if len(self.variants) == 1:
            return "0::UTINYINT"
        template = self.part.notification.template
        cases = []
        for (locale,) in self.engine.rows("SELECT DISTINCT locale FROM people ORDER BY ALL"):
            number = self.variants.index(variant_for(template, locale or self.part.locale))
            cases.append(f"WHEN locale IS NOT DISTINCT FROM {sql_text(locale)} THEN {number}")
        return f"(CASE {' '.join(cases)} END)::UTINYINT"

    def _zone(self) -> str:
        self.zones = [self.part.zone_of(None)]
        if self.part.zone_of("\0") != "\0":
            return "0::USMALLINT"
        cases = []
        for (zone,) in self.engine.rows("SELECT DISTINCT timezone FROM people ORDER BY ALL"):
            meant = self.part.zone_of(zone)
            if meant not in self.zones:
                self.zones.append(meant)
            cases.append(
                f"WHEN timezone IS NOT DISTINCT FROM {sql_text(zone)} THEN {self.zones.index(meant)}"
            )
        return f"(CASE {' '.join(cases)} END)::USMALLINT"

    def _blocked(self, reading: Reading) -> str:
        """A place in `blocks`, from 1; 0: nothing is wrong."""
        cases = reading.wrong(self.examiner.inspectors[reading.message.locale])
        if not cases:
            return "0::USMALLINT"
        told = " ".join(f"WHEN {test} THEN {self._block(reason)}" for test, reason in cases)
        return f"(CASE {told} ELSE 0 END)::USMALLINT"

    def _block(self, reason: str) -> int:
        if reason not in self.blocks:
            self.blocks.append(reason)
        return self.blocks.index(reason) + 1

    def _look_at_odd_ones(self) -> None:
        """Hash, segments and what is wrong, by the row-wise code, for those whose text SQL cannot be right about."""
        import numpy as np

        for rows in self._people("odd", AT_ONCE):
            looked: list[tuple[int, bytes, int | None, int]] = []
            for n, variant, values in rows:
                seen = self.examiner.inspectors[self.variants[variant]].look(values)
                hashed = self.examiner.hashes[self.variants[variant]].of(values)
                looked.append((n, hashed, seen.segments, self._block(seen.blocked) if seen.blocked else 0))
            numbers, hashes, segments, blocked = zip(*looked, strict=True)
            chunk = {
                "n": np.array(numbers),
                "hash": np.array(hashes, dtype=object),
                "segments": np.array([-1 if each is None else each for each in segments]),
                "blocked": np.array(blocked),
            }
            with self.engine.given("chunk", chunk):
                self.engine.run(
                    "UPDATE units SET hash = chunk.hash, rest = chunk.rest, segments = chunk.segments, blocked = chunk.blocked FROM"
                    f" (SELECT n, {halved('hash')}, nullif(segments, -1) AS segments, blocked FROM chunk) AS chunk"
                    " WHERE units.n = chunk.n"
                )

    def _people(
        self, test: str, size: int, order: str = ""
    ) -> Iterator[list[tuple[int, int, tuple[str | None, ...]]]]:
        """(n, variant, resolved values) of the units for which the test holds."""
        values = "".join(f", {name}" for name in self.roster.values())
        query = f"SELECT n, variant{values} FROM units JOIN people USING (n) WHERE {test} {order}"
        for rows in self.engine.chunks(query, size):
            yield [(n, variant, self._resolved(variant, own)) for n, variant, *own in rows]

    def _own(self, variant: int, values: Sequence[str | None]) -> tuple[str | None, ...]:
        at = {name: number for number, name in enumerate(self.roster.variables)}
        names = self.part.messages[self.variants[variant]].names
        return tuple(values[at[name]] if name in at else None for name in names)

    def _resolved(self, variant: int, values: Sequence[str | None]) -> tuple[str | None, ...]:
        return resolve(self.part.messages[self.variants[variant]], self._own(variant, values))

    # What the ledger knows

    def _meeting(self) -> Meeting:
        recorded = self.part.recorded
        epochs = recorded.epochs if isinstance(recorded, Recorded) else {}
        return Meeting(self.engine, self.part.standings, epochs)

    def _past(self, meeting: Meeting) -> None:
        if meeting.end():
            self._fold()
        recorded = self.part.recorded
        held = recorded
        if isinstance(recorded, Recorded):
            held = PackedIds(recorded.held)
            recorded.size = partial(int, sum(map(len, recorded.held)) // ID_BYTES + meeting.recorded)
        meet_ids(self.engine, held or (), column="joined", value=False)
        meet_ids(self.engine, self.part.earlier, column="earlier", value=True)
        for table in ("met", "ids"):
            self.engine.run(f"DROP TABLE IF EXISTS {table}")

    def _fold(self) -> None:
        """The word that decides for each unit, as `standing.standings` folds it."""
        import numpy as np

        self.engine.run(f"""
            UPDATE units SET joined = joined AND NOT recorded, standing = (CASE rank >> {BATCH_BITS} WHEN 0 THEN 0
                   WHEN {RANKS["rejected"]} THEN 1 WHEN {RANKS["uncertain"]} THEN 2 ELSE CASE WHEN same THEN 3 ELSE {OTHER_TEXT} END
                   END)::UTINYINT FROM met WHERE units.n = met.n""")
        # Those who have another text may have this one, by the hash of earlier versions.
        test = f"standing = {OTHER_TEXT}"
        alike: list[int] = []
        former = self.engine.chunks(f"SELECT n, f1, f2 FROM met JOIN units USING (n) WHERE {test}", AT_ONCE)
        fingerprints = {n: f1.to_bytes(8) + f2.to_bytes(4) for n, f1, f2 in chain.from_iterable(former)}
        if not fingerprints:
            return
        for rows in self._people(test, AT_ONCE):
            for n, variant, values in rows:
                hashed = self.examiner.hashes[self.variants[variant]].former(values)
                if hashed[:FINGERPRINT_BYTES] == fingerprints[n]:
                    alike.append(n)
        if alike:
            with self.engine.given("chunk", {"n": np.array(alike)}):
                self.engine.run("UPDATE units SET standing = 3 FROM chunk WHERE units.n = chunk.n")

    # What is decided

    def _decide(self) -> None:
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
            when = self.examiner.timing(self.zones[zone])
            kind, same = STANDINGS[standing]
            wrong = self.blocks[blocked - 1] if blocked else None
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

    def _samples(self) -> None:
        """The rows that the row-wise code would have shown, in their order."""
        test = self.combinations.where(
            lambda each: authorised(each) or each.decision.action is Action.CHANGED
        )
        if test == "false":
            return
        # Texts are told apart by 64 bits of their hashes: this is for showing, and not for deciding.
        self.engine.run(
            f"CREATE TABLE texts AS SELECT {high('hash')} AS text, min(n) AS first, count(*) AS readers"
            f" FROM units WHERE {test} GROUP BY text"
        )
        samples = self.found.samples
        samples.texts = self.engine.row("SELECT count(*) FROM texts")[0]
        if len(self.variants) > 1:
            # The same text in two variants is shown for the one whose reader comes first.
            test += " AND n IN (SELECT first FROM texts)"
        extremes = self.engine.rows(
            f"SELECT variant, max(length), min(length), bool_or(wide) FROM units WHERE {test} GROUP BY variant"
        )
        shown: set[int] = set()
        for number, longest, shortest, wide in extremes:
            first = (
                f"FROM texts JOIN units ON n = first WHERE variant = {number}"
                if len(extremes) > 1
                else "FROM texts"
            )
            firsts = self.engine.rows(f"SELECT first {first} ORDER BY first LIMIT {HELD}")
            shown.update(n for (n,) in firsts)
            shown.update(
                self._sights(f"{test} AND variant = {number}", number, (longest, shortest), wide=wide)
            )
        listed = ", ".join(map(str, sorted(shown)))
        actions = {each.key: each.decision.action for each in self.combinations}
        values = "".join(f", {name}" for name in self.roster.values())
        rows = self.engine.rows(
            f"SELECT {self.combinations.key}, variant, {DELIVERY_HASH}, sent, readers{values} FROM units JOIN people USING (n)"
            f" JOIN texts ON n = first WHERE n IN ({listed}) ORDER BY n"
        )
        for key, variant, hashed, sent, people, *own in rows:
            samples.counts[hashed] = people
            samples.show(hashed, (self.variants[variant], actions[key], sent, self._resolved(variant, own)))

    def _sights(self, test: str, number: int, lengths: Iterable[int], *, wide: bool) -> set[int]:
        """The first readers of a variant's longest text, of its shortest, and of those that are easily overlooked. The first
        with some text is the first reader of that text: all its readers have the same.
        """
        reading = self.readings[number]
        queries = [f"SELECT min(n) FROM units WHERE {test} AND length = {length}" for length in lengths]
        readers = f"SELECT min(n) FROM units JOIN people USING (n) WHERE {test}"
        if wide:
            text = together(reading.values)
            queries.append(f"{readers} AND wide AND NOT regexp_full_match({text}, {literal(GSM7)})")
            queries.append(f"{readers} AND wide AND regexp_matches({text}, {literal(RIGHT_TO_LEFT)})")
        optional = self.found.samples.optional[self.variants[number]]
        if optional:
            lacks = " OR ".join(f"coalesce({reading.values[at]}, '') = ''" for at in optional)
            queries.append(f"{readers} AND ({lacks})")
        return {n for query in queries for (n,) in self.engine.rows(query) if n is not None}

    # What comes of it

    def _effects(self) -> None:
        by_effect: dict[str, list[Combination]] = {}
        by_group: dict[GroupKey, list[Combination]] = {}
        for each in self.combinations:
            when = each.when
            if authorised(each) and when is not None:
                name = shared(each.decision.intent, when.not_before, when.expires)
                by_effect.setdefault(name, []).append(each)
            if each.decision.action.sends and when is not None:
                variant = self.variants[each.variant]
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
