"""Creates, opens, verifies and adopts the ledger in one SQLite file. Imported only where a ledger is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4

from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError
from notifyctl.fault_injection import Point, point
from notifyctl.ledger.facts import EVENTS_SINCE, NORMALISER_VERSION
from notifyctl.ledger.identity import KEY_BYTES, FixedIdentity, key_check
from notifyctl.ledger.journal import Result, append_result, replay_results
from notifyctl.ledger.reader import Reader, identify_ledger
from notifyctl.ledger.receipts import ReceiptInbox as Inbox
from notifyctl.ledger.sqlite import lock
from notifyctl.ledger.sqlite.database import (
    RECEIPT_LOCK_TIMEOUT,
    create_file,
    open_for_reading,
    open_for_writing,
)
from notifyctl.ledger.sqlite.high_water import (
    FRESH,
    HighWaterMark,
    HighWaterMarks,
    RaisedMark,
    refuse_missing,
    refuse_unexpected,
)
from notifyctl.ledger.sqlite.integrity import export_facts, find_problems
from notifyctl.ledger.writer import Writer, stamp
from notifyctl.model.batch import Outcome
from notifyctl.ports import Clock, LedgerReader, LedgerWriter, ReceiptInbox


class SqliteStore:
    """Implements ports.LedgerStore for the file `path`, which is named after its environment.

    `external_key`: the key of the recipient ids if the environment keeps it outside; only a check value of it is stored.
    `fixed`: the identity of a sandbox ledger. `marks`: the high-water marks; None if none are kept.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        external_key: bytes | None = None,
        fixed: FixedIdentity | None = None,
        marks: HighWaterMarks | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._external_key = external_key
        self._fixed = fixed
        self._marks = marks
        self._lineage = ""

    def exists(self) -> bool:
        """Raises LedgerError if that cannot be determined: an unreachable ledger is not a missing one."""
        try:
            return self._path.exists()
        except OSError as error:
            raise LedgerError(f"the ledger {self._path} cannot be reached: {error.strerror}") from error

    def create(self, *, replace_lost: bool = False) -> None:
        """Creates the folder and the file, for this user only. Raises LedgerError if the path exists, or if there was a ledger
        here that is lost, unless it may be replaced.
        """
        now = self._clock.now()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(
                f"the ledger's folder {self._path.parent} cannot be made: {error.strerror}"
            ) from error
        with lock.hold_lock(self._lock_path, "ledger init", since=now):
            if self.exists():
                raise LedgerError(
                    f"there is a ledger already: {self._path}",
                    hint="a new one in its place would send everything again; to start over, move it away by hand",
                )
            if not replace_lost:
                refuse_missing(
                    self.mark(),
                    self._path,
                    self._path.stem,
                    last_resort="\nif it is lost for good, run:"
                    f" {command_line('ledger', 'init', '--replace-lost', env=self._path.stem)} (everything is then sent again)",
                )
            identity = self._fixed or FixedIdentity(str(uuid4()), token_bytes(KEY_BYTES))
            key = self._external_key or identity.key
            kept = None if self._external_key else key
            create_file(self._path, (identity.lineage, stamp(now), NORMALISER_VERSION, kept, key_check(key)))
            if self._marks is not None:
                try:
                    self._marks.set(self._path, identity.lineage, FRESH)
                except LedgerError:
                    self._path.unlink()  # nothing is in it yet
                    raise

    def reader(self, *, strict: bool = False) -> LedgerReader:
        self._refuse_missing()
        # Read before the ledger is opened: a run that ends in between raises the mark above what this reader sees.
        marks = self._all_marks() if strict else None
        database = open_for_reading(self._path)
        try:
            reader = Reader(database, identify_ledger(database, self._external_key))
            self._refuse_unexpected(reader, marks)
        except BaseException:
            database.close()
            raise
        return reader

    @contextmanager
    def writer(
        self, holder: str, *, revision: str | None = None, actor: str | None = None
    ) -> Iterator[LedgerWriter]:
        self._refuse_missing()
        with lock.hold_lock(self._lock_path, holder, since=self._clock.now()):
            point(Point.LOCK_TAKEN)
            database = open_for_writing(self._path)
            try:
                identity = identify_ledger(database, self._external_key)
                self._refuse_unexpected(Reader(database, identity), self._all_marks())
                self._lineage = identity.lineage
                with self._raising(identity.lineage) as mark:
                    writer = Writer(
                        database,
                        identity,
                        holder=holder,
                        now=self._clock.now(),
                        revision=revision,
                        actor=actor,
                        mark=mark.raise_to if mark is not None else None,
                    )
                    replay_results(writer, self._path, identity.lineage)
                    # Before the first request: from here on a lost ledger must be noticed.
                    raise_mark(mark, writer)
                    try:
                        yield writer
                    except BaseException as error:
                        # Report the error that ended the run, not the failure to record its end.
                        with suppress(LedgerError):
                            writer.end(type(error).__name__, at=self._clock.now())
                            raise_mark(mark, writer)
                        raise
                    writer.end(writer.ending, at=self._clock.now())
                    raise_mark(mark, writer)
            finally:
                database.close()

    @contextmanager
    def inbox(self) -> Iterator[ReceiptInbox]:
        self._refuse_missing()
        database = open_for_writing(self._path, timeout=RECEIPT_LOCK_TIMEOUT)
        try:
            identity = identify_ledger(database, self._external_key)
            if database.facts_version() < EVENTS_SINCE:
                raise LedgerError(
                    f"{self._path} is a ledger of an earlier version, which has no place for receipts",
                    hint=f"the next apply upgrades it. To upgrade it now, run: {command_line('ledger', 'adopt')}",
                )
            with self._known_mark(identity.lineage) as mark:
                yield Inbox(database, identity, mark=mark.raise_to if mark is not None else None)
        finally:
            database.close()

    def adopt(self, holder: str, *, account: bytes | None = None, actor: str | None = None) -> None:
        """Declares this ledger the right one, whatever its mark says, and `account` the one that is sent with. Begins an
        epoch, which records it.
        """
        with lock.hold_lock(self._lock_path, holder, since=self._clock.now()):
            database = open_for_writing(self._path)
            try:
                identity = identify_ledger(database, self._external_key)
                now = self._clock.now()
                writer = Writer(
                    database, identity, holder=f"{holder} (adopt)", now=now, revision=None, actor=actor
                )
                replay_results(writer, self._path, identity.lineage)
                writer.use_account(account, at=now)
                writer.end("adopted", at=now)
                if self._marks is not None:
                    self._marks.set(self._path, identity.lineage, writer.serial)
                    self._marks.forget_others(self._path, identity.lineage)
            finally:
                database.close()

    def unlock(self, holder: str, *, actor: str | None = None) -> None:
        """Raises the epoch without waiting for the lock, so that a writer that is presumed dead cannot write any more."""
        database = open_for_writing(self._path)
        try:
            identity = identify_ledger(database, self._external_key)
            now = self._clock.now()
            writer = Writer(
                database, identity, holder=f"{holder} (unlock)", now=now, revision=None, actor=actor
            )
            writer.end("unlocked", at=now)
            with self._known_mark(identity.lineage) as mark:
                raise_mark(mark, writer)
        finally:
            database.close()

    def verify(self) -> list[str]:
        """What is wrong with the ledger, as sentences. Changes no file."""
        self._refuse_missing()
        database = open_for_reading(self._path)
        try:
            reader = Reader(database, identify_ledger(database, self._external_key))
            return list(find_problems(database, reader))
        finally:
            database.close()

    def export(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Every fact, table by table, in the order of recording. Bytes are hexadecimal; there is no address."""
        self._refuse_missing()
        database = open_for_reading(self._path)
        try:
            database.refuse_unreadable()
            yield from export_facts(database)
        finally:
            database.close()

    def find_error(self) -> LedgerError | None:
        """Why no run may begin with the ledger that lies here, by its marks; None if one may."""
        try:
            self.reader(strict=True).close()
        except LedgerError as error:
            return error
        return None

    def refuse_lost(self) -> None:
        """Raises LedgerError if there is no ledger although this machine wrote one here."""
        if not self.exists():
            refuse_missing(self.mark(), self._path, self._path.stem)

    def held_by(self) -> str | None:
        """Who holds the lock, or None. The lock of a dead process is free."""
        return lock.read_holder(self._lock_path)

    def mark(self) -> HighWaterMark | None:
        """The high-water mark of the ledger at this path."""
        return self._marks.get(self._path) if self._marks is not None else None

    def keep(self, batch: int, attempt: int, outcome: Outcome, at: datetime) -> None:
        """Writes a result that could not be committed to the journal. Raises OSError if even that fails."""
        append_result(self._path, self._lineage, Result(batch, attempt, outcome, at))

    def _all_marks(self) -> list[HighWaterMark] | None:
        return self._marks.all() if self._marks is not None else None

    def _raising(self, lineage: str) -> AbstractContextManager[RaisedMark | None]:
        return self._marks.raising(self._path, lineage) if self._marks is not None else nullcontext()

    def _known_mark(self, lineage: str) -> AbstractContextManager[RaisedMark | None]:
        """The mark if there is one of this ledger: what does not begin a run makes none, and is not kept from its work."""
        with suppress(LedgerError):
            known = self.mark()
            if known is not None and known.lineage == lineage:
                return self._raising(lineage)
        return nullcontext()

    def _refuse_unexpected(self, reader: Reader, marks: Sequence[HighWaterMark] | None) -> None:
        if marks is not None:
            refuse_unexpected(marks, self._path, lineage=reader.lineage, serial=reader.serial)

    @property
    def _lock_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _refuse_missing(self) -> None:
        if not self.exists():
            refuse_missing(self.mark(), self._path, self._path.stem)
            raise LedgerError(
                f"environment `{self._path.stem}` has no ledger: {self._path} does not exist",
                hint=f"to create it (once), run: {command_line('ledger', 'init', env=self._path.stem)}",
            )


def raise_mark(mark: RaisedMark | None, writer: Writer) -> None:
    """At the ends of a run: durable."""
    if mark is not None:
        mark.raise_to(writer.serial, durable=True)
        point(Point.MARKED)
