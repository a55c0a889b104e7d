"""Receipts for a ledger in PostgreSQL: servers put them into its inbox, and `receipts ingest` records them at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from notifyctl.app.ledger import ledger_name, postgres_store
from notifyctl.app.receipts.intake import Intake
from notifyctl.app.receipts.reduction import Reducer
from notifyctl.app.workspace import Workspace
from notifyctl.errors import LedgerError
from notifyctl.hashing import RecipientHasher
from notifyctl.model.project import Environment
from notifyctl.model.received import Received
from notifyctl.ports import Clock
from notifyctl.providers.webexconnect.receipts import Incoming

if TYPE_CHECKING:
    from notifyctl.ledger.postgresql.database import PostgresDatabase
    from notifyctl.ledger.postgresql.store import PostgresStore
    from notifyctl.ledger.reader import Identity

STATEMENT_TIMEOUT = b"SET LOCAL statement_timeout = '5s'"
"""Shorter than a request waits: a server that hangs is left, and the next one is tried. Of the transaction alone: a pooler gives the
session to others.
"""


class LedgerInbox:
    """Implements intake.Inbox. Reads the identity of the ledger and the ids of the inbox, and nothing else."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    def put(self, receipts: Sequence[Received]) -> None:
        from notifyctl.ledger.postgresql.receipt_inbox import put_receipts

        with self._database.session() as connection, connection.transaction():
            connection.execute(STATEMENT_TIMEOUT)
            put_receipts(self._database, receipts)

    def is_full(self) -> bool:
        from notifyctl.ledger.postgresql.receipt_inbox import is_full

        return is_full(self._database)

    def close(self) -> None:
        self._database.close()


def open_inbox(store: PostgresStore, identity: Identity | None = None) -> tuple[LedgerInbox, Identity]:
    """A connection of its own. `identity`: of the ledger that receipts were reduced for. Raises LedgerError if it is another one now, or if
    the server could lose what it confirmed.
    """
    from notifyctl.ledger.postgresql.checks import refuse_unsafe_server

    database = store.connect()
    try:
        found = store.identify(database)
        if identity is not None and found.lineage != identity.lineage:
            raise LedgerError(f"there is another ledger now: {database.name}")  # noqa: TRY301 - closes as the others
        refuse_unsafe_server(database.connection)
    except BaseException:
        database.close()
        raise
    return LedgerInbox(database), found


class Receiver:
    """Takes what a server of receipts has verified."""

    def __init__(self, intake: Intake, reducer: Reducer, clock: Clock) -> None:
        self.intake = intake
        self._reducer = reducer
        self._clock = clock

    def offer(self, incoming: Incoming) -> Future[None]:
        """As Intake.offer."""
        return self.intake.offer(self._reducer.reduce(incoming, self._clock.now()))


@contextmanager
def open_receiver(workspace: Workspace, environment: Environment) -> Iterator[Receiver]:
    """Raises LedgerError if the ledger cannot be used now. What waits at the end is stored before it ends."""
    store = postgres_store(workspace, environment)
    first, identity = open_inbox(store)
    opened = [first]
    reducer = Reducer(RecipientHasher(identity.key), ledger_name(workspace.sound, environment))
    intake = Intake(lambda: opened.pop() if opened else open_inbox(store, identity)[0], workspace.clock)
    try:
        yield Receiver(intake, reducer, workspace.clock)
    finally:
        intake.close()


def ingest_shared(
    workspace: Workspace, environment: Environment, receipts: Sequence[Incoming]
) -> Counter[str]:
    """Records receipts of a file, behind those that wait in the inbox, and returns what became of them."""
    from notifyctl.ledger.postgresql.receipt_inbox import fold_receipts, record_receipts

    store, name = postgres_store(workspace, environment), ledger_name(workspace.sound, environment)
    database = store.connect()
    try:
        reducer = Reducer(RecipientHasher(store.identify(database).key), name)
        fold_receipts(database, name)
        now = workspace.clock.now()
        return record_receipts(database, name, [reducer.reduce(each, now) for each in receipts])
    finally:
        database.close()
