"""Warns that apply would refuse a ledger, in commands that only read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from notifyctl.cli.console import echo

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
    echo(f"Warning: {doubt.message}", stderr=True)
    if doubt.hint:
        echo(f"Hint: {doubt.hint}", stderr=True)
    return not isinstance(doubt, UnseenLedgerError)
