"""A file lock that lets one writer at a time work on this machine; the kernel frees it when its holder dies.

The lock reports early who is at work. Safety rests on the epoch in the ledger, not on the lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from notifyctl.errors import LedgerError, LedgerLockedError


@contextmanager
def hold_lock(path: Path, holder: str, *, since: datetime, busy: str | None = None) -> Iterator[None]:
    """Holds the lock file `path` until the block ends. `holder` names user, host and process for others to read. `busy`: how
    the message begins that names another holder; by default for the ledger that the file is named after.

    Raises LedgerLockedError naming the holder, at once, if another process or thread holds it. The file stays behind
    empty: if it were removed, two processes could lock two different files of the same name.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise unlockable_error(path, error) from error
    try:
        entry = f"{holder} since {since.isoformat(timespec='seconds')}\n"
        write_holder(descriptor, path, entry, busy or f"the ledger {path.with_suffix('')} is locked by")
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def write_holder(descriptor: int, path: Path, entry: str, busy: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, entry.encode(), 0)
    except BlockingIOError as error:
        raise locked_error(busy, os.pread(descriptor, 4096, 0)) from error
    except OSError as error:
        raise unlockable_error(path, error) from error


def unlockable_error(path: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"the ledger cannot be locked: {path}: {error.strerror}",
        hint="an apply needs to write in the ledger's folder, on a file system that knows locks",
    )


def locked_error(busy: str, content: bytes) -> LedgerLockedError:
    """`content` of the lock file: empty if its holder has only just taken the lock."""
    who = content.decode(errors="replace").strip() or "another run"
    return LedgerLockedError(
        f"{busy} {who}",
        hint="wait for that run to finish, or stop it; the lock is released with its process",
    )


def read_holder(path: Path) -> str | None:
    """Who holds the lock file, or None. Takes the lock for a moment to find out."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unlockable_error(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 4096, 0).decode(errors="replace").strip() or "another run"
    else:
        return None
    finally:
        os.close(descriptor)


@contextmanager
def hold_file(descriptor: int, *, shared: bool = False) -> Iterator[None]:
    """Keeps writers of a small file out while it is read or written; `shared` among readers. Waits for the moment that
    others need. On a file system without locks it does nothing.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
