"""What only a file can do; all that every ledger keeps to is in tests/contracts/test_ledger.py."""

from __future__ import annotations

import os
import sqlite3
import stat
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.ledger import FixedIdentity, RecipientHasher
from notifyctl.ledger.facts import FACTS
from notifyctl.ledger.journal import journal_path
from notifyctl.ledger.sqlite.schema import SCHEMA_VERSION
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.ledger.writer import HELD_PART, outcome_columns
from notifyctl.model.batch import Accepted, Outcome, Refused, Rejected, Unknown
from notifyctl.model.ledger import BatchState
from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.testing import ManualClock
from tests.ledgers import AT, PHONE, SCOPE, fill

KEY = b"a key that is kept outside, made up for tests"


def store_at(path: Path, **options: bytes | FixedIdentity) -> SqliteStore:
    return SqliteStore(path, clock=ManualClock(AT), **options)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".notifyctl" / "staging.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    made = store_at(path)
    made.create()
    return made


def states(store: SqliteStore) -> list[BatchState]:
    with closing(store.reader()) as reader:
        return [facts.state for facts in reader.facts(SCOPE)]


def raw(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


Listing = dict[str, tuple[int, int]]


def listing(folder: Path) -> Listing:
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in folder.iterdir()}


# Making one


def test_ledger_and_folder_belong_to_their_user_alone(path: Path, store: SqliteStore) -> None:
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with store.writer("test") as writer:
        writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(
        ["staging.db", "staging.db-shm", "staging.db-wal", "staging.db.lock"], 0o600
    )


def test_what_a_crash_left_of_a_ledger_in_the_making_is_no_ledger(path: Path) -> None:
    path.parent.mkdir()
    for left in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"staging.db.new{left}").write_bytes(b"half a ledger")
    store = store_at(path)
    assert not store.exists()
    store.create()
    assert sorted(listing(path.parent)) == ["staging.db", "staging.db.lock"]
    assert states(store) == []


def test_a_folder_that_cannot_be_made_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="file"):
        store_at(tmp_path / "file" / "staging.db").create()


def test_a_ledger_out_of_reach_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be reached"):
        store_at(tmp_path / f"{'x' * 300}.db").exists()


def test_each_ledger_has_a_lineage_and_a_key_of_its_own(tmp_path: Path) -> None:
    found = []
    for name in ("one.db", "two.db"):
        store = store_at(tmp_path / name)
        store.create()
        with closing(store.reader()) as reader:
            found.append((reader.summary().lineage, reader.recipient_ids([PHONE])[0]))
    (lineage, recipient), (other_lineage, other_recipient) = found
    assert lineage != other_lineage
    assert recipient != other_recipient


def test_a_fixed_identity_is_known_before_the_ledger_is_made(path: Path) -> None:
    store = store_at(path, fixed=FixedIdentity("sandbox:acme", b"k" * 32))
    store.create()
    with closing(store.reader()) as reader:
        assert reader.summary().lineage == "sandbox:acme"
        assert reader.recipient_ids([PHONE]) == RecipientHasher(b"k" * 32)([PHONE])


# What stands in the file


def test_no_address_stands_in_any_file(path: Path, store: SqliteStore) -> None:
    fill(store)
    with store.writer("test") as writer:
        writer.plan_batches(SCOPE, [writer.recipient_ids([PHONE])[0] + bytes(12)], at=AT)
        written = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert PHONE.encode() not in written
    assert PHONE[1:].encode() not in written


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize("change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_facts_cannot_be_changed_or_removed(path: Path, store: SqliteStore, table: str, change: str) -> None:
    fill(store)
    with closing(sqlite3.connect(path)) as connection:
        column = connection.execute(f"PRAGMA table_info({table})").fetchone()[1]
        with pytest.raises(sqlite3.IntegrityError, match="facts are never changed"):
            connection.execute(change.format(table=table, column=column))


def test_a_batch_is_accepted_once_even_if_our_code_is_wrong(path: Path, store: SqliteStore) -> None:
    fill(store)
    with pytest.raises(sqlite3.IntegrityError):
        raw(path, "INSERT INTO outcome (batch, attempt, kind, epoch, at) VALUES (1, 1, 'accepted', 1, '')")


def test_runs_and_their_ends_are_recorded(path: Path, store: SqliteStore) -> None:
    with store.writer("one"):
        pass
    with pytest.raises(KeyboardInterrupt), store.writer("two"):
        raise KeyboardInterrupt
    with closing(sqlite3.connect(path)) as connection:
        runs = connection.execute("SELECT epoch, holder, how FROM run JOIN run_end USING (epoch)").fetchall()
    assert runs == [(1, "one", "finished"), (2, "two", "KeyboardInterrupt")]


def test_a_large_audience_is_recorded_in_parts_and_comes_back_whole(store: SqliteStore) -> None:
    held = os.urandom(HELD_PART + 3 * ID_BYTES)
    with store.writer("test") as writer:
        writer.open_scope(SCOPE, held, at=AT)
        assert writer.recorded(SCOPE) == held


def test_a_million_people_are_read_batch_by_batch(store: SqliteStore) -> None:
    thousand = bytes(1000 * MEMBER_BYTES)
    with store.writer("test") as writer:
        writer.plan_batches(SCOPE, [thousand] * 1000, at=AT)
    with closing(store.reader()) as reader:
        tracemalloc.start()
        assert sum(len(facts.members) for facts in reader.facts(SCOPE)) == 1000 * len(thousand)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 5_000_000


def test_threads_take_turns(store: SqliteStore) -> None:
    with store.writer("test") as writer:
        numbers = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)] * 40, at=AT)

        def send(number: int) -> None:
            writer.arm(number, 1, seal=b"seal", at=AT)
            writer.settle(number, 1, Accepted(f"msg-{number}", 202), at=AT)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, numbers))
    assert states(store) == [BatchState.ACCEPTED] * 40


