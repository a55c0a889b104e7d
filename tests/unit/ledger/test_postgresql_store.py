"""What only a ledger in PostgreSQL can do; all that every ledger keeps to is in tests/contracts/test_ledger.py."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest

from notifyctl.errors import HaltedError, LedgerError, LedgerLockedError
from notifyctl.ledger.postgresql import locks
from notifyctl.ledger.postgresql.database import PostgresDatabase, database_name, placeholders
from notifyctl.ledger.postgresql.halting import halt, record
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.ledger.reader import Reader
from notifyctl.model.batch import Accepted, Rejected, Unknown
from notifyctl.model.events import Verdict, VerdictSource
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope
from notifyctl.ports import LedgerWriter
from notifyctl.testing import ManualClock
from tests.contract_ledgers import NAME
from tests.postgres import Cutter, fresh_database

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SMS = Scope("outage", 1, "once", ChannelName.SMS)
MAIL = Scope("outage", 1, "once", ChannelName.EMAIL)
SEAL = b"seal"
ACCEPTED = Accepted("msg-1", 202)
REJECTED = Rejected("bad request", 400)


def database_of(store: PostgresStore) -> str:
    with closing(store.connect()) as database:
        [(name,)] = database.rows("SELECT current_database()")
    return str(name)


def members(*people: int) -> bytes:
    return b"".join(number.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES) for number in people)


# Claims


def test_nobody_is_in_two_requests_of_a_scope(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        one, two, three = writer.plan_batches(SMS, [members(1, 2), members(3, 2), members(3, 4)], at=AT)
        [other] = writer.plan_batches(MAIL, [members(1, 2)], at=AT)
        for outcome in (None, Unknown("read timed out"), ACCEPTED):
            if outcome is None:
                writer.arm(one, 1, seal=SEAL, at=AT)
            else:
                writer.settle(one, 1, outcome, at=AT)
            with pytest.raises(LedgerError, match=f"recipients of batch {two} are in batch {one} too"):
                writer.arm(two, 1, seal=SEAL, at=AT)
        writer.arm(other, 1, seal=SEAL, at=AT)
        writer.arm(three, 1, seal=SEAL, at=AT)
        assert [facts.state for facts in writer.facts(SMS)] == [
            BatchState.ACCEPTED,
            BatchState.PLANNED,
            BatchState.ARMED,
        ]


def test_who_was_certainly_not_accepted_may_be_in_another_request(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        one, two, three = writer.plan_batches(SMS, [members(1, 2), members(2), members(1)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, Accepted("msg-1", 202, refused={1: "no such number"}), at=AT)
        writer.arm(two, 1, seal=SEAL, at=AT)
        with pytest.raises(LedgerError, match="which is accepted for them"):
            writer.arm(three, 1, seal=SEAL, at=AT)


def test_a_batch_whose_recipients_went_to_another_is_not_attempted_again(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        one, two = writer.plan_batches(SMS, [members(1), members(1)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, REJECTED, at=AT)
        writer.arm(one, 2, seal=SEAL, at=AT)
        writer.settle(one, 2, REJECTED, at=AT)
        writer.arm(two, 1, seal=SEAL, at=AT)
        with pytest.raises(LedgerError, match="which is armed for them"):
            writer.arm(one, 3, seal=SEAL, at=AT)


def test_what_is_unknown_since_an_earlier_run_may_be_sent_again_where_the_plan_says_so(
    store: PostgresStore,
) -> None:
    with store.writer("first") as writer:
        one, two = writer.plan_batches(SMS, [members(1), members(1)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, Unknown("read timed out"), at=AT)
        with pytest.raises(LedgerError, match="which is unknown for them"):
            writer.arm(two, 1, seal=SEAL, at=AT)
    with store.writer("second") as writer:
        [again] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(again, 1, seal=SEAL, at=AT)


def test_the_same_recipient_twice_in_a_batch_is_refused(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1, 2, 1)], at=AT)
        with pytest.raises(LedgerError, match="the same recipient twice"):
            writer.arm(number, 1, seal=SEAL, at=AT)


def test_what_a_person_resolved_as_not_sent_frees_its_recipients(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        one, two = writer.plan_batches(SMS, [members(1), members(1)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, Unknown("read timed out"), at=AT)
        word = Verdict(
            None, BatchState.REJECTED, VerdictSource.RESOLVE, "the provider has no record", "ada", AT
        )
        writer.resolve(one, [word], at=AT)
        writer.arm(two, 1, seal=SEAL, at=AT)


class SameRun(PostgresWriter):
    """Another session that arms what a run planned, as a worker does."""

    def __init__(self, store: PostgresStore, database: PostgresDatabase, *, epoch: int) -> None:
        Reader.__init__(self, database, store.identify(database))
        self._mark = None
        self._epoch = epoch


@pytest.mark.parametrize("tries", [0, 1])
def test_of_two_sessions_that_arm_the_same_people_one_does(
    store: PostgresStore, database: PostgresDatabase, tries: int
) -> None:
    """In both orders of the people. `tries`: how often one of them was attempted before, so that its claims are there."""
    pairs = [range(10 * at, 10 * at + 10) for at in range(30)]
    with store.writer("test") as one, ThreadPoolExecutor(2) as threads:
        other = SameRun(store, database, epoch=one.epoch)
        mine = one.plan_batches(SMS, [members(*people) for people in pairs], at=AT)
        theirs = one.plan_batches(SMS, [members(*people[:2:-1]) for people in pairs], at=AT)
        for number in list(mine) * tries:
            one.arm(number, 1, seal=SEAL, at=AT)
            one.settle(number, 1, REJECTED, at=AT)
        start = Barrier(2)

        def arm(writer: PostgresWriter, number: int, attempt: int) -> str:
            start.wait()
            try:
                writer.arm(number, attempt, seal=SEAL, at=AT)
            except LedgerError as error:
                return error.message[:10]
            return "armed"

        for first, second in zip(mine, theirs, strict=True):
            armed = [
                threads.submit(arm, one, first, 1 + tries),
                threads.submit(arm, other, second, 1),
            ]
            assert sorted(each.result() for each in armed) == ["armed", "recipients"]


# The fence


def test_nothing_is_armed_while_sending_is_halted(store: PostgresStore, database: PostgresDatabase) -> None:
    with store.writer("test") as writer:
        one, two = writer.plan_batches(SMS, [members(1), members(2)], at=AT)
        writer.arm(one, 1, seal=SEAL, at=AT)
        halt(database.connection, "wrong price", "ada", AT)
        with pytest.raises(HaltedError, match="wrong price"):
            writer.arm(two, 1, seal=SEAL, at=AT)
        writer.settle(one, 1, ACCEPTED, at=AT)
        assert [facts.state for facts in writer.facts(SMS)] == [BatchState.ACCEPTED, BatchState.PLANNED]


def test_what_is_halted_while_an_attempt_waits_is_seen_whatever_isolation_the_database_asks_for(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    name = database_of(store)
    database.connection.execute(
        f'ALTER DATABASE "{name}" SET default_transaction_isolation = serializable'.encode()
    )
    with store.writer("test") as writer, ThreadPoolExecutor() as threads:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        with database.connection.transaction():
            locks.take(database.connection, locks.Lock.FENCE)
            armed = threads.submit(writer.arm, number, 1, seal=SEAL, at=AT)
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            with closing(store.connect()) as other:
                while not other.number(waiting):
                    pass
            record(database.connection, halted=True, reason=None, who="ada", at=AT)
        with pytest.raises(HaltedError):
            armed.result()


def test_an_unlocked_run_writes_no_more_and_the_lock_is_free(store: PostgresStore) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(LedgerLockedError, match="took over"))
        writer = stack.enter_context(store.writer("ada@laptop"))
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        assert (store.held_by() or "").startswith("ada@laptop since 20")
        store.unlock("ben")
        assert store.held_by() is None
        writer.arm(number, 1, seal=SEAL, at=AT)


# Lost connections


def test_whatever_message_is_lost_a_record_that_was_confirmed_is_there(
    store: PostgresStore, postgres_server: str
) -> None:
    """Cut at every message of an ARM and its RESULT; the same writer then goes on over a new connection."""
    confirmed: dict[int, str] = {}
    with Cutter(postgres_server) as cutter:
        url = cutter.url(database_of(store))
        through = PostgresStore(url, name=NAME, clock=ManualClock(AT), max_clock_difference=None)
        with through.writer("cut") as writer:
            for person in count(1):
                [batch] = writer.plan_batches(SMS, [members(person)], at=AT)
                cutter.cut_at(person)
                confirmed[batch] = arm_and_settle(writer, batch)
                passed = cutter.passed
                cutter.cut_at(None)
                if passed < person:
                    break
        assert cutter.cuts == person - 1 > 20
    with store.writer("next") as later:
        found = {facts.number: facts.state for facts in later.facts(SMS)}
    assert {confirmed[number] for number, state in found.items() if state is BatchState.ACCEPTED} == {
        "accepted"
    }
    assert {confirmed[number] for number, state in found.items() if state is BatchState.REJECTED} <= {""}
    assert all(
        found[number] is BatchState.ACCEPTED for number, last in confirmed.items() if last == "accepted"
    )
    assert set(confirmed.values()) == {"", "accepted"}, "a result is committed at the second try"


def arm_and_settle(writer: LedgerWriter, batch: int) -> str:
    """What was confirmed of it last. A result is tried twice, as a run does."""
    try:
        writer.arm(batch, 1, seal=SEAL, at=AT)
    except LedgerError:
        return ""
    for _ in range(2):
        with suppress(LedgerError):
            writer.settle(batch, 1, ACCEPTED, at=AT)
            return "accepted"
    return "armed"


def test_a_result_that_could_not_be_committed_is_recorded_by_the_next_run(
    store: PostgresStore, database: PostgresDatabase, tmp_path: Path
) -> None:
    journal = tmp_path / "folder" / "test.postgresql"
    kept = PostgresStore(
        database.url, name=NAME, clock=ManualClock(AT), journal=journal, max_clock_difference=None
    )
    with kept.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT)
        kept.keep(number, 1, ACCEPTED, AT)
    assert (tmp_path / "folder" / "test.postgresql.results").exists()
    with kept.writer("next") as writer:
        assert [facts.state for facts in writer.facts(SMS)] == [BatchState.ACCEPTED]
    assert list((tmp_path / "folder").iterdir()) == []
    with pytest.raises(OSError, match="no folder"):
        store.keep(number, 1, ACCEPTED, AT)


# One ledger per database


def test_the_ledger_of_another_environment_is_refused(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    other = PostgresStore(database.url, name="acme/production", clock=ManualClock(AT))
    with pytest.raises(LedgerError, match=f"this is the ledger of `{NAME}`, not of `acme/production`"):
        other.reader()


def test_of_two_that_create_a_ledger_at_once_one_makes_it(postgres_server: str) -> None:
    url = fresh_database(postgres_server)
    stores = [PostgresStore(url, name=NAME, clock=ManualClock(AT)) for _ in range(4)]

    def create(each: PostgresStore) -> str | None:
        try:
            each.create()
        except LedgerError as error:
            return error.message
        return None

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(create, stores))
    assert results.count(None) == 1
    assert all("there is a ledger already" in result for result in results if result is not None)


# Facts


def test_facts_cannot_be_changed_or_removed(store: PostgresStore, database: PostgresDatabase) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT)
    for change in (
        "UPDATE attempt SET attempt = 2",
        "DELETE FROM attempt",
        "DELETE FROM batch",
        "TRUNCATE attempt CASCADE",
        "TRUNCATE batch CASCADE",
        "UPDATE meta SET name = 'other/one'",
    ):
        with pytest.raises(LedgerError, match="facts are never changed"):
            database.run(change)
    assert store.verify() == []


def test_verify_names_what_is_wrong(store: PostgresStore, database: PostgresDatabase) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT)
        writer.settle(number, 1, ACCEPTED, at=AT)
    database.run("DELETE FROM claim")
    database.run("ALTER TABLE word DISABLE TRIGGER word_guard")
    assert store.verify() == [
        "the table word is not guarded against changes",
        "batch 1 was accepted, but its recipients are not claimed: another batch could be sent to them",
    ]


def test_a_reader_sees_what_is_recorded_meanwhile_and_holds_no_snapshot(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    with store.writer("test") as writer, closing(store.reader()) as reader:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        facts = reader.facts(SMS)
        assert next(facts).state is BatchState.PLANNED
        writer.arm(number, 1, seal=SEAL, at=AT)
        assert [each.state for each in reader.facts(SMS)] == [BatchState.ARMED]
        held = (
            "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
        )
        assert database.number(f"{held} AND datname = current_database()") == 0


def test_text_that_postgresql_cannot_keep_is_kept_as_far_as_it_can(store: PostgresStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SMS, [members(1)], at=AT)
        writer.arm(number, 1, seal=SEAL, at=AT)
        writer.settle(number, 1, Rejected("100 % bad?\0", 400), at=AT)
        [facts] = writer.facts(SMS)
        assert facts.reason == "100 % bad?\N{REPLACEMENT CHARACTER}"


def test_messages_name_the_database_without_user_or_password() -> None:
    assert database_name("postgresql://ada:secret@db.example:6432/ledger") == (
        "PostgreSQL database ledger at db.example:6432"
    )
    assert database_name("postgresql:///ledger?host=/run/pg&password=secret") == (
        "PostgreSQL database ledger at /run/pg"
    )


def test_our_sql_becomes_that_of_the_library() -> None:
    assert placeholders("SELECT length(members) % ? FROM batch") == b"SELECT length(members) %% %s FROM batch"
