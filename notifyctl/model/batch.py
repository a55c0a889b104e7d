"""Requests: recipients grouped into batches, what the provider is handed, and how each attempt ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol

from msgspec import Struct, field

from notifyctl.model.message import Envelope, LeftOut, Message
from notifyctl.model.recipients import MEMBER_BYTES, Scope


class Units(Protocol):
    """Recipients to send to, in a fixed order. They can be on disk, so no caller holds all of them."""

    def __len__(self) -> int: ...

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        """All units, `size` at a time; the same on each call."""

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        """Members and correlation ids alone, in the same chunks: all that the order within a batch depends on."""

    def part(self, start: int, end: int) -> UnitColumns:
        """The units between two positions, without a walk over those before them."""


class UnitColumns(Struct, frozen=True):
    """Units as columns of equal length. Implements Units.

    `members` packs recipient id and fingerprint, MEMBER_BYTES each. `own` holds one column per name of the
    message's `names`; `None` where a recipient has no value. `correlations` are the author's correlation ids.
    """

    members: bytes
    destinations: Sequence[str]
    own: Sequence[Sequence[str | None]]
    correlations: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.destinations)

    def chunks(self, size: int) -> Iterator[UnitColumns]:
        for start in range(0, len(self), size):
            yield self.part(start, start + size)

    def part(self, start: int, end: int) -> UnitColumns:
        return UnitColumns(
            self.members[start * MEMBER_BYTES : end * MEMBER_BYTES],
            self.destinations[start:end],
            [column[start:end] for column in self.own],
            self.correlations[start:end],
        )

    def heads(self, size: int) -> Iterator[tuple[bytes, Sequence[str | None]]]:
        for chunk in self.chunks(size):
            yield chunk.members, chunk.correlations


class SendGroup(Struct, frozen=True):
    """Units of one scope that share message and envelope: what a plan hands to apply."""

    scope: Scope
    message: Message
    envelope: Envelope
    units: Units
    left_out: tuple[LeftOut, ...] = ()
    """Destinations that the message goes without, though its author named them."""
    not_after: datetime | None = None
    """When the window closes or the message expires; nothing is attempted from then on."""
    final: bool = False
    """Whether who is left at `not_after` has expired; otherwise a later apply goes on with them."""
    begin_by: datetime | None = None
    """A run that begins at this moment or later is too late; None: it was begun in time, or may begin at any time."""


class ScopeOpening(Struct, frozen=True):
    """A scope that is opened by this apply. `held`: packed ids of its audience that no send group carries."""

    scope: Scope
    held: bytes
    likeness: tuple[int, ...] = ()
    """Fingerprints of its texts."""


class Destination(Struct, frozen=True):
    """One object of the request's `to`: addresses that share substitutions and a correlation id.
    `first` is the position of its first address among all members of the batch.
    """

    addresses: tuple[str, ...]
    correlation_id: str
    substitutions: Mapping[str, str]
    first: int


class Destinations(Struct, frozen=True):
    """The request's `to` as columns: `addresses` of all its objects in the order of the batch's members; and one entry an object
    in the others. `own`: a column for each of `names`, `None` where there is no value. `starts`: the position of each
    object's first address; `None` where every object has one address.
    """

    addresses: Sequence[str]
    correlation_ids: Sequence[str]
    names: tuple[str, ...]
    own: Sequence[Sequence[str | None]]
    starts: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.correlation_ids)

    def __iter__(self) -> Iterator[Destination]:
        starts = self.starts if self.starts is not None else range(len(self.addresses))
        ends = [*starts[1:], len(self.addresses)][: len(starts)]
        for at, (start, end, key) in enumerate(zip(starts, ends, self.correlation_ids, strict=True)):
            columns = zip(self.names, self.own, strict=True)
            given = {name: value for name, column in columns if (value := column[at]) is not None}
            yield Destination(tuple(self.addresses[start:end]), key, given, start)


class Batch(Struct, frozen=True):
    """One request to be: what a provider turns into a body. Everything in it is known before anything is sent."""

    number: int
    attempt: int
    scope: Scope
    message: Message
    envelope: Envelope
    to: Destinations
    members: bytes

    @property
    def size(self) -> int:
        return len(self.members) // MEMBER_BYTES


class PreparedRequest(Struct, frozen=True):
    """An exact request but for its secrets. `content` is what will be posted, JSON in UTF-8; `headers` are redacted."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The content read, anew each time: for people and for tests; sending needs the bytes alone."""
        import json

        found = json.loads(self.content)
        assert isinstance(found, dict)
        return found


class Accepted(Struct, frozen=True):
    """The provider has it: 2xx and a body that says so."""

    provider_id: str
    status: int
    refused: Mapping[int, str] = field(default_factory=dict)
    """Positions of members that the provider's answer says it did not take, with its reason."""
    unheard: frozenset[int] = frozenset()
    """Positions of members that an answer which lists its members does not name, or lists as both: unknown."""
    note: str | None = None
    """What else the ledger keeps of it: destinations that were left out."""
    posted: ClassVar[bool] = True


class Rejected(Struct, frozen=True):
    """Certainly not accepted. `retryable`: the same request may be tried again within this apply (429, never left)."""

    reason: str
    status: int | None = None
    retryable: bool = False
    retry_after: float | None = None
    """Seconds the provider asked for, capped by who waits."""
    posted: bool = True
    """Whether the request can have left this machine. No ledger and no journal records it."""


class Refused(Struct, frozen=True):
    """Not accepted, and no other request would be. Ends the run.

    401, 403 or 410, or, without a status, a request that never left and that another attempt cannot deliver.
    """

    reason: str
    status: int | None = None
    posted: bool = True
    """As in Rejected."""


class Unknown(Struct, frozen=True):
    """The provider may or may not have it. Never retried by itself."""

    reason: str
    status: int | None = None
    posted: ClassVar[bool] = True


Outcome = Accepted | Rejected | Refused | Unknown
