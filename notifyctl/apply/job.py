"""What a run is given to do, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from notifyctl.apply.batches import Slice, batch_size, cut, cut_members
from notifyctl.model.batch import Batch, ScopeOpening, SendGroup
from notifyctl.model.project import Limits
from notifyctl.model.recipients import Scope
from notifyctl.records import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """The part of a plan that is carried out. `ledger_name` is project/environment. `seal_secret` may be empty: the seal
    of a batch then follows from the batch alone. `opted_out` is asked right before a batch is begun, with its scope and its
    destinations as they are sent: the positions of people who want nothing any more.
    """

    openings: Sequence[ScopeOpening]
    consignments: Sequence[SendGroup]
    limits: Limits
    ledger_name: str
    seal_secret: bytes
    opted_out: Callable[[Scope, Sequence[str]], Collection[int]] | None = None

    def slices(self) -> Iterator[Slice]:
        """All requests to be, in the order in which they get their numbers. The same each time."""
        size = batch_size(self.limits)
        for consignment in self.consignments:
            yield from cut(consignment, size)

    def members(self) -> Iterator[tuple[Scope, bytes]]:
        """Scope and members of each of `slices`, which take less to make."""
        size = batch_size(self.limits)
        for consignment in self.consignments:
            for members in cut_members(consignment, size):
                yield consignment.scope, members

    def seal(self, part: Slice, number: int) -> bytes:
        return part.seal(self.seal_secret, ledger=self.ledger_name, number=number)

    def batch(self, part: Slice, number: int, attempt: int, *, seal: bytes) -> Batch:
        return part.batch(number, attempt, ledger=self.ledger_name, seal=seal)


class Stop:
    """Asks a run to end in order: begin nothing new, finish and record what is in flight. A signal handler may ask."""

    def __init__(self) -> None:
        # A plain attribute: a handler that takes a lock could wait for the very thread that it interrupted.
        self._requested = False

    def request(self) -> None:
        self._requested = True

    @property
    def requested(self) -> bool:
        return self._requested
