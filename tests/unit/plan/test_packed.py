"""What the digest takes of units comes sorted by their ids, whatever ranges of them are fetched."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.engine import Engine
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.packed import sorted_entries

EDGES = st.sampled_from([bytes(8), b"\0" * 7 + b"\1", b"\x7f" + b"\xff" * 7, b"\x80" + bytes(7), b"\xff" * 8])
halves = st.one_of(EDGES, st.binary(min_size=8, max_size=8))
entries = st.builds(lambda *some: b"".join(some), halves, halves, st.binary(min_size=32, max_size=32))


@settings(deadline=None, max_examples=60)
@given(st.lists(entries, max_size=12, unique_by=lambda entry: entry[:16]), st.integers(1, 6))
def test_entries_are_sorted_in_pieces_of_any_size(some: list[bytes], at_once: int) -> None:
    with Engine() as engine:
        engine.run("CREATE TABLE units (id UUID, hash UUID, rest UUID, wanted BOOLEAN)")
        for each in [*some, bytes(ENTRY_BYTES)]:
            parts = (f"unhex('{each[at : at + 16].hex()}')::UUID" for at in (0, 16, 32))
            engine.run(f"INSERT INTO units VALUES ({', '.join(parts)}, {each in some})")
        if bytes(ENTRY_BYTES) in some:
            engine.run("UPDATE units SET wanted = false WHERE rowid = (SELECT max(rowid) FROM units)")
        pieces = list(sorted_entries(engine, "wanted", len(some), at_once=at_once))
    assert b"".join(pieces) == b"".join(sorted(some))
    assert all(len(piece) % ENTRY_BYTES == 0 for piece in pieces)
