"""What the core needs from the world, as small Protocols. Adapters implement them; `app` chooses; nobody inherits.

Every Protocol has a fake in `testing.py` and a contract test in `tests/contracts/` that all implementations pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from threading import Event
from typing import BinaryIO, Protocol

from notifyctl.model.batch import AttemptResult, AttemptStart, Batch, Outcome, PreparedRequest
from notifyctl.model.events import AttemptRecord, Deliveries, Receipt, RunRecord, Statement, Verdict
from notifyctl.model.ledger import BatchRecord, LedgerSummary, OpeningRecord
from notifyctl.model.project import ChannelName
from notifyctl.model.recipients import RecipientBatch, Scope


class FileTree(Protocol):
    """The files of one project, by path relative to its root with `/`. Nothing outside the root can be reached:
    an absolute path, `..` out of the root or a link that leaves it raises FileNotFoundError.
    """

    def paths(self) -> Sequence[str]:
        """Every file that is not hidden and not ignored, sorted."""

    def read(self, path: str) -> bytes:
        """The whole file. Raises FileNotFoundError, or OSError for what is no regular file or has more than 10 MiB."""

    def open(self, path: str) -> BinaryIO:
        """The file as a stream, for what may be large. Raises as `read` does. The caller closes it."""

    def on_disk(self, path: str) -> str | None:
        """The real path of a file that may be opened by others than this tree; None: there is none. Raises as `read` does."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The present as an aware UTC datetime."""

    def monotonic(self) -> float:
        """Seconds from some fixed point; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait. Returns at once for zero or less."""

    def wait(self, happened: Event, seconds: float) -> None:
        """Wait until it has happened, and so long at most."""


class AudienceReader(Protocol):
    """The recipients of one audience on one channel. Reading it twice gives the same batches in the same order."""

    @property
    def variables(self) -> Sequence[str]:
        """The names of the value columns, known before a row is read."""

    @property
    def file(self) -> str:
        """The file that the lines of its batches count in."""

    @property
    def weight(self) -> int:
        """Bytes of the source, as far as a columnar engine may have it: by them a way of examining it is chosen."""

    def batches(self, channel: ChannelName) -> Iterator[RecipientBatch]:
        """Raises ProjectError when the source as a whole cannot be read (no file, no such column)."""


class LedgerReader(Protocol):
    """The facts of one environment. Reading needs no lock and changes no file."""

    @property
    def lineage(self) -> str:
        """Names this ledger from its making on."""

    def summary(self) -> LedgerSummary: ...

    def opt_outs(self, since: datetime | None = None) -> Iterator[tuple[bytes, str, str, datetime]]:
        """(recipient id, channel, reason, when) of each receipt by which somebody complained or unsubscribed, in the order in
        which they came.
        """

    def recipient_ids(self, addresses: Sequence[str]) -> list[bytes]:
        """The keyed hashes (ID_BYTES each) of normalised addresses, in their order."""

    def scopes(self) -> Sequence[Scope]:
        """Every scope that was opened or has batches, sorted."""

    def facts(self, scope: Scope) -> Iterator[BatchRecord]:
        """Every batch of a scope, by number."""

    def recorded(self, scope: Scope) -> bytes | None:
        """The packed ids of the audience that was recorded when the scope was opened; `None`: never opened."""

    def opening(self, scope: Scope) -> OpeningRecord | None:
        """How a scope was opened: the recorded audience without reading it; `None`: never opened."""

    def opening_size(self, scope: Scope) -> int:
        """How many were recorded when the scope was opened. Who was planned anew within that run counts twice."""

    def next_batch(self) -> int:
        """The number that the next batch will get."""

    def find(self, number: int) -> BatchRecord | None:
        """One batch, with its scope."""

    def seals(self, number: int) -> Sequence[bytes]:
        """The seals of a batch's attempts, first to last."""

    def by_provider_id(self, provider_id: str) -> int | None:
        """The batch whose acceptance has this id; `None`: there is none."""

    def attempts(self, scope: Scope) -> Iterator[AttemptRecord]:
        """Every attempt of a scope, by batch and attempt, with what is known of how it ended."""

    def deliveries(self, number: int) -> Deliveries:
        """What receipts say of the members of a batch, folded."""

    def statements(self) -> Sequence[Statement]:
        """What was declared, first to last."""

    def served(self, scope: Scope) -> Iterator[bytes]:
        """Packed members that a baseline of this scope counts as served."""

    def runs(self) -> Sequence[RunRecord]:
        """Every writer there was, first to last."""

    def plan_used(self, plan: str) -> bool:
        """Whether a saved plan was carried out."""

    def close(self) -> None: ...


