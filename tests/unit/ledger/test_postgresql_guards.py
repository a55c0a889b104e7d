"""A run refuses a database through which records could be lost, before it records anything, and again when a session is replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import psycopg
import pytest

from notifyctl.app.receipts.shared import open_inbox
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.postgresql.migrations import Migration, known_migrations, latest, migrate
from notifyctl.ledger.postgresql.store import PostgresStore
from notifyctl.model.batch import Accepted, Rejected, Unknown
from notifyctl.model.ledger import BatchState
from notifyctl.model.received import Received
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES
from notifyctl.testing import ManualClock
from tests.contract_ledgers import NAME
from tests.ledgers import AT, SCOPE, fill
from tests.pgbouncer import pgbouncer
from tests.postgres import OwnServer, end_sessions

ELSEWHERE = (
    "INSERT INTO server (system_identifier, timeline, database, epoch, at)"
    " SELECT system_identifier, timeline + 1, database, epoch, at FROM server ORDER BY id DESC LIMIT 1"
)
"""As if a run had written to a server that was then replaced by a replica which lacks its records."""


def by_way_of(url: str, **parts: str) -> PostgresStore:
    from psycopg.conninfo import make_conninfo

    return PostgresStore(
        make_conninfo(url, **parts), name=NAME, clock=ManualClock(AT), max_clock_difference=None
    )


def epochs(database: PostgresDatabase) -> int:
    return database.number("SELECT count(*) FROM run")


def refuse_all_writers(store: PostgresStore, words: str) -> None:
    for use in (store.writer("test").__enter__, store.inbox().__enter__, lambda: store.unlock("test")):
        with pytest.raises(LedgerError, match=words):
            use()


def test_commits_that_are_not_durable_begin_no_run(database: PostgresDatabase) -> None:
    unsafe = by_way_of(database.url, options="-c synchronous_commit=off")
    refuse_all_writers(unsafe, "`synchronous_commit = off`")
    with pytest.raises(LedgerError, match="`synchronous_commit = off`"):
        unsafe.adopt("test")
    assert epochs(database) == 0
    unsafe.reader(strict=True).close()  # a plan only reads


def test_a_clock_that_is_off_begins_no_run(database: PostgresDatabase) -> None:
    clock = ManualClock(datetime.now(UTC) - timedelta(minutes=1))
    refuse_all_writers(PostgresStore(database.url, name=NAME, clock=clock), "differ by 60 s")
    assert epochs(database) == 0


def test_another_server_is_refused_until_it_is_adopted(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    assert "No run has written" in store.last_server()
    with store.writer("first"):
        pass
    assert "It is the database that was last written to" in store.last_server()
    database.run(ELSEWHERE)
    refuse_all_writers(store, "was promoted or restored from a backup")
    with pytest.raises(LedgerError, match="was promoted or restored from a backup"):
        store.reader(strict=True)
    assert store.find_error() is not None
    assert "timeline 2 (here: 1)" in store.last_server()
    store.reader().close()  # status and history show what is there
    store.adopt("ada")
    assert store.find_error() is None
    with store.writer("second"):
        pass


def test_a_session_that_is_replaced_in_the_middle_of_a_run_is_checked_again(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    url = database.url
    run = store.writer("test")
    writer = run.__enter__()
    [number] = writer.plan_batches(SCOPE, [bytes(28)], at=AT)
    database.run(ELSEWHERE)
    end_sessions(url)
    with pytest.raises(LedgerError, match="cannot be reached"):
        writer.arm(number, 1, seal=b"seal", at=AT)
    for _ in range(2):
        with pytest.raises(LedgerError, match="was promoted or restored"):
            writer.arm(number, 1, seal=b"seal", at=AT)
    with pytest.raises(LedgerError, match="was promoted or restored"):
        run.__exit__(None, None, None)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM attempt").fetchone() == (0,)


def at_server(server: OwnServer) -> PostgresStore:
    return PostgresStore(server.url, name=NAME, clock=ManualClock(AT), max_clock_difference=None)


def test_after_a_failover_nothing_is_sent_until_the_replica_is_adopted() -> None:
    """Its replica does not have the last run: without the refusal, the same recipients would be sent the same again."""
    with OwnServer() as primary:
        store = at_server(primary)
        store.create()
        with store.writer("first"):
            pass
        with OwnServer(replica_of=primary) as replica:
            follower = at_server(replica)
            with closing(follower.reader(strict=True)) as reader:  # a plan can be made there
                assert len(reader.runs()) == 1
            for use in (follower.writer("test").__enter__, follower.inbox().__enter__):
                with pytest.raises(LedgerError, match="the ledger's database is a replica"):
                    use()
            replica.stop("fast")
            fill(store)
            primary.stop()
            replica.start()
            replica.promote()
            refuse_all_writers(follower, r"was promoted or restored from a backup \(timeline 1 → 2\)")
            with pytest.raises(LedgerError, match="was promoted or restored"):
                follower.reader(strict=True)
            follower.adopt("ada")
            with follower.writer("third") as writer:
                assert [run.epoch for run in writer.runs()] == [1, 2, 3]
                assert list(writer.facts(SCOPE)) == []


def test_what_the_journal_knows_of_lost_attempts_is_not_sent_again(
    store: PostgresStore, database: PostgresDatabase, tmp_path: Path
) -> None:
    """A failover can lose the ARM of a request whose answer arrived when the old primary was gone already."""
    clock = ManualClock(AT)
    here = PostgresStore(
        database.url, name=NAME, clock=clock, journal=tmp_path / "test.postgresql", max_clock_difference=None
    )
    with here.writer("first") as writer:
        batches = [bytes([number]) * 28 + bytes([number + 100]) * 28 for number in range(3)]
        accepted, unknown, rejected = writer.plan_batches(SCOPE, batches, at=AT)
        here.keep(accepted, 1, Accepted("msg-1", 202, refused={1: "no such number"}), AT)
        here.keep(unknown, 1, Unknown("read timed out"), AT)
        here.keep(rejected, 1, Rejected("bad request", 400), AT)
    database.run(ELSEWHERE)
    here.adopt("ada")
    with closing(here.reader()) as reader:
        people = reader.summary().recipients
        assert reader.find(accepted).others == {0: BatchState.ACCEPTED, 1: BatchState.REJECTED}  # type: ignore[union-attr]
    assert (people[BatchState.ACCEPTED], people[BatchState.UNKNOWN], people[BatchState.PLANNED]) == (1, 2, 2)
    assert here.verify() == []


def test_the_journal_says_nothing_of_a_batch_that_got_its_number_since(
    store: PostgresStore, database: PostgresDatabase, tmp_path: Path
) -> None:
    """Another machine adopted the replica first, and planned other people under the number that was lost."""
    clock = ManualClock(AT)
    here = PostgresStore(
        database.url, name=NAME, clock=clock, journal=tmp_path / "test.postgresql", max_clock_difference=None
    )
    with here.writer("first"):
        here.keep(1, 1, Accepted("msg-1", 202), AT)
    clock.advance(60)
    there = PostgresStore(database.url, name=NAME, clock=clock, max_clock_difference=None)
    with there.writer("second") as writer:
        number, _ = writer.plan_batches(SCOPE, [bytes(28), bytes([1]) * 28], at=clock.now())
        writer.arm(number, 1, seal=b"seal", at=clock.now())
        writer.settle(number, 1, Rejected("bad request", 400), at=clock.now())
    assert number == 1
    with here.writer("third") as writer:
        assert [facts.state for facts in writer.facts(SCOPE)] == [BatchState.REJECTED, BatchState.PLANNED]
        assert writer.summary().recipients[BatchState.ACCEPTED] == 0
    assert not list(tmp_path.iterdir())


def test_a_pool_by_transaction_is_refused_for_a_run_and_serves_all_else(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    with pgbouncer(database.url, "transaction", servers=2) as url:
        pooled = by_way_of(url)
        for use in (pooled.writer("test").__enter__, lambda: pooled.adopt("test")):
            with pytest.raises(LedgerError, match="connection pooler in transaction mode"):
                use()
        assert epochs(database) == 0
        with pooled.inbox() as inbox:
            assert inbox.summary().receipts == 0
        pooled.reader(strict=True).close()
        assert (pooled.verify(), pooled.held_by()) == ([], None)
        assert [table for table, _ in pooled.export()] == ["meta"]
        receipts, _ = open_inbox(pooled)
        with closing(receipts):
            receipts.put([Received(b"digest", "delivered", AT)])
        assert database.number("SELECT count(*) FROM receipt_inbox") == 1
        with closing(pooled.connect()) as next_client:
            assert next_client.rows("SHOW statement_timeout") == [("0",)]


def test_a_pool_by_session_serves_a_run(store: PostgresStore, database: PostgresDatabase) -> None:
    with pgbouncer(database.url, "session") as url:
        pooled = by_way_of(url)
        fill(pooled)
        with pooled.writer("ada"):
            for other in (store, by_way_of(url)):
                with pytest.raises(LedgerLockedError, match="locked by ada"), other.writer("bob"):
                    pass
        assert pooled.verify() == []


def test_an_older_version_sends_while_a_newer_one_upgrades_the_schema(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    """Each step takes tables for itself for a moment; no request is lost, and none is refused."""
    additions = [
        Migration(
            latest() + n,
            "adds",
            1,
            f"ALTER TABLE attempt ADD COLUMN more_{n} text; ALTER TABLE outcome ADD COLUMN more_{n} text",
        )
        for n in range(1, 21)
    ]
    begun, done = Event(), Event()

    def upgrade() -> list[Migration]:
        begun.wait()
        return [step for each in additions for step in migrate(database.connection, steps=[each])]

    sent = 0
    with ThreadPoolExecutor(1) as threads, store.writer("older") as writer:
        upgrading = threads.submit(upgrade)
        upgrading.add_done_callback(lambda _: done.set())
        while sent < 40 or not done.is_set():
            [number] = writer.plan_batches(SCOPE, [sent.to_bytes(ID_BYTES) + bytes(FINGERPRINT_BYTES)], at=AT)
            writer.arm(number, 1, seal=b"seal", at=AT)
            writer.settle(number, 1, Accepted(f"msg-{number}", 202), at=AT)
            sent += 1
            begun.set()
        assert upgrading.result() == additions
        assert writer.summary().batches[BatchState.ACCEPTED] == sent
    assert store.verify() == []


def test_an_older_version_works_on_beside_a_newer_schema_until_a_step_excludes_it(
    store: PostgresStore, database: PostgresDatabase
) -> None:
    number = latest()
    adds = Migration(
        number + 1, "adds", 1, "ALTER TABLE attempt ADD COLUMN more text; CREATE TABLE added (x int)"
    )
    excludes = Migration(number + 2, "excludes", number + 2, "SELECT 1")
    with store.writer("test") as writer:
        one, two = writer.plan_batches(SCOPE, [bytes(28), bytes(27) + b"\1"], at=AT)
        assert migrate(database.connection, steps=[*known_migrations(), adds]) == [adds]
        writer.arm(one, 1, seal=b"seal", at=AT)
        assert migrate(database.connection, steps=[*known_migrations(), adds, excludes]) == [excludes]
        for _ in range(2):
            with pytest.raises(LedgerError, match="was upgraded to schema"):
                writer.arm(two, 1, seal=b"seal", at=AT)
        writer.settle(one, 1, Accepted("msg-1", 202), at=AT)  # what was in flight is not lost
    for use in (store.writer("next").__enter__, store.inbox().__enter__, store.reader, store.verify):
        with pytest.raises(LedgerError, match="was upgraded to schema"):
            use()
