from __future__ import annotations

from datetime import UTC, datetime

import pytest

from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.plan.statuses import RecipientStatus, recipient_statuses, unpack_ids

SCOPE = Scope("outage", 1, "once", ChannelName.SMS)
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)


def person(number: int) -> bytes:
    return number.to_bytes(ID_BYTES)


def text(number: int) -> bytes:
    return number.to_bytes(FINGERPRINT_BYTES)


def batch(number: int, state: BatchState, *members: tuple[int, int], attempt: int = 1) -> BatchRecord:
    packed = b"".join(person(who) + text(what) for who, what in members)
    return BatchRecord(number, SCOPE, state, attempt, packed, AT)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (BatchState.ARMED, "uncertain"),
        (BatchState.UNKNOWN, "uncertain"),
        (BatchState.ACCEPTED, "accepted"),
        (BatchState.REJECTED, "rejected"),
    ],
)
def test_what_was_begun_gives_each_member_a_status(state: BatchState, kind: str) -> None:
    found = recipient_statuses([batch(7, state, (1, 10), (2, 20), attempt=3)])
    assert found == {person(1): (kind, text(10), 7, 3), person(2): (kind, text(20), 7, 3)}


def test_a_batch_that_was_only_planned_says_nothing() -> None:
    assert recipient_statuses([batch(1, BatchState.PLANNED, (1, 10), attempt=0)]) == {}


STATES = {"rejected": BatchState.REJECTED, "uncertain": BatchState.UNKNOWN, "accepted": BatchState.ACCEPTED}


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ("rejected", "uncertain", "uncertain"),
        ("uncertain", "rejected", "uncertain"),
        ("rejected", "accepted", "accepted"),
        ("accepted", "rejected", "accepted"),
        ("uncertain", "accepted", "accepted"),
        ("accepted", "uncertain", "accepted"),
    ],
)
def test_accepted_wins_over_uncertain_and_uncertain_over_rejected(first: str, second: str, wins: str) -> None:
    facts = [batch(1, STATES[first], (1, 10)), batch(2, STATES[second], (1, 20))]
    assert recipient_statuses(facts)[person(1)].kind == wins


def test_among_equals_the_later_batch_decides_also_when_it_comes_first() -> None:
    earlier, later = batch(4, BatchState.ACCEPTED, (1, 10)), batch(9, BatchState.ACCEPTED, (1, 20))
    for facts in ([earlier, later], [later, earlier]):
        assert recipient_statuses(facts)[person(1)] == RecipientStatus("accepted", text(20), 9, 2)


def test_attempts_are_counted_over_all_batches() -> None:
    facts = [
        batch(1, BatchState.REJECTED, (1, 10), (2, 10), attempt=2),
        batch(2, BatchState.REJECTED, (1, 10), attempt=3),
    ]
    found = recipient_statuses(facts)
    assert found[person(1)] == RecipientStatus("rejected", text(10), 2, 5)
    assert found[person(2)] == RecipientStatus("rejected", text(10), 1, 2)


def test_a_recorded_audience_is_a_set_of_ids() -> None:
    assert unpack_ids(person(1) + person(2)) == {person(1), person(2)}
    assert unpack_ids(b"") == set()
