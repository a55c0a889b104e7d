"""The ports of the core, as Protocols. Adapters implement them, and `app` selects the adapter.

The contract tests in `tests/contracts/` run against every implementation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Event
from typing import BinaryIO, Protocol

from notifyctl.model.acceptance import Acceptance
from notifyctl.model.batch import Batch, Outcome, PreparedRequest
from notifyctl.model.events import (
    AttemptRecord,
    Deliveries,
    Receipt,
    Resolution,
    RunRecord,
    Statement,
    Verdict,
)
from notifyctl.model.ledger import BatchRecord, Extent, LedgerSummary, OpeningRecord, Purpose
from notifyctl.model.progress import LedgerProgress
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch, RowOrigin, Scope
from notifyctl.model.test_messages import TestMessage, TestRecord


class FileTree(Protocol):
    """The files of one project, by path relative to its root with `/`.

    An absolute path, or `..` or a link that leads out of the root, raises FileNotFoundError.
    """

    def paths(self) -> Sequence[str]:
        """Every file that is neither hidden nor ignored, sorted."""

    def read(self, path: str) -> bytes:
        """The whole file. Raises FileNotFoundError, or OSError for anything but a regular file of at most 10 MiB."""

    def open(self, path: str) -> BinaryIO:
        """The file as a stream, for large files. Raises as `read` does. The caller closes it."""

    def on_disk(self, path: str) -> str | None:
        """The real path of a file for libraries that open it themselves, or None. Raises as `read` does."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since a fixed point; never goes backwards."""

    def sleep(self, seconds: float) -> None:
        """Waits. Returns at once for zero or less."""

    def wait(self, happened: Event, seconds: float) -> None:
        """Waits until the event is set, at most `seconds`."""


class AudienceReader(Protocol):
    """The recipients of one audience on one channel. Reading it again yields the same batches in the same order."""

    @property
    def variables(self) -> Sequence[str]:
        """The names of the value columns, known before a row is read."""

    @property
    def header(self) -> Sequence[str]:
        """The names of all columns of the source, whether a variable is made of them or not; empty for inline recipients."""

    @property
    def origin(self) -> RowOrigin:
        """How to tell where a row is."""

    def batches(self, channel: ChannelName, names: Collection[str] | None = None) -> Iterator[RecipientBatch]:
        """Yields the recipients with the values of the variables `names`, by default all: what stands in other columns is not
        looked at. Raises ProjectError if the source cannot be read at all (no file, unknown column).
        """


class LedgerReader(Protocol):
    """The records of one environment. Reading needs no lock and changes no file."""

    @property
    def lineage(self) -> str:
        """The ID of this ledger, made when it was created."""

    @property
    def facts_version(self) -> int:
        """The version of the tables of records."""

    @property
    def serial(self) -> int:
        """The number of records. Grows with every commit."""

    def summary(self) -> LedgerSummary: ...

    def progress(self) -> LedgerProgress:
        """How far sending has come, at a cost that does not depend on the recipients."""

    def opt_outs(self, since: datetime | None = None) -> Iterator[tuple[bytes, str, str, datetime]]:
        """(recipient id, channel, reason, when) of each complaint or unsubscription in a receipt, in the order
        received.
        """

    def recipient_ids(self, addresses: Sequence[str]) -> list[bytes]:
        """The keyed hashes (ID_BYTES each) of normalised addresses, in order."""

    @property
    def knows_former_keys(self) -> bool:
        """Whether people may be known by what former rules of identity made of their addresses."""

    def scopes(self) -> Sequence[Scope]:
        """Every scope that was opened or has batches, sorted."""

    def facts(self, scope: Scope) -> Iterator[BatchRecord]:
        """Every batch of a scope, in order of number."""

    def recorded(self, scope: Scope) -> bytes | None:
        """The packed ids of the audience recorded when the scope was opened; `None` if it never was."""

    def opening(self, scope: Scope) -> OpeningRecord | None:
        """How a scope was opened, without reading its recorded audience; `None` if it never was."""

    def opening_size(self, scope: Scope) -> int:
        """The size of the audience recorded when the scope was opened. A recipient replanned within that run counts
        twice.
        """

    def next_batch(self) -> int:
        """The number that the next batch gets."""

    def find(self, number: int) -> BatchRecord | None:
        """One batch, with its scope."""

    def seals(self, number: int) -> Sequence[bytes]:
        """The seals of a batch's attempts, first to last."""

    def by_provider_id(self, provider_id: str) -> int | None:
        """The batch that was accepted with this id, or `None`."""

    def attempts(self, scope: Scope) -> Iterator[AttemptRecord]:
        """Every attempt of a scope, in order of batch and attempt, with its last recorded outcome."""

    def begins(self) -> Mapping[int, datetime]:
        """Run → when it began its first attempt; without the runs that began none."""

    def deliveries(self, number: int) -> Deliveries:
        """The receipts of a batch's members, folded."""

    def verdicts(self, number: int) -> Mapping[int, Verdict]:
        """Position in a batch → the verdict that decides its state, for members that have one."""

    def resolutions(self) -> Sequence[Resolution]:
        """The decisions by `resolve`, first to last; what one command said of one scope is one."""

    def tests(self) -> Sequence[TestRecord]:
        """The test messages, first to last. They are in no batch."""

    def next_test(self) -> int:
        """The number that the next test message gets."""

    def acceptances(self) -> Sequence[Acceptance]:
        """Every acceptance of a series, first to last, with those that take one back."""

    def notices(self) -> Mapping[str, datetime]:
        """What `run` reported, by key → when."""

    def statements(self) -> Sequence[Statement]:
        """The recorded decisions, first to last."""

    def served(self, scope: Scope) -> Iterator[bytes]:
        """Packed members that a baseline of this scope counts as already notified."""

    def likenesses(self) -> Mapping[Scope, Sequence[int]]:
        """The fingerprints of the texts with which scopes were opened, as far as they were recorded."""

    def runs(self) -> Sequence[RunRecord]:
        """Every run that wrote to the ledger, first to last."""

    def plan_used(self, plan: str) -> bool:
        """Whether a saved plan was already applied."""

    def code(self, purpose: Purpose, data: bytes) -> bytes:
        """A code of 32 bytes that only who has this ledger's key can make of `data`."""

    def within(self, extent: Extent) -> LedgerReader:
        """The same ledger as it was then, in all that a plan is derived from. It shares the connection."""

    def account(self) -> bytes | None:
        """The hash of the provider's account that was last sent with, or `None` if none was ever known."""

    def close(self) -> None: ...


