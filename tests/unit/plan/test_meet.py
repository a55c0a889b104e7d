"""Packed facts meet the units they speak of, all of them and no others, and the word that decides is found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.engine import Engine
from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.plan.meet import BATCH_BITS, RANKS, Meeting, Sizes, meet_ids
from notifyctl.plan.standing import Known, standings

SCOPE = Scope("hello", 1, "once", ChannelName.SMS)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
HALVES = st.sampled_from([bytes(8), b"\xff" * 8, b"half one", b"half two", b"\0\0\0half\xff"])
ids = st.builds(lambda one, other: one + other, HALVES, HALVES)
"""Many ids that share one half with another."""
sizes = st.builds(Sizes, st.integers(1, 5), st.integers(1, 5))
TEXT = b"text number2"


def engine_of(units: Sequence[bytes]) -> Engine:
    engine = Engine()
    engine.run("CREATE TABLE units (n BIGINT, id UUID, hash UUID, joined BOOLEAN)")
    for n, each in enumerate(units):
        values = (f"unhex('{value.hex()}')::UUID" for value in (each, TEXT + bytes(4)))
        engine.run(f"INSERT INTO units VALUES ({n}, {', '.join(values)}, true)")
    return engine


@st.composite
def batches(draw: st.DrawFn) -> list[BatchRecord]:
    numbers = range(1, draw(st.integers(0, 5)) + 1)
    return [
        BatchRecord(
            number,
            SCOPE,
            draw(st.sampled_from(BatchState)),
            1,
            b"".join(
                each + draw(st.sampled_from([b"text number1", TEXT]))
                for each in draw(st.lists(ids, min_size=1, max_size=4, unique=True))
            ),
            NOW,
            epoch=draw(st.integers(1, 2)),
        )
        for number in numbers
    ]


@settings(deadline=None, max_examples=40)
@given(st.lists(ids, min_size=1, max_size=8, unique=True), batches(), sizes)
def test_the_word_that_decides_is_the_one_that_is_folded_row_by_row(
    units: list[bytes], told: list[BatchRecord], at_once: Sizes
) -> None:
    expected = {
        each: (RANKS[standing.kind], standing.fingerprint)
        for each, standing in standings(told).items()
        if each in units
    }
    with engine_of(units) as engine:
        meeting = Meeting(engine, Known(batches=lambda: told), {SCOPE: 1}, sizes=at_once)
        assert meeting.silent is not any(told)
        meeting.begin("units")
        meeting.end()
        rows = engine.rows(
            f"SELECT id::BLOB, rank >> {BATCH_BITS}, f1, f2, same, recorded FROM met JOIN units USING (n)"
        )
    found = {each: (kind, f1.to_bytes(8) + f2.to_bytes(4)) for each, kind, f1, f2, *_ in rows}
    assert len(rows) == len(found)
    assert {each: word for each, word in found.items() if word[0]} == expected
    assert {each: same for each, *_, same, _ in rows} == {
        each: word[1] == TEXT for each, word in found.items()
    }
    recorded = [each for batch in told if batch.epoch == 1 for each in members_of(batch)]
    assert {row[0] for row in rows if row[-1]} == set(recorded) & set(units)
    assert meeting.recorded == len(recorded)


def members_of(batch: BatchRecord) -> list[bytes]:
    return [batch.members[at : at + 16] for at in range(0, len(batch.members), 28)]


@settings(deadline=None, max_examples=40)
@given(st.lists(ids, min_size=1, max_size=8, unique=True), st.sets(ids, max_size=6))
def test_ids_meet_whole(units: list[bytes], some: set[bytes]) -> None:
    with engine_of(units) as engine:
        meet_ids(engine, some, column="joined", value=False)
        left = {each for (each,) in engine.rows("SELECT id::BLOB FROM units WHERE joined")}
    assert left == set(units) - some
