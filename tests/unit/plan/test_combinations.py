"""A test for the units of some combinations picks just those, whatever of the key it leaves out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.audience.engine import Engine
from notifyctl.plan.actions import Action, Decision
from notifyctl.plan.combinations import KEY, PLACES, Combination, Combinations

few = st.sampled_from([0, 1, 3])
units = st.lists(
    st.fixed_dictionaries({name: st.booleans() if bits == 1 else few for name, (_, bits) in PLACES.items()}),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=40)
@given(units, st.data())
def test_where_is_true_for_the_units_of_those_combinations(
    rows: list[dict[str, int]], data: st.DataObject
) -> None:
    with Engine() as engine:
        types = ", ".join(
            f"{name} {'BOOLEAN' if bits == 1 else 'USMALLINT'}" for name, (_, bits) in PLACES.items()
        )
        engine.run(f"CREATE TABLE units (n INTEGER, {types})")
        for n, row in enumerate(rows):
            engine.run(f"INSERT INTO units VALUES ({n}, {', '.join(str(row[name]) for name in PLACES)})")
        keys: dict[int, int] = dict(engine.rows(f"SELECT n, {KEY} FROM units"))
        decision = Decision(Action.SEND)
        made = Combinations(Combination(key, 0, None, decision, 1, 0) for key in sorted(set(keys.values())))
        wanted = data.draw(st.sets(st.sampled_from(sorted(set(keys.values())))))
        test = made.where(lambda each: each.key in wanted)
        found = {n for (n,) in engine.rows(f"SELECT n FROM units WHERE {test}")}
    assert found == {n for n, key in keys.items() if key in wanted}
