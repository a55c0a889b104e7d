"""Warns that apply would refuse a ledger, or that sending is halted, in commands that only read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifyctl.cli.console import echo
from notifyctl.errors import NotifyctlError

if TYPE_CHECKING:
    from notifyctl.app.workspace import Workspace
    from notifyctl.model.project import Environment


def warn_of_ledger_error(workspace: Workspace, environment: Environment) -> bool:
    """Prints a warning if the ledger is behind its mark, a copy, or new to this machine.

    Returns whether this machine knows better than the ledger: one that it has never seen may be the right one.
    """
    from notifyctl.app.ledger import find_ledger_error
    from notifyctl.errors import UnseenLedgerError

    doubt = find_ledger_error(workspace, environment)
    if doubt is None:
        return False
    warn(doubt)
    return not isinstance(doubt, UnseenLedgerError)


def warn_of_halt(workspace: Workspace, environment: Environment) -> None:
    from notifyctl.app.halting import find_halt

    halt = find_halt(workspace, environment)
    if halt is not None:
        warn(halt)


def warn(error: NotifyctlError) -> None:
    echo(f"Warning: {error.message}", stderr=True)
    if error.hint:
        echo(f"Hint: {error.hint}", stderr=True)
