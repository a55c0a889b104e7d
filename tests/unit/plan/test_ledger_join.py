"""The ledger's packed records meet the recipients they are about, all of them and no others, and the strongest status is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.plan.combinations import STATUSES
from notifyctl.plan.inputs import LedgerRecords, RecordedAudience, ScopeRecords
from notifyctl.plan.ledger_join import LedgerJoin, count_unsettled
from notifyctl.plan.recipient_table import RecipientTable, TableChunk
from notifyctl.plan.spool import SpooledColumns
from notifyctl.plan.statuses import RecipientStatus, recipient_statuses, unpack_ids

SCOPE = Scope("hello", 1, "once", ChannelName.SMS)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
HALVES = st.sampled_from([bytes(8), b"\xff" * 8, b"half one", b"half two", b"\0\0\0half\xff"])
ids = st.builds(lambda one, other: one + other, HALVES, HALVES)
"""Many ids that share one half with another."""
TEXT = b"text number2"
texts = st.sampled_from([b"text number1", TEXT])
members = st.builds(lambda recipient, text: recipient + text, ids, texts)
audiences = st.lists(ids, min_size=1, max_size=8, unique=True)


def table_of(recipients: Sequence[bytes], *, chunk: int = 3) -> RecipientTable:
    table = RecipientTable(())
    for start in range(0, len(recipients), chunk):
        some = recipients[start : start + chunk]
        count = len(some)
        table.append(
            TableChunk(
                b"".join(each + TEXT + bytes(20) for each in some),
                [(None, "UTC", None, None)] * count,
                [""] * count,
                np.ones(count, np.uint16),
                np.zeros(count, np.uint32),
                np.zeros(count, np.uint8),
                SpooledColumns(["+447700900123"] * count, None, []),
            )
        )
    return table


@st.composite
def batches(draw: st.DrawFn) -> list[BatchRecord]:
    made = []
    for number in range(1, draw(st.integers(0, 5)) + 1):
        packed = draw(st.lists(members, min_size=1, max_size=4, unique_by=lambda each: each[:16]))
        states = st.sampled_from([BatchState.ACCEPTED, BatchState.REJECTED, BatchState.UNKNOWN])
        others = draw(st.dictionaries(st.integers(0, len(packed) - 1), states, max_size=2))
        state, epoch = draw(st.sampled_from(BatchState)), draw(st.integers(1, 2))
        made.append(BatchRecord(number, SCOPE, state, 1, b"".join(packed), NOW, others=others, epoch=epoch))
    return made


def status_code(status: RecipientStatus | None) -> int:
    if status is None:
        return 0
    return STATUSES.index((status.kind, status.kind != "accepted" or status.fingerprint == TEXT))


@settings(deadline=None)
@given(audiences, batches(), st.lists(members, max_size=2), st.none() | st.lists(ids, max_size=3))
def test_the_strongest_status_is_the_one_that_is_folded_one_by_one(
    audience: list[bytes], told: list[BatchRecord], served: list[bytes], held: list[bytes] | None
) -> None:
    expected = recipient_statuses(told)
    recorded = None if held is None else RecordedAudience([b"".join(held)], {SCOPE: 1})
    join = LedgerJoin(table_of(audience))
    past, statuses = join.join(
        LedgerRecords(batches=lambda: told, served=lambda: served, recorded=recorded, earlier=lambda: told)
    )
    assert past.statuses.tolist() == [status_code(expected.get(each)) for each in audience]
    for at, each in enumerate(audience):
        if each in expected:
            assert statuses.fingerprints[at].tobytes() == expected[each].fingerprint
    opened_with = [each for batch in told if batch.epoch == 1 for each in member_ids(batch)]
    belongs = {*opened_with, *(held or [])}
    assert past.joined.tolist() == [held is not None and each not in belongs for each in audience]
    assert held is None or join.recorded_size == len(opened_with) + len(held)
    assert past.earlier.tolist() == [each in accepted(told) for each in audience]
    assert past.served.tolist() == [each in {packed[:16] for packed in served} for each in audience]


def member_ids(batch: BatchRecord) -> list[bytes]:
    return [batch.members[at : at + 16] for at in range(0, len(batch.members), 28)]


def accepted(told: Sequence[BatchRecord]) -> set[bytes]:
    return {
        recipient
        for batch in told
        for at, recipient in enumerate(member_ids(batch))
        if batch.others.get(at, batch.state) is BatchState.ACCEPTED
    }


def with_text(told: Sequence[BatchRecord], served: Sequence[bytes]) -> set[bytes]:
    """Who may have TEXT, recipient by recipient: accepted with it, uncertain with it, or served with it."""
    found = {each[:16] for each in served if each[16:] == TEXT}
    for batch in told:
        for at, recipient in enumerate(member_ids(batch)):
            state = batch.others.get(at, batch.state)
            same = batch.members[at * 28 + 16 : at * 28 + 28] == TEXT
            if same and state in {BatchState.ACCEPTED, BatchState.UNKNOWN, BatchState.ARMED}:
                found.add(recipient)
    return found


@settings(deadline=None)
@given(audiences, batches(), batches(), batches(), st.lists(members, max_size=2), st.data())
def test_whoever_may_have_the_text_under_a_removed_name_and_not_under_this_one_is_found(
    audience: list[bytes],
    one: list[BatchRecord],
    other: list[BatchRecord],
    own: list[BatchRecord],
    served: list[bytes],
    data: st.DataObject,
) -> None:
    wanted = [data.draw(st.booleans()) for _ in audience]
    records = LedgerRecords(
        own=[ScopeRecords(SCOPE, lambda: own)],
        vanished={
            "a": [ScopeRecords(SCOPE, lambda: one, lambda: served)],
            "b": [ScopeRecords(SCOPE, lambda: other)],
        },
    )
    found = LedgerJoin(table_of(audience)).find_renames(records, np.array(wanted))
    under_a, under_b, here = with_text(one, served), with_text(other, []), with_text(own, [])
    names = [None, *found.names]
    assert [names[place] for place in found.places.tolist()] == [
        None
        if not is_wanted or each in here
        else "a"
        if each in under_a
        else "b"
        if each in under_b
        else None
        for each, is_wanted in zip(audience, wanted, strict=True)
    ]


@settings(deadline=None)
@given(batches(), st.lists(ids, max_size=6))
def test_what_is_unsettled_in_a_scope_that_nothing_defines(
    told: list[BatchRecord], held: list[bytes]
) -> None:
    statuses, recorded = recipient_statuses(told), unpack_ids(b"".join(held))
    reached = {each for each, status in statuses.items() if status.kind != "rejected"}
    found = count_unsettled(lambda: told, b"".join(held))
    assert found.uncertain == sum(status.kind == "uncertain" for status in statuses.values())
    assert found.withdrawn == len(recorded - reached)
    assert found.never_begun == len(recorded - statuses.keys())


@settings(deadline=None)
@given(st.lists(ids, min_size=1, max_size=12, unique=True), st.data())
def test_entries_come_sorted_by_their_ids(audience: list[bytes], data: st.DataObject) -> None:
    wanted = np.array([data.draw(st.booleans()) for _ in audience])
    chosen = [each for each, counts in zip(audience, wanted, strict=True) if counts]
    packed = b"".join(table_of(audience).sorted_entries(wanted))
    assert packed == b"".join(each + TEXT + bytes(20) for each in sorted(chosen))
