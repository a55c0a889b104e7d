"""Creates, opens, verifies and adopts the ledger in one PostgreSQL database. Imported only where a ledger is opened."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, LedgerLockedError
from notifyctl.fault_injection import Point, point
from notifyctl.ledger.facts import NORMALISER_VERSION
from notifyctl.ledger.identity import KEY_BYTES, FixedIdentity, key_check
from notifyctl.ledger.journal import Result, append_result, replay_results
from notifyctl.ledger.postgresql import lease, migrations, timeline
from notifyctl.ledger.postgresql.checks import (
    MAX_CLOCK_DIFFERENCE,
    refuse_shared_session,
    refuse_unsafe_server,
)
from notifyctl.ledger.postgresql.database import PostgresDatabase, connect, database_name
from notifyctl.ledger.postgresql.integrity import export_facts, find_problems
from notifyctl.ledger.postgresql.receipt_inbox import fold_receipts
from notifyctl.ledger.postgresql.writer import PostgresWriter
from notifyctl.ledger.reader import Identity, Reader, identify_ledger
from notifyctl.ledger.receipts import ReceiptInbox as Inbox
from notifyctl.ledger.writer import stamp
from notifyctl.model.batch import Outcome
from notifyctl.ports import Clock, LedgerReader, ReceiptInbox

if TYPE_CHECKING:
    from psycopg import Connection

THERE = "SELECT to_regclass('meta') IS NOT NULL"


class PostgresStore:
    """Implements ports.LedgerStore for one database, which holds one ledger.

    `name` is project/environment; the ledger of another is refused. `external_key`: the key of the recipient ids if the environment
    keeps it outside. `fixed`: the identity of a sandbox ledger. `journal`: the file beside which results are kept that cannot be committed. `max_clock_difference`: of this
    machine and the server; None if any is allowed.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        clock: Clock,
        external_key: bytes | None = None,
        fixed: FixedIdentity | None = None,
        journal: Path | None = None,
        max_clock_difference: timedelta | None = MAX_CLOCK_DIFFERENCE,
    ) -> None:
        self._url = url
        self._name = name
        self._clock = clock
        self._external_key = external_key
        self._fixed = fixed
        self._journal = journal
        self._max_clock_difference = max_clock_difference
        self._lineage = ""

    @property
    def url(self) -> str:
        """With its secret, for the queue in the same database."""
        return self._url

    def connect(self) -> PostgresDatabase:
        """A session of its own with the ledger's database. Raises LedgerError if the server cannot be reached."""
        return PostgresDatabase(self._url)

    def connect_to_write(self) -> PostgresDatabase:
        """A session through which records can be written: of this environment's ledger, on a server that loses none, and on the
        one that was last written to. A session that replaces a lost one is checked again. Raises LedgerError.
        """
        database = self.connect()
        try:
            self.identify(database)
            database.keep_checking(self._refuse_unwritable)
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def filling(self) -> Iterator[PostgresDatabase]:
        """A database with tables and without a ledger. What the block records, in one transaction, counts if it ends well."""
        with self.session() as database:
            self._refuse_existing(database)
            with database.session() as connection:
                refuse_unsafe_server(connection)
                migrations.migrate(connection)
            with database.alone():
                self._refuse_existing(database)
                yield database

    def exists(self) -> bool:
        """Raises LedgerError if that cannot be determined: an unreachable ledger is not a missing one."""
        with self.session() as database:
            return is_there(database)

    def create(self, *, replace_lost: bool = False) -> None:  # noqa: ARG002 - the server keeps what it lost to itself
        """Creates the tables, and the ledger in them. Raises LedgerError if there is one."""
        identity = self._fixed or FixedIdentity(str(uuid4()), token_bytes(KEY_BYTES))
        key = self._external_key or identity.key
        with self.filling() as database:
            database.run(
                "INSERT INTO meta (one, lineage, created_at, normaliser, recipient_key, key_check, name)"
                " VALUES (1, ?, ?, ?, ?, ?, ?)",
                *(identity.lineage, stamp(self._clock.now()), NORMALISER_VERSION),
                *(None if self._external_key else key, key_check(key), self._name),
            )

    def reader(self, *, strict: bool = False) -> LedgerReader:
        database = self.connect()
        try:
            identity = self.identify(database)
            if strict:
                with database.session() as connection:
                    timeline.refuse_other_server(connection)
        except BaseException:
            database.close()
            raise
        return Reader(database, identity)

    @contextmanager
    def writer(
        self, holder: str, *, revision: str | None = None, actor: str | None = None
    ) -> Iterator[PostgresWriter]:
        with self._leased(holder) as (database, identity):
            writer = PostgresWriter(
                database, identity, holder=holder, now=self._clock.now(), revision=revision, actor=actor
            )
            with database.session() as connection:
                timeline.adopt(connection, epoch=writer.epoch, at=self._clock.now())  # the first run
            self.replay(writer)
            # What receipts tell of people, opt-outs among it, counts before anything is planned.
            fold_receipts(database, self._name)
            try:
                yield writer
            except BaseException as error:
                # Report the error that ended the run, not the failure to record its end.
                if not writer.is_campaign:
                    with suppress(LedgerError, LedgerLockedError):
                        writer.end(type(error).__name__, at=self._clock.now())
                raise
            if not writer.is_campaign:
                writer.end(writer.ending, at=self._clock.now())

    @contextmanager
    def inbox(self) -> Iterator[ReceiptInbox]:
        with closing(self.connect_to_write()) as database:
            yield Inbox(database, self.identify(database))

    def adopt(self, holder: str, *, account: bytes | None = None, actor: str | None = None) -> None:
        """Declares this ledger the right one, whatever server it is on, and `account` the one that is sent with. Begins an epoch,
        which records it.
        """
        with self._leased(holder, adopting=True) as (database, identity):
            now = self._clock.now()
            writer = PostgresWriter(
                database, identity, holder=f"{holder} (adopt)", now=now, revision=None, actor=actor
            )
            with database.session() as connection:
                timeline.adopt(connection, epoch=writer.epoch, at=now)
            self.replay(writer)
            writer.use_account(account, at=now)
            writer.end("adopted", at=now)

    def unlock(self, holder: str, *, actor: str | None = None) -> None:
        """Raises the epoch without waiting for the lock, so that a writer that is presumed dead cannot write any more. Ends the
        session that has the lock.
        """
        with closing(self.connect_to_write()) as database:
            identity, now = self.identify(database), self._clock.now()
            writer = PostgresWriter(
                database, identity, holder=f"{holder} (unlock)", now=now, revision=None, actor=actor
            )
            writer.end("unlocked", at=now)
            lease.end_holder(database)

    def verify(self) -> list[str]:
        """What is wrong with the ledger, as sentences."""
        with self.session() as database:
            return list(find_problems(database, Reader(database, self.identify(database))))

    def export(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Every fact, table by table, in the order of recording. Bytes are hexadecimal; there is no address."""
        with self.session() as database:
            self._refuse_other(database)
            yield from export_facts(database)

    def find_error(self) -> LedgerError | None:
        """Why no run may begin with this ledger; None if one may."""
        try:
            self.reader(strict=True).close()
        except LedgerError as error:
            return error
        return None

    def refuse_lost(self) -> None:
        """Does nothing: the server, not this machine, knows whether there was a ledger."""

    def held_by(self) -> str | None:
        """Who holds the lock, or None. The lock of a dead process is free."""
        with self.session() as database:
            return lease.find_holder(database)

    def mark(self) -> None:
        """None: a ledger in PostgreSQL has no mark on this machine."""

    def keep(self, batch: int, attempt: int, outcome: Outcome, at: datetime) -> None:
        """Writes a result that could not be committed to the journal. Raises OSError if even that fails."""
        if self._journal is None:
            raise OSError(errno.ENOENT, "there is no folder for it")
        self._journal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        append_result(self._journal, self._lineage, Result(batch, attempt, outcome, at))

    def identify(self, database: PostgresDatabase) -> Identity:
        """The identity of the ledger. Raises LedgerError unless it is this environment's, and this version can use it."""
        self._refuse_other(database)
        identity = identify_ledger(database, self._external_key)
        self._lineage = identity.lineage
        return identity

    def _refuse_other(self, database: PostgresDatabase) -> None:
        """Raises LedgerError unless this environment's ledger is there, of a version that can be read."""
        self._refuse_missing(database)
        database.refuse_unreadable()
        [(name,)] = database.rows("SELECT name FROM meta")
        if name != self._name:
            raise LedgerError(
                f"this is the ledger of `{name}`, not of `{self._name}`: {database.name}",
                hint="each environment of each project needs a database of its own; to make one: CREATE DATABASE",
            )

    def last_server(self) -> str:
        """Which database the ledger was last written to, as a sentence for who is to adopt it."""
        with self.session() as database, database.session() as connection:
            return timeline.describe_servers(connection)

    def _refuse_unsafe(self, connection: Connection[Any]) -> None:
        refuse_unsafe_server(connection, clock=self._clock, max_clock_difference=self._max_clock_difference)

    def _refuse_unwritable(self, connection: Connection[Any]) -> None:
        self._refuse_unsafe(connection)
        timeline.refuse_other_server(connection)

    def _refuse_existing(self, database: PostgresDatabase) -> None:
        if is_there(database):
            raise LedgerError(
                f"there is a ledger already: {database.name}",
                hint="a new one in its place would send everything again; to start over, use another database",
            )

    @contextmanager
    def _leased(self, holder: str, *, adopting: bool = False) -> Iterator[tuple[PostgresDatabase, Identity]]:
        """The lock, on a session that does nothing else, and one to work with. `adopting`: whatever server it is on."""
        with self.session() as guard:
            identity = self.identify(guard)
            with guard.session() as connection:
                refuse_shared_session(connection, partial(connect, self._url))
            lease.take(guard, holder)
            point(Point.LOCK_TAKEN)
            with closing(self.connect()) as database:
                database.keep_checking(self._refuse_unsafe if adopting else self._refuse_unwritable)
                yield database, identity

    @contextmanager
    def session(self) -> Iterator[PostgresDatabase]:
        database = self.connect()
        try:
            yield database
        finally:
            database.close()

    def replay(self, writer: PostgresWriter) -> None:
        """Commits results that this machine could not record, and removes their journal."""
        if self._journal is not None:
            replay_results(writer, self._journal, self._lineage)

    def _refuse_missing(self, database: PostgresDatabase) -> None:
        if not is_there(database):
            environment = self._name.rpartition("/")[2]
            raise LedgerError(
                f"environment `{environment}` has no ledger: there is none in {database_name(self._url)}",
                hint=f"to create it (once), run: {command_line('ledger', 'init', env=environment)}",
            )


def is_there(database: PostgresDatabase) -> bool:
    """Whether there is a ledger; tables alone are none."""
    [(tables,)] = database.rows(THERE)
    return bool(tables) and database.row("SELECT 1 FROM meta") is not None
