"""Marks: raised as a run goes, never lowered by it, read in every form they ever had, and compared to the single fact."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.errors import LedgerError, UnseenLedgerError
from notifyctl.ledger.reader import identify_ledger
from notifyctl.ledger.sqlite.database import open_for_writing
from notifyctl.ledger.sqlite.high_water import HighWaterMark, HighWaterMarks, refuse_unexpected
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.ledger.writer import Writer
from notifyctl.model.batch import Accepted
from notifyctl.model.events import Receipt
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.testing import ManualClock

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPE = Scope("outage", 1, "once", ChannelName.SMS)
LINEAGE = "1b4e28ba"


@pytest.fixture
def marks(tmp_path: Path) -> HighWaterMarks:
    return HighWaterMarks(tmp_path / "state")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "project" / "staging.db"


@pytest.fixture
def store(marks: HighWaterMarks, place: Path) -> SqliteStore:
    made = SqliteStore(place, clock=ManualClock(AT), marks=marks)
    made.create()
    return made


def only_file(marks: HighWaterMarks) -> Path:
    [file] = marks.folder.iterdir()
    return file


def snapshot(ledger: Path, copy: Path) -> None:
    """A consistent copy of a ledger that is in use."""
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


# The file


def test_a_mark_is_raised_in_place_and_never_lowered(marks: HighWaterMarks, place: Path) -> None:
    marks.set(place, LINEAGE, 3)
    before = only_file(marks).stat()
    with marks.raising(place, LINEAGE) as mark:
        for serial in (7, 5, 12_345_678, 12):
            mark.raise_to(serial)
    after = only_file(marks).stat()
    assert marks.get(place) == HighWaterMark(LINEAGE, 12_345_678, str(place))
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    assert stat.S_IMODE(after.st_mode) == 0o600


def test_a_mark_is_whole_on_the_disk_before_it_has_its_name(
    marks: HighWaterMarks, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut leaves: the size of each file, and the names in its folder, when it is brought to the disk."""
    kept: list[tuple[int, list[str]]] = []
    synced = os.fsync

    def sync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            kept.append((status.st_size, [each.suffix for each in marks.folder.iterdir()]))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    marks.set(place, LINEAGE, 7)
    assert kept == [(only_file(marks).stat().st_size, [".new"])]


def test_a_mark_that_was_replaced_is_not_touched_by_the_run_before(
    marks: HighWaterMarks, place: Path
) -> None:
    with marks.raising(place, LINEAGE) as overtaken:
        marks.set(place, LINEAGE, 3)
        overtaken.raise_to(99)
    assert marks.get(place) == HighWaterMark(LINEAGE, 3, str(place))


def test_a_mark_of_an_earlier_version_is_read_and_raised(marks: HighWaterMarks, place: Path) -> None:
    marks.set(place, LINEAGE, 1)
    only_file(marks).write_text(json.dumps({"lineage": LINEAGE, "serial": 41, "place": str(place)}))
    assert marks.get(place) == HighWaterMark(LINEAGE, 41, str(place))
    with marks.raising(place, LINEAGE) as mark:
        assert marks.get(place) == HighWaterMark(LINEAGE, 41, str(place)), "opening it forgets nothing"
        mark.raise_to(42)
    assert marks.get(place) == HighWaterMark(LINEAGE, 42, str(place))


def test_an_earlier_version_can_read_a_mark(marks: HighWaterMarks, place: Path) -> None:
    marks.set(place, LINEAGE, 41)
    said = json.loads(only_file(marks).read_text())
    assert (said["lineage"], said["serial"], said["place"]) == (LINEAGE, 41, str(place))


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 200, b"[" * 60_000, b"7", b'{"serial": 1}'])
def test_a_damaged_mark_is_no_missing_one(marks: HighWaterMarks, place: Path, damage: bytes) -> None:
    marks.set(place, LINEAGE, 41)
    only_file(marks).write_bytes(damage)
    with pytest.raises(LedgerError, match="cannot be read"):
        marks.get(place)


def test_another_number_than_its_check_sum_says_is_damage(marks: HighWaterMarks, place: Path) -> None:
    marks.set(place, LINEAGE, 41)
    file = only_file(marks)
    file.write_bytes(file.read_bytes().replace(b" 41,", b" 40,"))
    with pytest.raises(LedgerError, match="cannot be read"):
        marks.get(place)


def test_a_pipe_in_place_of_a_mark_is_not_waited_for(marks: HighWaterMarks, place: Path) -> None:
    marks.set(place, LINEAGE, 41)
    file = only_file(marks)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(LedgerError, match="cannot be read"):
        marks.get(place)


# The comparison


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_single_fact_too_few_is_noticed(tmp_path: Path, place: Path, where: str) -> None:
    known = HighWaterMark(LINEAGE, 8, str(place if where == "here" else tmp_path / "gone.db"))
    refuse_unexpected([known], place, lineage=LINEAGE, serial=8)
    with pytest.raises(LedgerError, match="1 record written"):
        refuse_unexpected([known], place, lineage=LINEAGE, serial=7)


