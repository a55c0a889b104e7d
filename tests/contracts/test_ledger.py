"""The contract of every ledger. What is particular to SQLite files is in tests/unit/ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger import scope_statuses
from notifyctl.model.acceptance import Acceptance, AcceptRule, Identity, Proof
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.model.ledger import BatchRecord, BatchState, Purpose
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.plan.statuses import recipient_statuses
from notifyctl.ports import LedgerStore, LedgerWriter
from notifyctl.testing import ManualClock, TemporaryLedger
from tests.contract_ledgers import IMPLEMENTATIONS, lose_lock

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS = Scope("outage", 1, "once", ChannelName.SMS)
MAIL = Scope("invoice", 2, "2026-12-01T09:00", ChannelName.EMAIL)
ACCEPTED = Accepted("msg-1", 202)
REJECTED = Rejected("bad request", 400)
UNKNOWN = Unknown("read timed out")
SEAL = b"seal"
ACCEPTANCE = Acceptance(
    fingerprint="s1:0a",
    notification="outage",
    edition=1,
    channel=ChannelName.SMS,
    until=AT,
    max_recipients=1,
    who=Identity("ada", Proof.OIDC, "https://forge.example ada"),
    rule=AcceptRule(),
    revision=None,
    at=AT,
)


@dataclass(frozen=True, slots=True)
class Bench:
    store: LedgerStore
    clock: ManualClock
    lose_lock: Callable[[], None]


@pytest.fixture(params=list(IMPLEMENTATIONS.values()), ids=list(IMPLEMENTATIONS))
def bench(request: pytest.FixtureRequest) -> Bench:
    clock = ManualClock(AT)
    ledger: LedgerStore = request.param(request, clock)
    return Bench(ledger, clock, partial(lose_lock, ledger))


@pytest.fixture
def store(bench: Bench) -> LedgerStore:
    bench.store.create()
    return bench.store


def person(number: int) -> bytes:
    return number.to_bytes(ID_BYTES)


def members(*people: int) -> bytes:
    return b"".join(person(number) + bytes(FINGERPRINT_BYTES) for number in people)


def planned(store: LedgerStore, *batches: bytes, scope: Scope = SMS) -> None:
    with store.writer("test") as writer:
        writer.plan_batches(scope, batches, at=AT)


def history(store: LedgerStore, *outcomes: Outcome | None) -> None:
    """One batch with one person; each outcome ends an attempt, None leaves the last one armed."""
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        for attempt, outcome in enumerate(outcomes, 1):
            writer.arm(number, attempt, seal=SEAL, at=AT)
            if outcome is not None:
                writer.settle(number, attempt, outcome, at=AT)


def known(store: LedgerStore, scope: Scope = SMS) -> list[BatchRecord]:
    with closing(store.reader()) as reader:
        return list(reader.facts(scope))


@contextmanager
def broken_off(store: LedgerStore) -> Iterator[LedgerWriter]:
    with suppress(KeyboardInterrupt), store.writer("interrupted") as writer:
        yield writer
        raise KeyboardInterrupt


# The store


def test_a_ledger_is_there_once_it_is_created(bench: Bench) -> None:
    assert not bench.store.exists()
    bench.store.create()
    assert bench.store.exists()


def test_a_ledger_is_never_made_twice(store: LedgerStore) -> None:
    planned(store, members(1))
    with pytest.raises(LedgerError, match="already"):
        store.create()
    assert len(known(store)) == 1


def test_without_a_ledger_nothing_opens_and_the_way_out_is_named(bench: Bench) -> None:
    with pytest.raises(LedgerError, match="has no ledger") as missing:
        bench.store.reader()
    assert "ledger init" in (missing.value.hint or "")
    with pytest.raises(LedgerError, match="has no ledger"), bench.store.writer("test"):
        pass
    assert not bench.store.exists()


def test_facts_of_many_batches_say_of_each_what_it_says_alone(store: LedgerStore) -> None:
    outcomes = (ACCEPTED, REJECTED, UNKNOWN, None)
    with store.writer("test") as writer:
        for at in range(0, 210, 10):
            scope = MAIL if at % 70 == 0 else SMS
            numbers = writer.plan_batches(scope, [members(n) for n in range(at, at + 10)], at=AT)
            for number in numbers[:-1]:
                writer.arm(number, 1, seal=SEAL, at=AT)
                outcome = outcomes[number % len(outcomes)]
                if outcome is not None:
                    writer.settle(number, 1, outcome, at=AT)
    with closing(store.reader()) as reader:
        for scope, count in ((SMS, 180), (MAIL, 30)):
            facts = list(reader.facts(scope))
            assert len(facts) == count
            assert facts == [reader.find(each.number) for each in facts]
            assert {each.state for each in facts} >= {
                BatchState.ACCEPTED,
                BatchState.ARMED,
                BatchState.PLANNED,
            }


def test_an_opening_counts_who_was_held_and_who_was_planned(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        writer.open_scope(SMS, person(8) + person(9), at=AT)
        writer.plan_batches(SMS, [members(1, 2, 3), members(4)], at=AT)
    planned(store, members(5))
    with closing(store.reader()) as reader:
        assert reader.opening_size(SMS) == 6 == len(reader.recorded(SMS) or b"") // ID_BYTES
        assert reader.opening_size(MAIL) == 0


def test_a_new_ledger_is_empty_and_knows_when_it_was_made(store: LedgerStore) -> None:
    with closing(store.reader()) as reader:
        summary = reader.summary()
        assert reader.scopes() == []
        assert list(reader.facts(SMS)) == []
        assert reader.recorded(SMS) is None
        assert reader.next_batch() == 1
    assert (summary.scopes, summary.created_at) == (0, AT)
    assert set(summary.batches) == set(summary.recipients) == set(BatchState)
    assert sum(summary.batches.values()) == sum(summary.recipients.values()) == 0


# Recipients


def test_recipients_are_known_by_ids_that_hold_across_openings(store: LedgerStore) -> None:
    addresses = ["+447700900123", "ada@acme.example", "+447700900123"]
    with closing(store.reader()) as reader:
        first = reader.recipient_ids(addresses)
        assert reader.recipient_ids([]) == []
    with store.writer("test") as writer:
        assert writer.recipient_ids(addresses) == first
    assert [len(recipient) for recipient in first] == [ID_BYTES] * 3
    assert first[0] == first[2] != first[1]


# Batches


def test_batches_count_on_over_scopes_and_writers(store: LedgerStore) -> None:
    with store.writer("one") as writer:
        assert list(writer.plan_batches(SMS, [members(1), members(2)], at=AT)) == [1, 2]
        assert list(writer.plan_batches(MAIL, [members(1)], at=AT)) == [3]
        assert writer.next_batch() == 4
    with store.writer("two") as writer:
        assert list(writer.plan_batches(SMS, [members(3)], at=AT)) == [4]
    assert [facts.number for facts in known(store)] == [1, 2, 4]
    assert [facts.number for facts in known(store, MAIL)] == [3]


def test_members_come_back_as_they_were_packed(store: LedgerStore) -> None:
    packed = bytes(range(256)) * 28 * 4
    planned(store, packed, members(7))
    assert [facts.members for facts in known(store)] == [packed, members(7)]


def test_more_batches_than_fit_a_page_come_in_order(store: LedgerStore) -> None:
    planned(store, *(members(number) for number in range(150)))
    assert [facts.number for facts in known(store)] == list(range(1, 151))


def test_scopes_are_those_opened_or_with_batches_in_order(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        writer.plan_batches(SMS, [members(1)], at=AT)
        writer.open_scope(MAIL, b"", at=AT)
    with closing(store.reader()) as reader:
        assert reader.scopes() == [MAIL, SMS]


# States


@pytest.mark.parametrize(
    ("outcomes", "state", "attempt", "reason"),
    [
        ([], BatchState.PLANNED, 0, None),
        ([ACCEPTED], BatchState.ACCEPTED, 1, None),
        ([REJECTED], BatchState.REJECTED, 1, "bad request"),
        ([Refused("no such service", 401)], BatchState.REJECTED, 1, "no such service"),
        ([UNKNOWN], BatchState.UNKNOWN, 1, "read timed out"),
        ([REJECTED, ACCEPTED], BatchState.ACCEPTED, 2, None),
        ([REJECTED, REJECTED, UNKNOWN], BatchState.UNKNOWN, 3, "read timed out"),
    ],
)
def test_the_last_attempt_tells_the_state(
    store: LedgerStore, outcomes: list[Outcome], state: BatchState, attempt: int, reason: str | None
) -> None:
    history(store, *outcomes)
    assert known(store) == [BatchRecord(1, SMS, state, attempt, members(1), AT, reason, epoch=1)]


def test_a_begun_attempt_is_armed_for_readers_while_its_writer_works(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT + timedelta(seconds=5))
        [facts] = known(store)
        assert (facts.state, facts.attempt, facts.at) == (BatchState.ARMED, 1, AT + timedelta(seconds=5))


def test_a_writer_reads_what_it_wrote(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT)
        writer.settle(number, 1, ACCEPTED, at=AT)
        assert [facts.state for facts in writer.facts(SMS)] == [BatchState.ACCEPTED]


def test_times_come_back_as_the_same_moments_in_utc(store: LedgerStore) -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with store.writer("test") as writer:
        writer.plan_batches(SMS, [members(1)], at=local)
    [facts] = known(store)
    assert facts.at == AT
    assert facts.at.utcoffset() == timedelta(0)


# What may be begun


@pytest.mark.parametrize("outcomes", [[None], [ACCEPTED], [UNKNOWN], [REJECTED, ACCEPTED]])
def test_only_what_was_certainly_not_accepted_is_begun_again(
    store: LedgerStore, outcomes: list[Outcome | None]
) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        for attempt, outcome in enumerate(outcomes, 1):
            writer.arm(number, attempt, seal=SEAL, at=AT)
            if outcome is not None:
                writer.settle(number, attempt, outcome, at=AT)
        before = list(writer.facts(SMS))
        for attempt in (len(outcomes), len(outcomes) + 1):
            with pytest.raises(LedgerError):
                writer.arm(number, attempt, seal=SEAL, at=AT)
        assert list(writer.facts(SMS)) == before


@pytest.mark.parametrize("attempt", [0, 2])
def test_attempts_count_from_one_without_gaps(store: LedgerStore, attempt: int) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        with pytest.raises(LedgerError):
            writer.arm(number, attempt, seal=SEAL, at=AT)


def test_a_batch_is_begun_only_by_the_run_that_planned_it(store: LedgerStore) -> None:
    planned(store, members(1))
    with store.writer("another") as writer:
        for number in (1, 99):
            with pytest.raises(LedgerError):
                writer.arm(number, 1, seal=SEAL, at=AT)
    assert [facts.state for facts in known(store)] == [BatchState.PLANNED]


def test_what_was_not_begun_has_no_outcome(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        for other in (number, 99):
            with pytest.raises(LedgerError, match="was not recorded"):
                writer.settle(other, 1, ACCEPTED, at=AT)


# The last word


@pytest.mark.parametrize(
    ("later", "state"), [(ACCEPTED, BatchState.ACCEPTED), (Rejected("not sent"), BatchState.REJECTED)]
)
def test_what_is_unknown_is_settled_later_by_another_run(
    store: LedgerStore, later: Outcome, state: BatchState
) -> None:
    history(store, UNKNOWN)
    with store.writer("resolver") as writer:
        writer.settle(1, 1, later, at=AT + timedelta(hours=1))
    [facts] = known(store)
    assert (facts.state, facts.at) == (state, AT + timedelta(hours=1))


@pytest.mark.parametrize("later", [REJECTED, UNKNOWN, Refused("no", 403)])
def test_accepted_is_never_taken_back(store: LedgerStore, later: Outcome) -> None:
    history(store, ACCEPTED)
    with store.writer("test") as writer, pytest.raises(LedgerError, match="accepted"):
        writer.settle(1, 1, later, at=AT)
    assert [facts.state for facts in known(store)] == [BatchState.ACCEPTED]


def test_to_say_accepted_twice_changes_nothing(store: LedgerStore) -> None:
    history(store, ACCEPTED)
    with store.writer("test") as writer:
        before = writer.summary()
        writer.settle(1, 1, Accepted("msg-2", 200), at=AT + timedelta(hours=1))
        assert writer.summary() == before


def test_a_late_acceptance_of_an_early_attempt_counts(store: LedgerStore) -> None:
    """A receipt can show that what looked rejected was accepted: then nobody of the batch may get it again."""
    history(store, REJECTED, REJECTED)
    with store.writer("receipts") as writer:
        writer.settle(1, 1, ACCEPTED, at=AT)
        with pytest.raises(LedgerError, match="accepted"):
            writer.settle(1, 2, ACCEPTED, at=AT)
        writer.settle(1, 2, UNKNOWN, at=AT)
    assert [facts.state for facts in known(store)] == [BatchState.ACCEPTED]


# Writers


def test_a_second_writer_is_turned_away_and_told_by_whom(store: LedgerStore) -> None:
    with store.writer("ada@laptop"):
        with pytest.raises(LedgerLockedError, match="ada@laptop"), store.writer("ben"):
            pass
        assert known(store) == []
    with store.writer("ben") as writer:
        assert writer.next_batch() == 1


def test_the_lock_is_free_after_a_writer_failed(store: LedgerStore) -> None:
    with pytest.raises(ZeroDivisionError), store.writer("test"):
        raise ZeroDivisionError
    planned(store, members(1))


def test_what_a_run_left_armed_is_unknown_when_the_next_begins(bench: Bench, store: LedgerStore) -> None:
    with broken_off(store) as writer:
        one, two, three = writer.plan_batches(SMS, [members(1), members(2), members(3)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, REJECTED, at=AT)
        writer.arm(one, 2, seal=SEAL, at=AT)
        writer.arm(two, 1, seal=SEAL, at=AT)
        writer.settle(two, 1, ACCEPTED, at=AT)
    assert [facts.state for facts in known(store)] == [
        BatchState.ARMED,
        BatchState.ACCEPTED,
        BatchState.PLANNED,
    ]
    bench.clock.advance(3600)
    with store.writer("second"):
        pass
    assert [facts.number for facts in known(store)] == [one, two, three]
    assert [facts.state for facts in known(store)] == [
        BatchState.UNKNOWN,
        BatchState.ACCEPTED,
        BatchState.PLANNED,
    ]
    lost = known(store)[0]
    assert (lost.attempt, lost.at) == (2, AT + timedelta(hours=1))
    assert lost.reason == "the run ended before the answer was recorded"


def test_a_writer_that_was_overtaken_can_write_no_more(bench: Bench, store: LedgerStore) -> None:
    """The lock may be lost (a file system without locks, a removed file); the epoch cannot."""
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(LedgerLockedError, match="took over"))
        paused = stack.enter_context(store.writer("paused"))
        armed, ready = paused.plan_batches(SMS, [members(1), members(2)], at=AT)
        paused.arm(armed, 1, seal=SEAL, at=AT)
        bench.lose_lock()
        with store.writer("successor"):
            verbs: list[Callable[[], object]] = [
                lambda: paused.arm(ready, 1, seal=SEAL, at=AT),
                lambda: paused.settle(armed, 1, ACCEPTED, at=AT),
                lambda: paused.plan_batches(SMS, [members(3)], at=AT),
                lambda: paused.open_scope(SMS, b"", at=AT),
                lambda: paused.record_acceptance(ACCEPTANCE),
                lambda: paused.note("expired|a", at=AT),
            ]
            for verb in verbs:
                with pytest.raises(LedgerLockedError, match="successor"):
                    verb()
    assert [facts.state for facts in known(store)] == [BatchState.UNKNOWN, BatchState.PLANNED]
    with closing(store.reader()) as reader:
        assert (list(reader.acceptances()), dict(reader.notices())) == ([], {})


# The recorded audience


def test_the_recorded_audience_is_the_held_and_the_members_of_the_run_that_opened(store: LedgerStore) -> None:
    held = person(8) + person(9)
    with store.writer("opener") as writer:
        writer.plan_batches(SMS, [members(1, 2)], at=AT)
        writer.open_scope(SMS, held, at=AT)
        writer.plan_batches(SMS, [members(3)], at=AT)
        writer.plan_batches(MAIL, [members(4)], at=AT)
    with store.writer("later") as writer:
        writer.plan_batches(SMS, [members(5)], at=AT)
        assert writer.recorded(SMS) == held + person(1) + person(2) + person(3)
        assert writer.recorded(MAIL) is None


def test_an_edition_can_be_opened_for_nobody(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        writer.open_scope(SMS, b"", at=AT)
        assert writer.recorded(SMS) == b""


def test_an_edition_is_opened_once(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        writer.open_scope(SMS, person(1), at=AT)
    with store.writer("test") as writer:
        with pytest.raises(LedgerError, match="has already started"):
            writer.open_scope(SMS, person(2), at=AT)
        assert writer.recorded(SMS) == person(1)


# Sums


def test_the_serial_grows_with_every_commit(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        serials = [writer.summary().serial]
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        serials.append(writer.summary().serial)
        writer.open_scope(SMS, b"", at=AT)
        serials.append(writer.summary().serial)
        writer.arm(number, 1, seal=SEAL, at=AT)
        serials.append(writer.summary().serial)
        writer.settle(number, 1, UNKNOWN, at=AT)
        serials.append(writer.summary().serial)
    with closing(store.reader()) as reader:
        serials.append(reader.summary().serial)
    assert serials == sorted(set(serials))


def test_the_summary_adds_up(store: LedgerStore) -> None:
    with store.writer("test") as writer:
        ways: dict[int, Outcome] = {1: ACCEPTED, 2: REJECTED, 3: UNKNOWN}
        writer.plan_batches(SMS, [members(*range(10 * n, 11 * n)) for n in range(1, 5)], at=AT)
        for number, outcome in ways.items():
            writer.arm(number, 1, seal=SEAL, at=AT)
            writer.settle(number, 1, outcome, at=AT)
        [five] = writer.plan_batches(MAIL, [members(1, 2, 3, 4, 5)], at=AT)
        writer.arm(five, 1, seal=SEAL, at=AT)
        summary = writer.summary()
    assert {state.value: count for state, count in summary.recipients.items()} == {
        "accepted": 1,
        "rejected": 2,
        "unknown": 3,
        "planned": 4,
        "armed": 5,
    }
    assert set(summary.batches.values()) == {1}
    assert summary.scopes == 2


def test_each_person_of_a_scope_has_one_status(store: LedgerStore) -> None:
    with store.writer("first") as writer:
        one, two, _ = writer.plan_batches(SMS, [members(1, 2), members(3), members(4)], at=AT)
        writer.open_scope(SMS, person(8) + person(9), at=AT)
        ways: dict[int, Outcome] = {one: REJECTED, two: UNKNOWN}
        for number, outcome in ways.items():
            writer.arm(number, 1, seal=SEAL, at=AT)
            writer.settle(number, 1, outcome, at=AT)
    with store.writer("second") as writer:
        [again] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(again, 1, seal=SEAL, at=AT)
        writer.settle(again, 1, ACCEPTED, at=AT)
        writer.open_scope(MAIL, b"", at=AT)
    with closing(store.reader()) as reader:
        [status] = scope_statuses(reader, "outage")
        assert [each.scope for each in scope_statuses(reader)] == [MAIL, SMS]
        found = recipient_statuses(reader.facts(SMS))
    assert (status.accepted, status.rejected, status.uncertain, status.not_begun) == (1, 1, 1, 3)
    assert status.total == 6
    assert status.reasons == {"bad request": 1, "read timed out": 1}
    assert {key: standing.kind for key, standing in found.items()} == {
        person(1): "accepted",
        person(2): "rejected",
        person(3): "uncertain",
    }


# The account, and codes under the ledger's key


def test_the_last_account_counts_and_is_recorded_when_it_changes(store: LedgerStore) -> None:
    seen = []
    for account in (None, b"one", b"one", None, b"two"):
        with store.writer("test") as writer:
            before = writer.summary().serial
            writer.use_account(account, at=AT)
            seen.append((writer.account(), writer.summary().serial - before))
    assert seen == [(None, 0), (b"one", 1), (b"one", 0), (b"one", 0), (b"two", 1)]


def test_a_code_depends_on_the_ledger_the_purpose_and_the_data(bench: Bench, store: LedgerStore) -> None:
    other = TemporaryLedger(clock=bench.clock)
    other.create()
    codes = set()
    for each in (store, other):
        with closing(each.reader()) as reader:
            assert reader.code(Purpose.ACCOUNT, b"x") == reader.code(Purpose.ACCOUNT, b"x")
            codes |= {reader.code(purpose, data) for purpose in Purpose for data in (b"x", b"y")}
    assert len(codes) == 2 * 2 * len(Purpose)
    assert {len(code) for code in codes} == {32}
