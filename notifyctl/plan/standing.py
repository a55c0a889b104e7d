"""What the ledger's batches say of each recipient, folded into one word. Pure; knows nothing of how facts are stored.

This is the part of planning that meets the ledger at full size, so it walks packed bytes and not rows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from notifyctl.model.ledger import BatchRecord, BatchState
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, Scope

Kind = Literal["uncertain", "accepted", "rejected"]

MEMBER = struct.Struct(f"{ID_BYTES}s{FINGERPRINT_BYTES}s")

KINDS: dict[BatchState, Kind] = {
    BatchState.ARMED: "uncertain",
    BatchState.UNKNOWN: "uncertain",
    BatchState.ACCEPTED: "accepted",
    BatchState.REJECTED: "rejected",
}
"""A batch that is only planned was never begun and says nothing of anybody."""

RANK: dict[Kind, int] = {"rejected": 0, "uncertain": 1, "accepted": 2}


class Standing(NamedTuple):
    """What is known of one delivery unit. A tuple, because a million of them are made for one plan."""

    kind: Kind
    fingerprint: bytes
    """FINGERPRINT_BYTES of the delivery hash of the batch that decides; compare with a truncated hash."""
    batch: int
    attempts: int
    """Over all batches the recipient was in."""


def standings(facts: Iterable[BatchRecord]) -> dict[bytes, Standing]:
    """One standing for each recipient that any attempt was begun for, by recipient id.

    Accepted wins over all, then uncertain, then rejected; among equals the later batch. Facts of several scopes that
    stand for the same units (a moved notification) belong into one call, so that this order holds across them.
    """
    found: dict[bytes, Standing] = {}
    for batch in facts:
        kind = KINDS.get(batch.state)
        number, attempt = batch.number, batch.attempt
        told: dict[bytes, Standing] = {}
        if kind is not None:
            told = {
                recipient: Standing(kind, fingerprint, number, attempt)
                for recipient, fingerprint in MEMBER.iter_unpack(batch.members)
            }
        for position, state in batch.others.items():
            recipient, fingerprint = MEMBER.unpack_from(batch.members, position * MEMBER.size)
            told[recipient] = Standing(KINDS[state], fingerprint, number, attempt)
        if not found.keys().isdisjoint(told):
            for recipient in found.keys() & told.keys():
                told[recipient] = stronger(found[recipient], told[recipient])
        found.update(told)
    return found


def add_served(known: dict[bytes, Standing], members: bytes) -> None:
    """Who counts as served by a baseline has accepted, unless an attempt says more."""
    for recipient, fingerprint in MEMBER.iter_unpack(members):
        if recipient not in known or known[recipient].kind == "rejected":
            known[recipient] = Standing("accepted", fingerprint, 0, 0)


def stronger(one: Standing, other: Standing) -> Standing:
    """The standing that decides, with the attempts of both."""
    _, _, winner = max((RANK[one.kind], one.batch, one), (RANK[other.kind], other.batch, other))
    return winner._replace(attempts=one.attempts + other.attempts)


def recorded_ids(packed: bytes) -> set[bytes]:
    """The recipient ids of a recorded audience, ID_BYTES each."""
    return {packed[start : start + ID_BYTES] for start in range(0, len(packed), ID_BYTES)}


class Known(Mapping[bytes, Standing]):
    """The standings of one scope, folded when the first of them is asked for. A columnar planner asks for none: it takes
    the packed facts as they are.
    """

    def __init__(
        self,
        batches: Callable[[], Iterable[BatchRecord]] = tuple,
        served: Callable[[], Iterable[bytes]] = tuple,
    ) -> None:
        self.batches = batches
        self.served = served
        self._folded: dict[bytes, Standing] | None = None

    @property
    def folded(self) -> dict[bytes, Standing]:
        if self._folded is None:
            self._folded = standings(self.batches())
            for members in self.served():
                add_served(self._folded, members)
        return self._folded

    def __getitem__(self, recipient: bytes) -> Standing:
        return self.folded[recipient]

    def get(self, recipient: bytes, default: Any = None) -> Any:
        return self.folded.get(recipient, default)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.folded)

    def __len__(self) -> int:
        return len(self.folded)


class PackedIds(Collection[bytes]):
    """Recipient ids as a ledger holds them, ID_BYTES each; a set of them is made when one is asked for."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self.pieces = tuple(pieces)
        self._ids: set[bytes] | None = None

    @property
    def ids(self) -> set[bytes]:
        if self._ids is None:
            self._ids = set().union(*map(recorded_ids, self.pieces))
        return self._ids

    def __contains__(self, recipient: object) -> bool:
        return recipient in self.ids

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


class Recorded(Collection[bytes]):
    """The audience that was recorded when an edition was opened: `held`, and the members of the batches of those runs.

    `epochs`: scope → the run that opened it. `everybody` gives all their packed ids; it is asked when somebody is looked for.
    """

    def __init__(
        self,
        *,
        held: Sequence[bytes],
        epochs: Mapping[Scope, int],
        everybody: Callable[[], Iterable[bytes]],
        size: Callable[[], int],
    ) -> None:
        self.held, self.epochs, self.everybody, self.size = held, epochs, everybody, size
        self._all: PackedIds | None = None

    @property
    def packed(self) -> PackedIds:
        if self._all is None:
            self._all = PackedIds(self.everybody())
        return self._all

    def __contains__(self, recipient: object) -> bool:
        return recipient in self.packed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.packed)

    def __len__(self) -> int:
        """Who was planned anew within a run counts twice."""
        return self.size()


def accepted_ids(facts: Iterable[BatchRecord]) -> Iterator[bytes]:
    """Packed ids of whoever any of the batches reached."""
    for batch in facts:
        whole = batch.state is BatchState.ACCEPTED
        if whole and not batch.others:
            yield b"".join([recipient for recipient, _ in MEMBER.iter_unpack(batch.members)])
            continue
        yield b"".join(
            [
                recipient
                for position, (recipient, _) in enumerate(MEMBER.iter_unpack(batch.members))
                if batch.others.get(position, batch.state) is BatchState.ACCEPTED
            ]
        )
