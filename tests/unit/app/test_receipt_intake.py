"""Many receipts in one commit: an answer only behind it, and a refusal where none can be taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.app.receipts.intake import LOOK_AGAIN, RETRY_AWAY, RETRY_BUSY, RETRY_FULL, Intake
from notifyctl.app.receipts.reduction import Reducer
from notifyctl.app.receipts.tally import SECONDS, Tally
from notifyctl.apply.correlation import (
    batch_in_callback,
    callback_data,
    correlation_ids,
    is_of_another_ledger,
    is_of_test,
    parse_correlation_id,
)
from notifyctl.errors import LedgerError, OverloadedError
from notifyctl.hashing import RecipientHasher
from notifyctl.model.received import Received
from notifyctl.providers.webexconnect.receipts import Incoming
from notifyctl.testing.fakes import ManualClock

PATIENCE = 20
NOW = datetime(2026, 12, 1, tzinfo=UTC)


class Shelf:
    """A database that can be away, full, or slow. Each connection dies with the first failure."""

    def __init__(self) -> None:
        self.commits: list[list[bytes]] = []
        self.away = self.full = False
        self.lost = 0
        self.opened = 0
        self.answers = threading.Event()
        self.answers.set()
        self.entered = threading.Event()

    def open(self) -> Connection:
        if self.away:
            raise LedgerError("the database is away")
        self.opened += 1
        return Connection(self)


class Connection:
    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def put(self, receipts: Sequence[Received]) -> None:
        self.shelf.entered.set()
        assert self.shelf.answers.wait(PATIENCE)
        if self.shelf.away:
            raise LedgerError("the database is away")
        if self.shelf.lost:
            self.shelf.lost -= 1
            raise LedgerError("the connection was cut")
        if receipts:
            self.shelf.commits.append([each.digest for each in receipts])

    def is_full(self) -> bool:
        return self.shelf.full

    def close(self) -> None:
        pass


def received(number: int) -> Received:
    return Received(digest=number.to_bytes(16), status="delivered", at=NOW)


def refusal(call: Callable[[], object]) -> int:
    with pytest.raises(OverloadedError) as refused:
        call()
    return refused.value.retry_after


def test_what_arrives_during_a_commit_shares_the_next_one() -> None:
    shelf = Shelf()
    intake = Intake(shelf.open, ManualClock(NOW), queue=1000)
    shelf.answers.clear()
    first = intake.offer(received(0))
    assert shelf.entered.wait(PATIENCE)
    others = [intake.offer(received(number)) for number in range(1, 200)]
    assert not any(each.done() for each in [first, *others]), "answered before the commit"
    shelf.answers.set()
    assert len(wait([first, *others], PATIENCE).done) == 200
    intake.close()
    assert shelf.commits == [[received(0).digest], [received(number).digest for number in range(1, 200)]]
    assert (intake.counts.stored, intake.counts.commits) == (200, 2)


def test_a_commit_has_a_bound() -> None:
    shelf = Shelf()
    intake = Intake(shelf.open, ManualClock(NOW), queue=1000, group=8)
    shelf.answers.clear()
    waiting = [intake.offer(received(number)) for number in range(50)]
    shelf.answers.set()
    intake.close()
    assert all(each.exception(PATIENCE) is None for each in waiting)
    assert max(map(len, shelf.commits)) == 8
    assert sorted(digest for commit in shelf.commits for digest in commit) == [
        received(number).digest for number in range(50)
    ]


def test_a_full_queue_refuses_at_once_and_takes_again_when_there_is_room() -> None:
    shelf = Shelf()
    intake = Intake(shelf.open, ManualClock(NOW), queue=3)
    shelf.answers.clear()
    waiting = [intake.offer(received(number)) for number in range(3)]
    assert refusal(lambda: intake.offer(received(3))) == RETRY_BUSY
    assert not intake.is_ready()
    shelf.answers.set()
    assert len(wait(waiting, PATIENCE).done) == 3
    assert intake.is_ready()
    assert intake.offer(received(3)).exception(PATIENCE) is None
    intake.close()
    assert intake.counts.busy == 1


def test_a_connection_that_was_cut_is_replaced_without_a_word() -> None:
    shelf = Shelf()
    intake = Intake(shelf.open, ManualClock(NOW))
    shelf.lost = 1
    assert intake.offer(received(1)).exception(PATIENCE) is None
    intake.close()
    assert shelf.opened == 2
    assert shelf.commits == [[received(1).digest]]


def test_while_the_database_is_away_all_are_refused_and_later_taken() -> None:
    shelf, clock = Shelf(), ManualClock(NOW)
    intake = Intake(shelf.open, clock)
    shelf.away = True
    assert refusal(lambda: intake.offer(received(1)).result(PATIENCE)) == RETRY_AWAY
    shelf.away = False
    assert refusal(lambda: intake.offer(received(1))) == RETRY_AWAY, (
        "the database is not asked for each receipt"
    )
    clock.sleep(LOOK_AGAIN)
    assert intake.offer(received(1)).exception(PATIENCE) is None
    intake.close()
    assert shelf.commits == [[received(1).digest]]
    assert intake.counts.away == 2


def test_a_server_is_ready_again_without_a_receipt() -> None:
    """A balancer posts nothing to a server that is not ready."""
    shelf, clock = Shelf(), ManualClock(NOW)
    intake = Intake(shelf.open, clock)
    assert intake.is_ready()
    shelf.away = True
    assert refusal(lambda: intake.offer(received(1)).result(PATIENCE)) == RETRY_AWAY
    clock.sleep(LOOK_AGAIN)
    assert not intake.is_ready()
    shelf.away = False
    wait_for(intake.is_ready)
    intake.close()
    assert shelf.commits == []


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 100):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_a_full_inbox_refuses_until_it_was_folded() -> None:
    shelf, clock = Shelf(), ManualClock(NOW)
    intake = Intake(shelf.open, clock)
    shelf.full = True
    assert refusal(lambda: intake.offer(received(1)).result(PATIENCE)) == RETRY_FULL
    clock.sleep(LOOK_AGAIN)
    assert refusal(lambda: intake.offer(received(1)).result(PATIENCE)) == RETRY_FULL
    shelf.full = False
    clock.sleep(LOOK_AGAIN)
    assert intake.offer(received(1)).exception(PATIENCE) is None
    intake.close()
    assert shelf.commits == [[received(1).digest]]
    assert intake.counts.full == 2


def test_what_waits_at_the_end_is_committed_and_nothing_is_taken_any_more() -> None:
    shelf = Shelf()
    intake = Intake(shelf.open, ManualClock(NOW))
    shelf.answers.clear()
    waiting: list[Future[None]] = [intake.offer(received(number)) for number in range(5)]
    closing = threading.Thread(target=intake.close)
    closing.start()
    shelf.answers.set()
    closing.join(PATIENCE)
    assert [each.exception(0) for each in waiting] == [None] * 5
    assert refusal(lambda: intake.offer(received(9))) == RETRY_BUSY


def test_a_ledger_that_cannot_be_used_ends_the_start() -> None:
    shelf = Shelf()
    shelf.away = True
    with pytest.raises(LedgerError):
        Intake(shelf.open, ManualClock(NOW))


# What is kept of a receipt

LEDGER = "acme/production"
OUR_ID = correlation_ids(7, [3], bytes(16))[0]
NAMES = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    st.sampled_from(
        [
            OUR_ID,
            f"{OUR_ID[:-1]}!",
            "notifyctl-test-7-00",
            "notifyctl-test:acme/production:7",
            callback_data(LEDGER, 7, 2),
            callback_data("acme/staging", 7, 2),
            f"notifyctl:{LEDGER}:people:ada@acme.example",
            f"notifyctl:{LEDGER}:",
            "notifyctl:",
            "customer 4711",
        ]
    ),
)


def reduced(correlation_id: str | None, callback: str | None, destination: str | None = None) -> Received:
    incoming = Incoming("delivered", destination, correlation_id, callback, None, None, None, "{}")
    return Reducer(RecipientHasher(b"key"), LEDGER).reduce(incoming, NOW)


@given(NAMES, NAMES)
def test_what_is_left_of_names_decides_as_the_names_do(
    correlation_id: str | None, callback: str | None
) -> None:
    kept = reduced(correlation_id, callback)
    assert bool(kept.correlation_id) == bool(correlation_id)
    assert parse_correlation_id(kept.correlation_id or "") == parse_correlation_id(correlation_id or "")
    assert batch_in_callback(kept.callback, LEDGER) == batch_in_callback(callback, LEDGER)
    assert is_of_test(kept.correlation_id, kept.callback) == is_of_test(correlation_id, callback)
    theirs = is_of_another_ledger(correlation_id, callback, LEDGER)
    assert is_of_another_ledger(kept.correlation_id, kept.callback, LEDGER) == theirs


@pytest.mark.parametrize("address", ["+447700900123", "ada@acme.example"])
def test_nothing_of_a_person_is_kept(address: str) -> None:
    kept = reduced(f"for {address}", f"notifyctl:{LEDGER}:{address}:1", f" {address}")
    assert address not in repr(kept)
    assert "900123" not in repr(kept)
    assert kept.recipients == tuple(RecipientHasher(b"key")([address]))


# Lines


def test_a_line_comes_at_once_and_its_repeats_as_a_number() -> None:
    said: list[str] = []
    clock = ManualClock(NOW)
    tally = Tally(said.append, clock)
    for _ in range(1000):
        tally("200 delivered: stored")
    tally("503 the database is away")
    assert said == ["200 delivered: stored", "503 the database is away"]
    clock.sleep(SECONDS)
    tally("200 delivered: stored")
    assert said[2:] == ["200 delivered: stored (1,000 more in 10 s)"]
    tally("200 delivered: stored")
    clock.sleep(2)
    tally.report()
    assert said[3:] == ["200 delivered: stored (1 more in 2 s)"]
