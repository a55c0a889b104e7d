"""A writer that is killed: a real process, a real SIGKILL, at the worst moment there is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifyctl.errors import LedgerLockedError
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.model.ledger import BatchState
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import Scope
from notifyctl.testing import ManualClock

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCOPE = Scope("outage", 1, "once", ChannelName.SMS)

VICTIM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from notifyctl.model.recipients import Scope
from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.model.project import ChannelName
from notifyctl.testing import ManualClock

at = datetime(2026, 12, 1, 9, tzinfo=UTC)
with SqliteStore(Path(sys.argv[1]), clock=ManualClock(at)).writer("victim@host") as writer:
    first, second = writer.plan_batches(Scope("outage", 1, "once", ChannelName.SMS), [bytes(28)] * 2, at=at)
    writer.arm(first, 1, seal=b"seal", at=at)
    print("armed", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    made = SqliteStore(tmp_path / "staging.db", clock=ManualClock(AT))
    made.create()
    return made


@contextmanager
def victim(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process between arm and settle. It is dead when the block ends."""
    command = [sys.executable, "-c", VICTIM, str(folder / "staging.db")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "armed\n"
            yield process
        finally:
            process.kill()


def states(store: SqliteStore) -> list[BatchState]:
    with closing(store.reader()) as reader:
        return [facts.state for facts in reader.facts(SCOPE)]


def test_a_killed_writer_frees_the_lock_and_leaves_unknown(tmp_path: Path, store: SqliteStore) -> None:
    with victim(tmp_path):
        with pytest.raises(LedgerLockedError, match="victim@host"), store.writer("next"):
            pass
        assert states(store) == [BatchState.ARMED, BatchState.PLANNED]
    assert states(store) == [BatchState.ARMED, BatchState.PLANNED]
    with store.writer("next") as writer:
        assert writer.next_batch() == 3
    assert states(store) == [BatchState.UNKNOWN, BatchState.PLANNED]


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {each.name: (each.stat().st_size, each.stat().st_mtime_ns) for each in folder.iterdir()}


def test_reading_what_a_crash_left_changes_no_file(tmp_path: Path, store: SqliteStore) -> None:
    with victim(tmp_path):
        pass
    before = listing(tmp_path)
    assert {"staging.db-wal", "staging.db-shm"} <= before.keys()
    assert states(store) == [BatchState.ARMED, BatchState.PLANNED]
    assert listing(tmp_path) == before


def test_a_log_without_its_index_is_read_too(tmp_path: Path, store: SqliteStore) -> None:
    """Somebody copied the ledger and its log, and not the index that SQLite can make anew."""
    with victim(tmp_path):
        pass
    (tmp_path / "staging.db-shm").unlink()
    assert states(store) == [BatchState.ARMED, BatchState.PLANNED]
