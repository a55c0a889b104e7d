"""Which texts a plan shows of a scope, by columns: the rows that the row-wise code would have shown, in their order."""

from __future__ import annotations

from collections.abc import Iterable

from notifyctl.engine import literal
from notifyctl.plan.actions import Action
from notifyctl.plan.combinations import Combinations, authorised
from notifyctl.plan.packed import DELIVERY_HASH, high
from notifyctl.plan.reading import GSM7, RIGHT_TO_LEFT, together
from notifyctl.plan.samples import HELD, Samples
from notifyctl.plan.units import Units

__all__ = ["show"]


def show(units: Units, combinations: Combinations, samples: Samples) -> None:
    test = combinations.where(lambda each: authorised(each) or each.decision.action is Action.CHANGED)
    if test == "false":
        return
    # Texts are told apart by 64 bits of their hashes: this is for showing, and not for deciding.
    units.engine.run(
        f"CREATE TABLE texts AS SELECT {high('hash')} AS text, min(n) AS first, count(*) AS readers"
        f" FROM units WHERE {test} GROUP BY text"
    )
    samples.texts = units.engine.row("SELECT count(*) FROM texts")[0]
    if len(units.variants) > 1:
        # The same text in two variants is shown for the one whose reader comes first.
        test += " AND n IN (SELECT first FROM texts)"
    extremes = units.engine.rows(
        f"SELECT variant, max(length), min(length), bool_or(wide) FROM units WHERE {test} GROUP BY variant"
    )
    shown: set[int] = set()
    for number, longest, shortest, wide in extremes:
        first = (
            f"FROM texts JOIN units ON n = first WHERE variant = {number}"
            if len(extremes) > 1
            else "FROM texts"
        )
        firsts = units.engine.rows(f"SELECT first {first} ORDER BY first LIMIT {HELD}")
        shown.update(n for (n,) in firsts)
        shown.update(
            sights(units, samples, f"{test} AND variant = {number}", number, (longest, shortest), wide=wide)
        )
    listed = ", ".join(map(str, sorted(shown)))
    actions = {each.key: each.decision.action for each in combinations}
    values = "".join(f", {name}" for name in units.roster.values())
    rows = units.engine.rows(
        f"SELECT {combinations.key}, variant, {DELIVERY_HASH}, sent, readers{values} FROM units JOIN people USING (n)"
        f" JOIN texts ON n = first WHERE n IN ({listed}) ORDER BY n"
    )
    for key, variant, hashed, sent, people, *own in rows:
        samples.counts[hashed] = people
        samples.show(hashed, (units.variants[variant], actions[key], sent, units.resolved(variant, own)))


def sights(
    units: Units, samples: Samples, test: str, number: int, lengths: Iterable[int], *, wide: bool
) -> set[int]:
    """The first readers of a variant's longest text, of its shortest, and of those that are easily overlooked. The first
    with some text is the first reader of that text: all its readers have the same.
    """
    reading = units.readings[number]
    queries = [f"SELECT min(n) FROM units WHERE {test} AND length = {length}" for length in lengths]
    readers = f"SELECT min(n) FROM units JOIN people USING (n) WHERE {test}"
    if wide:
        text = together(reading.values)
        queries.append(f"{readers} AND wide AND NOT regexp_full_match({text}, {literal(GSM7)})")
        queries.append(f"{readers} AND wide AND regexp_matches({text}, {literal(RIGHT_TO_LEFT)})")
    optional = samples.optional[units.variants[number]]
    if optional:
        lacks = " OR ".join(f"coalesce({reading.values[at]}, '') = ''" for at in optional)
        queries.append(f"{readers} AND ({lacks})")
    return {n for query in queries for (n,) in units.engine.rows(query) if n is not None}