class LedgerWriter(LedgerReader, Protocol):
    """The only writer of a ledger, for as long as it holds the lock. When a method returns, its effect is durable
    (fsync).
    """

    def extent(self) -> Extent:
        """How far the records reach now, without those of this run. A receipt is in it or is recorded later."""

    def open_scope(self, scope: Scope, held: bytes, *, at: datetime, likeness: Sequence[int] = ...) -> None:
        """Opens a scope, once. `held` are the packed ids of the audience that no batch of this run carries; `likeness` the
        64-bit fingerprints of its texts.

        The recorded audience is these ids and the members of all batches that this writer plans for the scope. Plan
        first, then open: a run interrupted in between leaves the scope unopened, not half recorded.
        """

    def plan_batches(self, scope: Scope, members: Sequence[bytes], *, at: datetime) -> Sequence[int]:
        """Records batches (packed members each) as planned. Returns their numbers, from `next_batch` on."""

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        """Records that an attempt starts: the point of no return. `seal` authenticates the batch's correlation ids.

        Attempts count from 1 without gaps. Only a batch that this writer planned, and that was not attempted or not
        accepted, can be armed. Raises LedgerError otherwise, and LedgerLockedError once another run took over the
        lock.
        """

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        """Records how an attempt ended, or what was learned later. The last record counts, and `Accepted` is final.

        Attempts of earlier runs can be settled too. Members that an `Accepted` excludes have outcomes of their own.
        """

    def resolve(self, number: int, words: Sequence[Verdict], *, at: datetime) -> None:
        """Records verdicts on single members, by `events.fold_verdicts`: accepted is never taken back."""

    def declare(self, statement: Statement, *, at: datetime, served: Mapping[Scope, bytes] = ...) -> None:
        """Records a decision that this run carries out. `served` are the packed members that a baseline counts as
        notified.
        """

    def use_plan(self, plan: str, *, at: datetime) -> None:
        """Records that a saved plan is being applied."""

    def use_account(self, account: bytes | None, *, at: datetime) -> None:
        """Records the hash of the account that is sent with from now on, unless it is that
        already, or `None`: not known.
        """

    def begin_test(self, message: TestMessage, *, at: datetime) -> int:
        """Records that a test message is about to leave, and returns its number. Durable before the request, like `arm`."""

    def end_test(self, number: int, outcome: Outcome, *, at: datetime) -> None:
        """Records how a test message ended, once."""

    def record_acceptance(self, acceptance: Acceptance) -> None:
        """Records the acceptance of a series, or that it is taken back."""

    def note(self, key: str, *, at: datetime) -> None:
        """Records that something was reported, unless it is recorded already."""

    def note_interrupted(self) -> None:
        """The run is ending early because it was asked to; its end will be recorded so."""


class ReceiptInbox(LedgerReader, Protocol):
    """Records receipts. Needs no lock: a receipt can settle an outcome but never make a recipient eligible again."""

    def add(self, receipts: Sequence[Receipt]) -> int:
        """Records receipts in one durable commit and returns how many were new. Each settles its recipient's outcome
        if that was unknown.
        """


class LedgerStore(Protocol):
    """The location of an environment's ledger, which may not exist yet."""

    def exists(self) -> bool: ...

    def create(self) -> None:
        """Creates an empty ledger. Raises LedgerError if there is one."""

    def reader(self, *, strict: bool = False) -> LedgerReader:
        """Opens the ledger for reading. `strict` refuses one that is behind its high-water mark, or a copy.

        Raises LedgerError if there is none, or if this version cannot read it.
        """

    def writer(
        self, holder: str, *, revision: str | None = None, actor: str | None = None
    ) -> AbstractContextManager[LedgerWriter]:
        """Takes the lock, raises the epoch, marks armed attempts of earlier runs unknown, and replays their journal of
        results.

        `revision` is the commit of the run's files, `actor` who is behind it. Raises LedgerLockedError naming the holder, or LedgerError.
        """

    def inbox(self) -> AbstractContextManager[ReceiptInbox]:
        """Opens the ledger for receipts, concurrently with a writer. Raises LedgerError if there is no ledger."""


class Provider(Protocol):
    """An account that messages are sent through."""

    def prepare(self, batch: Batch) -> PreparedRequest:
        """The exact request for a batch. Pure; needs no secret. The dry run prints it."""

    def send(self, request: PreparedRequest) -> Outcome:
        """POSTs once, with credentials. Never retries and never raises for what the network or provider does."""

    def close(self) -> None: ...


Environ = Mapping[str, str]
"""The process environment, passed in so that only `app` reads the real one."""
