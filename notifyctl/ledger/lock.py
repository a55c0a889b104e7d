"""One writer at a time on this machine: a file lock that the kernel frees when its holder dies, however it dies.

The lock is a courtesy that says early who is at work. Safety does not rest on it: the epoch in the ledger does that.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from notifyctl.errors import LedgerError, LedgerLockedError


@contextmanager
def held(path: Path, holder: str, *, since: datetime) -> Iterator[None]:
    """Hold the lock file `path` until the block ends. `holder` says who we are (user, host, process) to those who come after.

    Raises LedgerLockedError naming the holder, at once, when another process or thread holds it. The file stays behind
    empty: to remove it would let two newcomers lock two different files of the same name.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unlockable(path, error) from error
    try:
        take(descriptor, path, f"{holder} since {since.isoformat(timespec='seconds')}\n")
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def take(descriptor: int, path: Path, entry: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, entry.encode(), 0)
    except BlockingIOError as error:
        raise locked(path, os.pread(descriptor, 4096, 0)) from error
    except OSError as error:
        raise unlockable(path, error) from error


def unlockable(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the ledger cannot be locked: {path}: {error.strerror}",
        hint="an apply needs to write in the ledger's folder, on a file system that knows locks",
    )


def locked(path: Path, written: bytes) -> LedgerLockedError:
    """`written` is what stands in the lock file: nothing, where its holder took the lock this very moment."""
    who = written.decode(errors="replace").strip() or "another run"
    return LedgerLockedError(
        f"the ledger {path.with_suffix('')} is held by {who}",
        hint="wait until that run has ended, or end it; the lock goes with its process",
    )


def holder_of(path: Path) -> str | None:
    """Who holds the lock file; None when nobody does. Takes it for a moment to find out."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unlockable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 4096, 0).decode(errors="replace").strip() or "another run"
    else:
        return None
    finally:
        os.close(descriptor)
