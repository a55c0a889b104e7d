"""A ledger in one SQLite file: where it is, how it comes to be, who may write. Imported only where a ledger is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_bytes
from uuid import uuid4

from notifyctl.errors import LedgerError
from notifyctl.ledger import lock
from notifyctl.ledger.database import make, open_for_reading, open_for_writing
from notifyctl.ledger.identity import KEY_BYTES, FixedIdentity, key_check
from notifyctl.ledger.reader import SqliteReader, identify_ledger
from notifyctl.ledger.schema import NORMALISER_VERSION
from notifyctl.ledger.writer import SqliteWriter, stamp
from notifyctl.ports import Clock, LedgerReader, LedgerWriter


class SqliteStore:
    """Implements ports.LedgerStore for the file `path`, which is named after its environment.

    `external_key`: the key of the recipient ids, when the environment keeps it outside; only a check value of it is
    stored. `fixed`: the identity a sandbox ledger is made with.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        external_key: bytes | None = None,
        fixed: FixedIdentity | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._external_key = external_key
        self._fixed = fixed

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

    def reader(self) -> LedgerReader:
        self._refuse_missing()
        database = open_for_reading(self._path)
        try:
            return SqliteReader(database, identify_ledger(database, self._external_key))
        except BaseException:
            database.close()
            raise

    @contextmanager
    def writer(self, holder: str) -> Iterator[LedgerWriter]:
        self._refuse_missing()
        with lock.held(self._lock_path, holder, since=self._clock.now()):
            database = open_for_writing(self._path)
            try:
                identity = identify_ledger(database, self._external_key)
                writer = SqliteWriter(database, identity, holder=holder, now=self._clock.now())
                try:
                    yield writer
                except BaseException as error:
                    # The error that ended the run is the one to report, not that its end could not be noted.
                    with suppress(LedgerError):
                        writer.end(type(error).__name__, at=self._clock.now())
                    raise
                writer.end("finished", at=self._clock.now())
            finally:
                database.close()

    @property
    def _lock_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.lock")

    def _refuse_missing(self) -> None:
        if not self.exists():
            raise LedgerError(
                f"there is no ledger for the environment {self._path.stem!r}: {self._path} does not exist",
                hint=f"`notifyctl -e {self._path.stem} ledger init` makes one, once",
            )