# Reading changes no file


def test_a_ledger_at_rest_is_one_file_and_reading_leaves_it_alone(path: Path, store: SqliteStore) -> None:
    fill(store)
    before = listing(path.parent)
    assert sorted(before) == ["staging.db", "staging.db.lock"]
    with closing(store.reader()) as reader:
        reader.summary()
        list(reader.facts(SCOPE))
        assert listing(path.parent) == before
    assert listing(path.parent) == before


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists the open files of a process")
def test_a_reader_that_is_closed_keeps_no_file_open(path: Path, store: SqliteStore) -> None:
    fill(store)
    reader = store.reader()
    reader.summary()
    assert open_files_in(path.parent) == {"staging.db"}
    reader.close()
    assert open_files_in(path.parent) == set()


def open_files_in(folder: Path) -> set[str]:
    """The names of this process's open files in a folder."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            file = descriptor.readlink()
            if file.parent == folder:
                found.add(file.name)
    return found


def test_reading_beside_a_writer_leaves_every_file_alone(path: Path, store: SqliteStore) -> None:
    with store.writer("test") as writer:
        writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        before = listing(path.parent)
        assert states(store) == [BatchState.PLANNED]
        assert listing(path.parent) == before


def test_a_reader_that_outlives_a_writer_still_reads_its_own_moment(path: Path, store: SqliteStore) -> None:
    with store.writer("test") as writer:
        writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        reader = store.reader()
        writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
    with closing(reader):
        assert len(list(reader.facts(SCOPE))) == 1
    assert len(states(store)) == 2


def test_a_reader_of_the_bare_file_says_so_when_it_changes_under_it(store: SqliteStore) -> None:
    with closing(store.reader()) as reader:
        fill(store)
        with pytest.raises(LedgerError, match="while it was read"):
            list(reader.facts(SCOPE))


# Keys


def test_a_key_from_outside_is_not_stored(path: Path) -> None:
    store = store_at(path, external_key=KEY)
    store.create()
    fill(store)
    assert KEY not in path.read_bytes()
    with closing(store.reader()) as reader:
        assert reader.recipient_ids([PHONE]) == RecipientHasher(KEY)([PHONE])


def test_another_key_would_take_people_for_others(path: Path) -> None:
    store_at(path, external_key=KEY).create()
    with pytest.raises(LedgerError, match="would not be recognised"):
        store_at(path, external_key=b"another").reader()
    with (
        pytest.raises(LedgerError, match="would not be recognised"),
        store_at(path, external_key=b"x").writer("test"),
    ):
        pass


def test_a_key_that_is_kept_outside_must_be_given(path: Path) -> None:
    store_at(path, external_key=KEY).create()
    with pytest.raises(LedgerError, match="kept outside") as missing:
        store_at(path).reader()
    assert "recipientKeyEnv" in (missing.value.hint or "")


def test_a_ledger_with_its_own_key_says_so_to_a_key_from_outside(store: SqliteStore, path: Path) -> None:
    with pytest.raises(LedgerError, match="would not be recognised") as other:
        store_at(path, external_key=KEY).reader()
    assert "keeps its own" in (other.value.hint or "")


# What cannot be used


@pytest.mark.parametrize("content", [b"", b"apiVersion: notifyctl/v1\n" * 100])
def test_a_file_that_is_no_ledger_is_called_so(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="not a notifyctl ledger"):
        store_at(path).reader()
    with pytest.raises(LedgerError, match="not a notifyctl ledger"), store_at(path).writer("test"):
        pass
    assert path.read_bytes() == content


def test_another_programs_database_is_no_ledger(path: Path) -> None:
    path.parent.mkdir()
    raw(path, "CREATE TABLE contacts (name TEXT)")
    with pytest.raises(LedgerError, match="not a notifyctl ledger"):
        store_at(path).reader()


def test_a_damaged_ledger_is_called_so(path: Path, store: SqliteStore) -> None:
    fill(store)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))
    with pytest.raises(LedgerError, match="damaged") as damaged:
        store.reader()
    assert "backup" in (damaged.value.hint or "")


def test_a_ledger_of_a_newer_version_is_not_touched(path: Path, store: SqliteStore) -> None:
    raw(path, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(LedgerError, match=f"version {SCHEMA_VERSION + 1}") as newer, store.writer("test"):
        pass
    assert "upgrade" in (newer.value.hint or "")


def test_a_ledger_with_addresses_written_another_way_is_refused(path: Path, store: SqliteStore) -> None:
    raw(path, "DROP TRIGGER meta_update", "UPDATE meta SET normaliser = 99")
    with pytest.raises(LedgerError, match="would not be recognised"):
        store.reader()


def test_a_folder_in_place_of_the_ledger_is_an_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LedgerError):
        store_at(path).reader()
    with pytest.raises(LedgerError), store_at(path).writer("test"):
        pass


def test_a_full_disk_stops_before_anything_is_begun(store: SqliteStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        writer._database.run("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]
        with pytest.raises(LedgerError, match="the disk is full"):
            writer.arm(number, 1, seal=bytes(10_000), at=AT)
    assert states(store) == [BatchState.PLANNED]


def test_a_ledger_that_cannot_be_written_stops_before_anything_is_begun(store: SqliteStore) -> None:
    with ExitStack() as stack:
        stack.enter_context(pytest.raises(LedgerError, match="cannot be written"))
        writer = stack.enter_context(store.writer("test"))
        writer._database.run("PRAGMA query_only = ON")  # type: ignore[attr-defined]
        writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
    assert states(store) == []


def test_another_program_that_writes_is_reported_as_a_lock(path: Path, store: SqliteStore) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerLockedError, match="another program"), store.writer("test"):
            pass


def test_an_odd_path_is_no_sqlite_option(tmp_path: Path) -> None:
    store = store_at(tmp_path / "50% off?mode=memory#1.db")
    store.create()
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        writer.settle(number, 1, Unknown("reset"), at=AT)
    assert states(store) == [BatchState.UNKNOWN]


# The journal of results


def armed(store: SqliteStore) -> None:
    with suppress(KeyboardInterrupt), store.writer("one") as writer:
        [number] = writer.plan_batches(SCOPE, [bytes(28)], at=AT)
        writer.arm(number, 1, seal=b"seal", at=AT)
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    "outcome",
    [Accepted("m", 201, refused={0: "no"}), Rejected("bad", 400), Refused("no", 401), Unknown("lost", 500)],
)
def test_a_result_that_was_kept_is_read_in_once(store: SqliteStore, path: Path, outcome: Outcome) -> None:
    armed(store)
    store.keep(1, 1, outcome, AT)
    assert journal_path(path).exists()
    with store.writer("two") as writer:
        facts = writer.find(1)
        assert facts is not None
        assert facts.state == outcome_columns(outcome)[0]
    assert not journal_path(path).exists()


def test_what_is_torn_foreign_or_known_in_the_journal_says_nothing(store: SqliteStore, path: Path) -> None:
    armed(store)
    store.keep(99, 1, Unknown("of no batch"), AT)
    store.keep(1, 7, Unknown("of no attempt"), AT)
    with journal_path(path).open("a") as stream:
        stream.write('{"lineage": "another", "batch": 1, "attempt": 1}\n[]\n{"lineage"')
    with store.writer("two") as writer:
        facts = writer.find(1)
        assert facts is not None
        assert facts.state is BatchState.UNKNOWN
    assert not journal_path(path).exists()


def test_a_result_that_still_cannot_be_committed_stays_in_the_journal(store: SqliteStore, path: Path) -> None:
    armed(store)
    store.keep(1, 1, Accepted("m", 201), AT)
    full = "BEFORE INSERT ON outcome WHEN NEW.kind = 'accepted' BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    raw(path, f"CREATE TRIGGER full {full}")
    with pytest.raises(LedgerError), store.writer("two"):
        pass
    assert journal_path(path).exists()
    raw(path, "DROP TRIGGER full")
    assert states(store) == [BatchState.UNKNOWN]
    with store.writer("three"):
        pass
    assert states(store) == [BatchState.ACCEPTED]


def test_a_reader_sees_the_moment_it_was_opened_at(store: SqliteStore) -> None:
    with store.writer("test") as writer:
        [number] = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        with closing(store.reader()) as reader:
            writer.arm(number, 1, seal=b"seal", at=AT)
            writer.plan_batches(SCOPE, [b"1" * MEMBER_BYTES], at=AT)
            assert [facts.state for facts in reader.facts(SCOPE)] == [BatchState.PLANNED]
            assert reader.next_batch() == 2
