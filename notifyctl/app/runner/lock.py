"""Keeps a second `notifyctl run` of the same environment and ledger out, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notifyctl.app.ledger import STATE_FOLDER, holder
from notifyctl.errors import LedgerError, SettingsError
from notifyctl.ports import Clock


@contextmanager
def hold_runner_lock(root: Path, environment: str, clock: Clock) -> Iterator[None]:
    """Held for as long as the runner lives; the kernel frees it when its process dies. It is no lock of the ledger: an apply by
    hand can run between two rounds.

    Raises LedgerLockedError naming the first runner, LedgerError if the lock cannot be written.
    """
    try:
        from notifyctl.ledger.sqlite.lock import hold_lock
    except ImportError as error:
        if error.name != "fcntl":
            raise
        raise SettingsError(
            "`run` is not supported on this system: it has no POSIX file locks",
            hint="use Linux, macOS, or the Windows Subsystem for Linux (WSL)",
        ) from None
    folder = root / STATE_FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"the ledger's folder {folder} cannot be made: {error.strerror}") from error
    busy = f"`notifyctl run` is already active for environment `{environment}`:"
    with hold_lock(lock_path(root, environment), holder(), since=clock.now(), busy=busy):
        yield


def is_running(root: Path, environment: str) -> bool:
    """Whether a `run` of the environment is active on this machine. Asks its lock; where that cannot be asked, none is known."""
    try:
        from notifyctl.ledger.sqlite.lock import read_holder
    except ImportError:
        return False
    try:
        return read_holder(lock_path(root, environment)) is not None
    except LedgerError:
        return False


def lock_path(root: Path, environment: str) -> Path:
    return root / STATE_FOLDER / f"{environment}.db.run.lock"
