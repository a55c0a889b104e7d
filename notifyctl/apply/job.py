"""The job of a run, and the request to stop it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from notifyctl.apply.batches import BatchSlice, batch_size, cut, cut_members
from notifyctl.model.batch import Batch, ScopeOpening, SendGroup
from notifyctl.model.message import LeftOut
from notifyctl.model.project import Limits
from notifyctl.model.recipients import Scope


class OptedOut(Struct, frozen=True):
    """Who is not to be reached any more: positions among the recipients of a batch, and copies of its message."""

    recipients: Collection[int] = ()
    fallback: Mapping[int, str] = {}
    """Position → why this recipient gets no SMS in place of the message."""
    copies: Collection[LeftOut] = ()


class Job(Struct, frozen=True):
    """The part of a plan that a run carries out.

    `ledger_name` is project/environment. With an empty `seal_secret` a batch's seal depends on the batch alone.
    `opted_out` is called right before a batch is armed, with its scope and destinations.
    """

    openings: Sequence[ScopeOpening]
    groups: Sequence[SendGroup]
    limits: Limits
    ledger_name: str
    seal_secret: bytes
    opted_out: Callable[[Scope, Sequence[str]], OptedOut] | None = None

    def slices(self) -> Iterator[BatchSlice]:
        """All batches in the order of their numbers; the same on each call."""
        size = batch_size(self.limits)
        for group in self.groups:
            yield from cut(group, size)

    def members(self) -> Iterator[tuple[Scope, bytes]]:
        """Scope and packed members of each slice, without the rest."""
        size = batch_size(self.limits)
        for group in self.groups:
            for members in cut_members(group, size):
                yield group.scope, members

    def seal(self, part: BatchSlice, number: int) -> bytes:
        return part.seal(self.seal_secret, ledger=self.ledger_name, number=number)

    def batch(self, part: BatchSlice, number: int, attempt: int, *, seal: bytes) -> Batch:
        return part.batch(number, attempt, ledger=self.ledger_name, seal=seal)


class Stop:
    """Asks a run to end in order: start nothing new, finish and record what is in flight. Safe in a signal handler."""

    def __init__(self) -> None:
        # No lock: a signal handler could wait for the thread that it interrupted.
        self._requested = False

    def request(self) -> None:
        self._requested = True

    @property
    def requested(self) -> bool:
        return self._requested
