"""The first line of each address is found, in a dictionary and in the table that follows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.audience.deduplication import MAX_LOAD, FirstLines, HashTable

batches = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=20), min_size=1, max_size=6
)


@pytest.mark.parametrize("limit", [0, 5, 1000])
@given(batches=batches)
def test_each_repeat_gets_the_first_line(limit: int, batches: list[list[tuple[int, int]]]) -> None:
    """Lines may repeat: several addresses can be on one."""
    first_lines, known = FirstLines(limit), dict[str, int]()
    line = 0
    for batch in batches:
        addresses, lines, expected = [], [], {}
        for at, (number, step) in enumerate(batch):
            line += step - 1
            addresses.append(f"+4477009{number:05}")
            lines.append(line + 1)
            if addresses[-1] in known:
                expected[at] = known[addresses[-1]]
            known.setdefault(addresses[-1], lines[-1])
        assert first_lines.add(addresses, lines) == expected


def test_a_table_grows_and_forgets_nobody() -> None:
    """From 8 slots to 4,096, with several addresses for one free slot all the way."""
    table, addresses = HashTable(8), [f"ada{n}@reader.example" for n in range(2000)]
    for start in range(0, len(addresses), 7):
        chosen = addresses[start : start + 7]
        assert table.add(chosen, range(start + 1, start + 1 + len(chosen))) == [0] * len(chosen)
    assert table.add(addresses, range(5001, 7001)) == list(range(1, 2001))
    assert table.add(["nobody@reader.example"], [1]) == [0]
    assert len(addresses) / MAX_LOAD < 4096