def test_a_ledger_with_facts_that_nobody_here_saw_is_refused_and_an_empty_one_is_not(place: Path) -> None:
    other = HighWaterMark("another", 8, "/elsewhere.db")
    refuse_unexpected([other], place, lineage=LINEAGE, serial=1)
    for marks in ([], [other]):
        with pytest.raises(UnseenLedgerError, match="never used"):
            refuse_unexpected(marks, place, lineage=LINEAGE, serial=2)


def test_a_ledger_reached_by_a_link_is_no_copy_of_itself(tmp_path: Path, place: Path) -> None:
    place.parent.mkdir()
    place.write_text("")
    link = tmp_path / "link"
    link.symlink_to(place.parent)
    refuse_unexpected([HighWaterMark(LINEAGE, 8, str(place))], link / place.name, lineage=LINEAGE, serial=8)


# What raises it


def test_it_is_raised_after_each_arm(store: SqliteStore, marks: HighWaterMarks, place: Path) -> None:
    with store.writer("test") as writer:
        numbers = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)] * 3, at=AT)
        for number in numbers:
            writer.arm(number, 1, seal=b"seal", at=AT)
            mark = marks.get(place)
            with closing(store.reader()) as reader:
                assert mark is not None
                assert mark.serial == reader.summary().serial
            writer.settle(number, 1, Accepted("id", 202), at=AT)


def test_a_backup_from_between_two_arms_is_refused(store: SqliteStore, place: Path, tmp_path: Path) -> None:
    """As after a kill: the end of the run is in no ledger. The second ARM is all that the backup lacks."""
    with store.writer("test") as writer:
        first, second = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)] * 2, at=AT)
        writer.arm(first, 1, seal=b"seal", at=AT)
        snapshot(place, tmp_path / "one.db")
        writer.arm(second, 1, seal=b"seal", at=AT)
        snapshot(place, tmp_path / "both.db")
        kept = {file: file.read_bytes() for file in (tmp_path / "state").iterdir()}
    for file, data in kept.items():
        file.write_bytes(data)
    shutil.copy(tmp_path / "both.db", place)
    store.reader(strict=True).close()
    shutil.copy(tmp_path / "one.db", place)
    with pytest.raises(LedgerError, match="1 record "):
        store.reader(strict=True)


def test_the_end_of_a_run_is_in_it(store: SqliteStore, marks: HighWaterMarks, place: Path) -> None:
    with store.writer("test"):
        during = marks.get(place)
    after = marks.get(place)
    assert during is not None
    assert after is not None
    assert after.serial == during.serial + 1


def test_receipts_raise_it_too(store: SqliteStore, marks: HighWaterMarks, place: Path) -> None:
    """A backup from before a complaint would send to somebody who opted out."""
    with store.writer("test"):
        pass
    before = marks.get(place)
    with store.inbox() as inbox:
        inbox.add([Receipt(b"digest", AT, "complaint", None, None)])
    after = marks.get(place)
    assert before is not None
    assert after is not None
    assert after.serial == before.serial + 1


def test_receipts_make_no_unknown_ledger_known(store: SqliteStore, marks: HighWaterMarks) -> None:
    only_file(marks).unlink()
    with store.inbox() as inbox:
        inbox.add([Receipt(b"digest", AT, "delivered", None, None)])
    assert marks.all() == []


def test_a_mark_that_cannot_be_written_leaves_nobody_uncertain(store: SqliteStore, place: Path) -> None:
    """Nothing may be sent then, and the ledger says that nothing was."""

    def no_room(serial: int) -> None:
        raise LedgerError(f"no room for {serial}")

    with closing(open_for_writing(place)) as database:
        identity = identify_ledger(database, None)
        writer = Writer(database, identity, holder="test", now=AT, revision=None, mark=no_room)
        [number] = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
        with pytest.raises(LedgerError, match="no room"):
            writer.arm(number, 1, seal=b"seal", at=AT)
    with closing(store.reader()) as reader:
        [facts] = reader.facts(SCOPE)
    assert facts.state is BatchState.REJECTED


def test_the_number_of_facts_is_that_of_all_rows(store: SqliteStore, place: Path) -> None:
    for _ in range(3):
        with store.writer("test", revision="abc1234") as writer:
            [number] = writer.plan_batches(SCOPE, [bytes(MEMBER_BYTES)], at=AT)
            writer.arm(number, 1, seal=b"seal", at=AT)
            writer.use_plan(f"p{number}", at=AT)
    with closing(sqlite3.connect(place)) as connection:
        [(counted,)] = connection.execute("SELECT facts FROM serial")
    with closing(store.reader()) as reader:
        assert reader.summary().serial == counted
