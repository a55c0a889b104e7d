"""Records the receipts that wait in the inbox of a ledger in PostgreSQL. A SQLite ledger has none: each is recorded at once."""

from __future__ import annotations

from collections import Counter

from notifyctl.app.ledger import ledger_name, postgres_store
from notifyctl.app.workspace import Workspace
from notifyctl.model.project import Environment


def fold_waiting(workspace: Workspace, environment: Environment, *, pages: int | None = None) -> Counter[str]:
    """Records at most so many pages of receipts, and returns what became of them. Does nothing where there is no ledger yet.

    Raises LedgerError if the ledger cannot be used.
    """
    if environment.ledger.url is None:
        return Counter()
    store = postgres_store(workspace, environment)
    if not store.exists():
        return Counter()
    from notifyctl.ledger.postgresql.receipt_inbox import fold_receipts

    database = store.connect()
    try:
        store.identify(database)
        return fold_receipts(database, ledger_name(workspace.sound, environment), pages=pages)
    finally:
        database.close()
