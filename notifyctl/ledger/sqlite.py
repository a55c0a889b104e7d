"""A ledger in one SQLite file: where it is, how it comes to be, who may write. Imported only where a ledger is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4

from notifyctl.errors import LedgerError
from notifyctl.faults import Point, point
from notifyctl.ledger import lock
from notifyctl.ledger.database import INBOX_PATIENCE, make, open_for_reading, open_for_writing
from notifyctl.ledger.identity import KEY_BYTES, FixedIdentity, key_check
from notifyctl.ledger.inbox import SqliteInbox
from notifyctl.ledger.inspect import exported, faults
from notifyctl.ledger.marks import Mark, Marks, refuse_missing, refuse_strange
from notifyctl.ledger.reader import SqliteReader, identify_ledger, refuse_other_versions
from notifyctl.ledger.results import Result, forget, note, noted
from notifyctl.ledger.schema import NORMALISER_VERSION, SCHEMA_VERSION
from notifyctl.ledger.writer import SqliteWriter, stamp
from notifyctl.model.batch import Outcome
from notifyctl.model.ledger import BatchState
from notifyctl.ports import Clock, LedgerReader, LedgerWriter, ReceiptInbox


class SqliteStore:
    """Implements ports.LedgerStore for the file `path`, which is named after its environment.

    `external_key`: the key of the recipient ids, when the environment keeps it outside; only a check value of it is
    stored. `fixed`: the identity a sandbox ledger is made with. `marks`: where high-water marks are; None: nowhere.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        external_key: bytes | None = None,
        fixed: FixedIdentity | None = None,
        marks: Marks | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._external_key = external_key
        self._fixed = fixed
        self._marks = marks
        self._lineage = ""

    def exists(self) -> bool:
        """Raises LedgerError where that cannot be told: a ledger that is out of sight is not one that is missing."""
        try:
            return self._path.exists()
        except OSError as error:
            raise LedgerError(f"the ledger {self._path} cannot be reached: {error.strerror}") from error

    def create(self) -> None:
        """Make the folder and the file, for this user only. Raises LedgerError when something lies there already."""
        now = self._clock.now()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"the ledger's folder {self._path.parent} cannot be made: {error.strerror}"
            ) from error
        with lock.held(self._lock_path, "ledger init", since=now):
            if self.exists():
                raise LedgerError(
                    f"there is a ledger already: {self._path}",
                    hint="a new one in its place would send everything again; to start over, move it away by hand",
                )
            identity = self._fixed or FixedIdentity(str(uuid4()), token_bytes(KEY_BYTES))
            key = self._external_key or identity.key
            kept = None if self._external_key else key
            make(self._path, (identity.lineage, stamp(now), NORMALISER_VERSION, kept, key_check(key)))
            if self._marks is not None:
                self._marks.set(self._path, identity.lineage, 1)

    def reader(self, *, strict: bool = False) -> LedgerReader:
        self._refuse_missing()
        # Before the ledger is opened: a run that ends meanwhile raises the mark above what this reader sees.
        marks = self._marks.all() if strict and self._marks is not None else []
        database = open_for_reading(self._path)
        try:
            reader = SqliteReader(database, identify_ledger(database, self._external_key))
            self._refuse_strange(reader, marks)
        except BaseException:
            database.close()
            raise
        return reader

    @contextmanager
    def writer(self, holder: str, *, revision: str | None = None) -> Iterator[LedgerWriter]:
        self._refuse_missing()
        with lock.held(self._lock_path, holder, since=self._clock.now()):
            point(Point.LOCK_TAKEN)
            database = open_for_writing(self._path)
            try:
                identity = identify_ledger(database, self._external_key)
                marks = self._marks.all() if self._marks is not None else []
                self._refuse_strange(SqliteReader(database, identity), marks)
                writer = SqliteWriter(
                    database, identity, holder=holder, now=self._clock.now(), revision=revision
                )
                self._lineage = identity.lineage
                self._replay(writer, identity.lineage)
                # Before the first request: what is recorded from here on is missed when it is gone.
                self._mark(writer, identity.lineage)
                try:
                    yield writer
                except BaseException as error:
                    # The error that ended the run is the one to report, not that its end could not be noted.
                    with suppress(LedgerError):
                        writer.end(type(error).__name__, at=self._clock.now())
                        self._mark(writer, identity.lineage)
                    raise
                writer.end("finished", at=self._clock.now())
                self._mark(writer, identity.lineage)
            finally:
                database.close()

    @contextmanager
    def inbox(self) -> Iterator[ReceiptInbox]:
        self._refuse_missing()
        database = open_for_writing(self._path, patience=INBOX_PATIENCE)
        try:
            identity = identify_ledger(database, self._external_key)
            if database.number("PRAGMA user_version") < SCHEMA_VERSION:
                raise LedgerError(
                    f"{self._path} is a ledger of an earlier version, which has no place for receipts",
                    hint="the next apply, or `notifyctl ledger adopt`, upgrades it",
                )
            yield SqliteInbox(database, identity)
        finally:
            database.close()

    def adopt(self, holder: str) -> None:
        """Take the ledger that lies here for the right one, whatever the mark says. Begins an epoch, so that it is recorded."""
        with lock.held(self._lock_path, holder, since=self._clock.now()):
            database = open_for_writing(self._path)
            try:
                identity = identify_ledger(database, self._external_key)
                now = self._clock.now()
                writer = SqliteWriter(database, identity, holder=f"{holder} (adopt)", now=now, revision=None)
                self._replay(writer, identity.lineage)
                writer.end("adopted", at=now)
                self._mark(writer, identity.lineage)
                if self._marks is not None:
                    self._marks.forget_others(self._path, identity.lineage)
            finally:
                database.close()

    def unlock(self, holder: str) -> None:
        """Raise the epoch over a writer that is thought dead, without waiting for its lock: it cannot write any more."""
        database = open_for_writing(self._path)
        try:
            identity = identify_ledger(database, self._external_key)
            now = self._clock.now()
            SqliteWriter(database, identity, holder=f"{holder} (unlock)", now=now, revision=None).end(
                "unlocked", at=now
            )
        finally:
            database.close()

    def verify(self) -> list[str]:
        """What is wrong with the ledger, as sentences; none: all is well. Changes no file."""
        self._refuse_missing()
        database = open_for_reading(self._path)
        try:
            return list(
                faults(database, SqliteReader(database, identify_ledger(database, self._external_key)))
            )
        finally:
            database.close()

    def export(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Every fact, table by table, in the order in which it was recorded. Bytes are hexadecimal. No address."""
        self._refuse_missing()
        database = open_for_reading(self._path)
        try:
            refuse_other_versions(database)
            yield from exported(database)
        finally:
            database.close()

    def refuse_lost(self) -> None:
        """Raises LedgerError where there is no ledger and this machine wrote one here."""
        if not self.exists():
            refuse_missing(self.mark(), self._path, self._path.stem)

    def held_by(self) -> str | None:
        """Who holds the lock now; None: nobody. The lock of a dead process is free."""
        return lock.holder_of(self._lock_path)

    def mark(self) -> Mark | None:
        """What this machine remembers of the ledger here."""
        return self._marks.at(self._path) if self._marks is not None else None

    def keep(self, batch: int, attempt: int, outcome: Outcome, at: datetime) -> None:
        """Keep a result that could not be committed, for the next writer. Raises OSError when even that fails."""
        note(self._path, self._lineage, Result(batch, attempt, outcome, at))

    def _replay(self, writer: SqliteWriter, lineage: str) -> None:
        """Raises LedgerError when a result still cannot be committed; the journal then stays as it is."""
        for result in noted(self._path, lineage):
            batch = writer.find(result.batch)
            known = batch is None or batch.state is BatchState.ACCEPTED or result.attempt > batch.attempt
            if not known:
                writer.settle(result.batch, result.attempt, result.outcome, at=result.at)
        point(Point.REPLAYED)
        forget(self._path)

    def _mark(self, writer: SqliteWriter, lineage: str) -> None:
        if self._marks is not None:
            self._marks.set(self._path, lineage, writer.serial)
            point(Point.MARKED)

    def _refuse_strange(self, reader: SqliteReader, marks: Sequence[Mark]) -> None:
        if marks:
            refuse_strange(marks, self._path, lineage=reader.lineage, serial=reader.serial)

    @property
    def _lock_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _refuse_missing(self) -> None:
        if not self.exists():
            refuse_missing(self.mark(), self._path, self._path.stem)
            raise LedgerError(
                f"there is no ledger for the environment {self._path.stem!r}: {self._path} does not exist",
                hint=f"`notifyctl -e {self._path.stem} ledger init` makes one, once",
            )
