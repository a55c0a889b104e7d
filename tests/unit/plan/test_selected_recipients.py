"""Parts of selected recipients by position are what a walk over all of them yields, wherever the spool's chunks end."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.model.recipients import MEMBER_BYTES
from notifyctl.plan.combinations import Selection
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.recipient_table import RecipientTable, TableChunk
from notifyctl.plan.selected_recipients import SelectedRecipients
from notifyctl.plan.spool import SpooledColumns

CHUNKS = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=1, max_size=5)
"""Whether each recipient of each chunk is selected."""


def selected(chunks: list[list[bool]]) -> SelectedRecipients:
    table = RecipientTable(("name", "absent"))
    number = 0
    for chunk in chunks:
        rows = range(number, number + len(chunk))
        number += len(chunk)
        table.append(
            TableChunk(
                entries=b"".join(row.to_bytes(ENTRY_BYTES) for row in rows),
                profiles=[(None,) * 5 for _ in rows],
                prefixes=["" for _ in rows],
                segments=np.ones(len(rows), np.uint16),
                lengths=np.ones(len(rows), np.uint32),
                marks=np.zeros(len(rows), np.uint8),
                spooled=SpooledColumns(
                    [f"+44770090{row:04}" for row in rows],
                    [f"order-{row}" for row in rows] if len(rows) % 2 else None,
                    [[f"Name {row}" for row in rows], None],
                ),
            )
        )
    keys = np.array([int(each) for chunk in chunks for each in chunk], np.uint32)
    return SelectedRecipients(
        table, Selection(keys, np.array([False, True]), int(keys.sum())), ("name", "absent")
    )


@given(CHUNKS, st.integers(1, 7), st.randoms(use_true_random=False))
def test_parts_are_the_chunks_of_a_walk(chunks: list[list[bool]], size: int, random: Random) -> None:
    units = selected(chunks)
    wanted = {at * size: each for at, each in enumerate(units.chunks(size))}
    starts = list(wanted)
    random.shuffle(starts)
    for start in starts:
        part = units.part(start, start + size)
        assert part == wanted[start]
        assert len(part.members) == len(part) * MEMBER_BYTES
    assert len(units.part(len(units), len(units) + size)) == 0
