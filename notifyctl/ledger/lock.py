"""One writer at a time on this machine: a file lock that the kernel frees when its holder dies, however it dies.

The lock is a courtesy that says early who is at work. Safety does not rest on it: the epoch in the ledger does that.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from notifyctl.errors import LedgerError, LedgerLockedError


@contextmanager
def held(path: Path, holder: str, *, since: datetime) -> Iterator[None]:
    """Hold the lock file `path`, with the holder's particulars in it, until the block ends.

    Raises LedgerLockedError naming the holder, at once, when another process or thread holds it. The file stays behind
    empty: to remove it would let two newcomers lock two different files of the same name.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(
            f"the ledger cannot be locked: {path}: {error.strerror}",
            hint="an apply needs to write in the ledger's folder",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise locked(path, os.pread(descriptor, 4096, 0)) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, particulars(holder, since), 0)
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def particulars(holder: str, since: datetime) -> bytes:
    entry = {
        "holder": holder,
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "user": user_name(),
        "since": since.isoformat(timespec="seconds"),
    }
    return json.dumps(entry).encode() + b"\n"


def user_name() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number that has no name
        return str(os.getuid())


def locked(path: Path, written: bytes) -> LedgerLockedError:
    """`written` is what stands in the lock file: nothing, where its holder took the lock this very moment."""
    try:
        entry = json.loads(written)
        who = (
            f"{entry['holder']} (process {entry['pid']} of {entry['user']} on {entry['host']},"
            f" since {entry['since']})"
        )
    except (ValueError, KeyError, TypeError):
        who = "another run"
    return LedgerLockedError(
        f"the ledger {path.with_suffix('')} is held by {who}",
        hint="wait until that run has ended, or end it; the lock goes with its process",
    )
