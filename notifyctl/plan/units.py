"""The table `units`, by columns: of each person of an audience all that a decision depends on, without any text being made.

What is odd (a quote in a value, a character that costs two units in a long text) is looked at by the row-wise code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from notifyctl.audience.roster import Roster
from notifyctl.engine import objects, quoted
from notifyctl.message import resolve, variant_for
from notifyctl.plan.examine import Examiner
from notifyctl.plan.packed import added, halved, halves, identity_of
from notifyctl.plan.part import Identify
from notifyctl.plan.reading import Reading, sql_text

__all__ = ["AT_ONCE", "Units"]

AT_ONCE = 8192
"""Rows that are looked at one by one in one go."""


class Units:
    """Of one part, in the engine that holds its audience, which has people. What their numbers stand for: `variants`, `zones`,
    and `blocks` (from 1).
    """

    def __init__(self, examiner: Examiner, roster: Roster) -> None:
        self.examiner = examiner
        self.part = examiner.part
        self.roster = roster
        self.engine = roster.engine
        self.variants: list[str | None] = list(self.part.messages)
        self.zones: list[str] = []
        self.blocks: list[str] = []
        lacking = self._lacking()
        self.readings = [self._reading(variant, lacking) for variant in self.variants]

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

    def identified(self, identify: Identify) -> str | None:
        """A table of ids by `n`; None: there is none yet. Ids by a function that is not known in SQL are made here."""
        if self.roster.identity is not None:
            return "people"
        if identity_of(identify) is not None:
            return None
        import numpy as np

        self.engine.run("CREATE TABLE ids (n BIGINT, id UUID)")
        for rows in self.engine.chunks("SELECT n, key FROM people", AT_ONCE):
            numbers, keys = zip(*rows, strict=True)
            with self.engine.given("chunk", {"n": np.array(numbers), "id": objects(identify(keys))}):
                self.engine.run("INSERT INTO ids SELECT n, id::UUID FROM chunk")
        return "ids"

    def make(self, identify: Identify, source: str | None) -> None:
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
        made = ", ".join(f"{self.by_variant(each)} AS {quoted(name)}" for name, each in columns.items())
        usual = self.by_variant([each.usual for each in self.readings]) if self.roster.peculiar else "true"
        blocked = self.by_variant([self._blocked(each) for each in self.readings])
        self.engine.run(f"""
            CREATE TABLE units AS
            SELECT n::UINTEGER AS n, id, variant, zone, suppression AS suppressed, segments, length::UINTEGER AS length,
                   wide, odd, {self._delivery_hash("hashed")},
                   {blocked} AS blocked,
                   0::UTINYINT AS standing, {self.part.recorded is not None} AS joined, false AS earlier
            FROM (SELECT *, {made} FROM (
                SELECT *, {usual} AS usual FROM (
                    SELECT * EXCLUDE id, {recipient} AS id, {self._variant()} AS variant, {self._zone()} AS zone FROM {people}
            )))""")

    def _delivery_hash(self, values: str) -> str:
        """Its two columns, from the hash of the values."""
        numbers = [divmod(each.hashes.message, 1 << 128) for each in self.readings]
        firsts, seconds = (
            self.by_variant([f"{each}::UHUGEINT" for each in some]) for some in zip(*numbers, strict=True)
        )
        first, second = halves(values)
        return f"{added(first, firsts)} AS hash, {added(second, seconds)} AS rest"

    def by_variant(self, each: Sequence[str]) -> str:
        """Of an expression for each variant, in their order, that of the unit's."""
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

    def look_at_odd_ones(self) -> None:
        """Hash, segments and what is wrong, by the row-wise code, for those whose text SQL cannot be right about."""
        import numpy as np

        for rows in self.people("odd"):
            looked: list[tuple[int, bytes, int | None, int]] = []
            for n, variant, values, _ in rows:
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

    def people(
        self, test: str, *, told: str = "NULL", source: str = "units"
    ) -> Iterator[list[tuple[int, int, tuple[str | None, ...], Any]]]:
        """(n, variant, resolved values, `told`) of the units for which the test holds. `told`: an expression over `source`."""
        values = "".join(f", {name}" for name in self.roster.values())
        query = f"SELECT n, variant, {told}{values} FROM {source} JOIN people USING (n) WHERE {test}"
        for rows in self.engine.chunks(query, AT_ONCE):
            yield [(n, variant, self.resolved(variant, own), said) for n, variant, said, *own in rows]

    def _own(self, variant: int, values: Sequence[str | None]) -> tuple[str | None, ...]:
        at = {name: number for number, name in enumerate(self.roster.variables)}
        names = self.part.messages[self.variants[variant]].names
        return tuple(values[at[name]] if name in at else None for name in names)

    def resolved(self, variant: int, values: Sequence[str | None]) -> tuple[str | None, ...]:
        return resolve(self.part.messages[self.variants[variant]], self._own(variant, values))
