"""A real ledger for tests: an SQLite file in a temporary folder, with the rules and the durability of any other."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path

from notifyctl.ledger.sqlite.store import SqliteStore
from notifyctl.ports import Clock

MEMORY_FOLDER = "/dev/shm"  # noqa: S108 - only a random folder below it is used
"""On Linux a file system in memory, where the fsync of each commit costs nothing."""


class TemporaryLedger(SqliteStore):
    """A ledger store whose folder is removed together with the object. Call `create` first, as for any ledger."""

    def __init__(self, *, clock: Clock) -> None:
        parent = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
        folder = Path(tempfile.mkdtemp(prefix="notifyctl-ledger-", dir=parent))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(folder / "test.db", clock=clock)

    def lose_lock(self) -> None:
        """Behaves like a file system without locks: another writer can start although this one has not ended."""
        self._lock_path.unlink(missing_ok=True)