class LedgerWriter(LedgerReader, Protocol):
    """The one writer of a ledger, alive while its lock is held. What a verb returns from is durable (fsync)."""

    def open_scope(self, scope: Scope, held: bytes, *, at: datetime) -> None:
        """Open an edition's occurrence, once: `held` are the packed ids of the audience that no batch of this run carries.
        The recorded audience is these and the members of the batches that this writer plans for the scope, before or
        after. Plan first and open then: a run that breaks off between leaves the scope unopened, not half recorded.
        """

    def plan_batches(self, scope: Scope, members: Sequence[bytes], *, at: datetime) -> Sequence[int]:
        """Record batches (packed members each) as planned; returns their numbers, counting on from `next_batch`."""

    def arm(self, number: int, attempt: int, *, seal: bytes, at: datetime) -> None:
        """The point of no return: the attempt has begun. `seal` authenticates the correlation ids of the batch.
        Attempts count from 1 without gaps. Only a batch that this writer planned, and that was not begun or was
        certainly not accepted, can be begun; LedgerError otherwise, and LedgerLockedError when overtaken.
        """

    def arm_all(self, beginnings: Sequence[AttemptStart], *, at: datetime) -> None:
        """`arm` for several batches in one commit: all of them have begun when it returns, or none when it raises."""

    def settle(self, number: int, attempt: int, outcome: Outcome, *, at: datetime) -> None:
        """Record how the attempt ended, or what was learned of it later: the last word counts, and `Accepted` is final.
        Settles attempts of earlier runs too. Members that an `Accepted` excepts stand by themselves.
        """

    def settle_all(self, endings: Sequence[AttemptResult], *, at: datetime) -> None:
        """`settle` for several attempts in one commit: all of them are recorded, or none when it raises."""

    def resolve(self, number: int, words: Sequence[Verdict], *, at: datetime) -> None:
        """Record what was learnt of single members, by `facts.overrides`: accepted is never taken back."""

    def declare(self, statement: Statement, *, at: datetime, served: Mapping[Scope, bytes] = ...) -> None:
        """Record a statement that this run carries out; `served` are the packed members that a baseline counts as served."""

    def use_plan(self, plan: str, *, at: datetime) -> None:
        """Record that a saved plan is being carried out."""


class ReceiptInbox(LedgerReader, Protocol):
    """Where receipts are recorded. Needs no lock: what a receipt says can only settle somebody, never make them eligible."""

    def add(self, receipts: Sequence[Receipt]) -> int:
        """Record receipts in one durable commit; returns how many were new. Each settles the person it speaks of, if
        nobody knew whether the provider had their message.
        """


class LedgerStore(Protocol):
    """Where the ledger of an environment is, or is not yet."""

    def exists(self) -> bool: ...

    def create(self) -> None:
        """Make an empty ledger. Raises LedgerError when there is one."""

    def reader(self, *, strict: bool = False) -> LedgerReader:
        """`strict`: refuse a ledger that is behind its high-water mark, or is a copy. Raises LedgerError when there is none, or it is not readable by this version."""

    def writer(self, holder: str, *, revision: str | None = None) -> AbstractContextManager[LedgerWriter]:
        """Take the lock, raise the epoch, turn armed attempts of predecessors to unknown, and read in results that an
        earlier run could not commit. `revision`: the commit of the files that the run comes from.
        Raises LedgerLockedError naming the holder, or LedgerError.
        """

    def inbox(self) -> AbstractContextManager[ReceiptInbox]:
        """For receipts, beside a writer. Raises LedgerError when there is no ledger."""


class Provider(Protocol):
    """An account that messages are sent through."""

    @property
    def identity(self) -> str:
        """What the plan's digest binds to: provider and endpoint, no secret."""

    def prepare(self, batch: Batch) -> PreparedRequest:
        """The exact request for a batch. Pure; needs no secret; the dry run prints what this returns."""

    def send(self, request: PreparedRequest) -> Outcome:
        """POST once, with credentials; never retries by itself, never raises for what the network or provider does."""

    def close(self) -> None: ...


Environ = Mapping[str, str]
"""The process environment, handed in so that only `app` reads the real one."""
