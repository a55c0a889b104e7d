"""Cuts consignments into requests, always in the same way: a dry run and every attempt make the same batch. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate
from struct import Struct

from notifyctl.apply.correlation import callback_data, correlation_ids, seal
from notifyctl.channels.limits import MAX_DESTINATIONS
from notifyctl.model.batch import Batch, Destinations, SendGroup, UnitColumns
from notifyctl.model.message import Envelope
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.ports import Clock
from notifyctl.records import dataclass, replace

FINGERPRINT = Struct(f"{ID_BYTES}x{FINGERPRINT_BYTES}s")
"""Of a packed member."""


def batch_size(limits: Limits) -> int:
    """Destinations in one request (rule 16). An account whose rate counts destinations takes no more at once than in a second."""
    size = min(MAX_DESTINATIONS, limits.destinations_per_request)
    if limits.tps_counts is TpsCounts.DESTINATIONS:
        size = min(size, limits.tps)
    return max(size, 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a consignment that goes into one request. `units` stand in the order of the batch's members: those that
    share a `to` object side by side. `starts`: the position of each object's first; `None` where each has one of its own.
    """

    consignment: SendGroup
    units: UnitColumns
    starts: Sequence[int] | None

    def lapsed(self, clock: Clock) -> bool:
        """Whether its window has shut: pacing a large audience takes longer than some windows."""
        ends = self.consignment.not_after
        return ends is not None and clock.now() >= ends

    @property
    def scope(self) -> Scope:
        return self.consignment.scope

    @property
    def size(self) -> int:
        return len(self.units.destinations)

    @property
    def members(self) -> bytes:
        """Ids and fingerprints packed as the ledger keeps them."""
        return self.units.members

    def without(self, positions: Collection[int]) -> Slice:
        """The same without the people at these positions, cut anew."""
        gone = frozenset(positions)
        left = [at for at in range(len(self.units)) if at not in gone]
        return sliced(self.consignment, taken(self.units, left))

    def seal(self, secret: bytes, *, ledger: str, number: int) -> bytes:
        """The batch's seal. It covers addresses and fingerprints and not the ids, which need a ledger."""
        scope, units = self.scope, self.units
        content = sha256("\0".join((scope.notification, str(scope.edition), scope.occurrence, "")).encode())
        content.update("\0".join(units.destinations).encode())
        # All first bytes, then all second ones, …: the fingerprints without the ids, in a dozen steps and not a thousand.
        content.update(b"".join([units.members[at::MEMBER_BYTES] for at in range(ID_BYTES, MEMBER_BYTES)]))
        return seal(secret, ledger=ledger, number=number, material=content.digest())

    def batch(self, number: int, attempt: int, *, ledger: str, seal: bytes) -> Batch:
        """The request to be. Only the callback data tells one attempt from another."""
        return Batch(
            number=number,
            attempt=attempt,
            scope=self.scope,
            message=self.consignment.message,
            envelope=with_callback_data(
                self.consignment.envelope, ledger=ledger, number=number, attempt=attempt
            ),
            to=self._destinations(number, seal),
            members=self.members,
        )

    def _destinations(self, number: int, seal: bytes) -> Destinations:
        units, starts = self.units, self.starts
        firsts = range(len(units)) if starts is None else starts
        ours = correlation_ids(number, firsts, seal)
        theirs = units.correlations if starts is None else [units.correlations[at] for at in starts]
        return Destinations(
            addresses=units.destinations,
            correlation_ids=ours
            if nothing(theirs)
            else [own or made for own, made in zip(theirs, ours, strict=True)],
            names=self.consignment.message.names,
            own=units.own if starts is None else picked(units.own, starts),
            starts=starts,
        )


def cut(consignment: SendGroup, size: int) -> Iterator[Slice]:
    """The units in their order, at most `size` in each slice."""
    for units in consignment.units.chunks(size):
        yield sliced(consignment, units)


def cut_members(consignment: SendGroup, size: int) -> Iterator[bytes]:
    """The members of each slice that `cut` makes, without the rest."""
    for members, correlations in consignment.units.heads(size):
        order, _ = order_of(members, correlations)
        yield members if order is None else taken_members(members, order)


def sliced(consignment: SendGroup, units: UnitColumns) -> Slice:
    order, starts = order_of(units.members, units.correlations)
    return Slice(consignment, units if order is None else taken(units, order), starts)


def order_of(
    members: bytes, correlations: Sequence[str | None]
) -> tuple[Sequence[int] | None, Sequence[int] | None]:
    """In what order the units of a slice stand, and where its objects begin; None: as they came, and an object for each.

    Those that read the same, by their fingerprints, and have the same correlation id of the author share an object. Objects
    stand in the order in which their first ones came.
    """
    # Mostly everybody reads something else, which one look at 8 bytes of each fingerprint tells.
    count = len(correlations)
    if len(set(beginnings(count).unpack(members))) == count:
        return None, None
    alone = nothing(correlations)

    def keys() -> Iterator[object]:
        texts = FINGERPRINT.iter_unpack(members)
        return texts if alone else zip(texts, correlations, strict=True)

    kinds = len(set(keys()))
    if kinds == count:
        return None, None
    if kinds == 1:
        return None, (0,)
    groups: dict[object, list[int]] = {}
    for at, key in enumerate(keys()):
        groups.setdefault(key, []).append(at)
    sizes = [len(group) for group in groups.values()]
    return [at for group in groups.values() for at in group], tuple(accumulate(sizes[:-1], initial=0))


@lru_cache(maxsize=4)
def beginnings(count: int) -> Struct:
    """Of so many packed members the first 8 bytes of each fingerprint, as numbers."""
    return Struct("<" + f"{ID_BYTES}xQ{MEMBER_BYTES - ID_BYTES - 8}x" * count)


def taken(units: UnitColumns, order: Sequence[int]) -> UnitColumns:
    return UnitColumns(
        taken_members(units.members, order),
        [units.destinations[at] for at in order],
        picked(units.own, order),
        [units.correlations[at] for at in order],
    )


def picked(columns: Sequence[Sequence[str | None]], places: Sequence[int]) -> list[list[str | None]]:
    return [[column[at] for at in places] for column in columns]


def taken_members(packed: bytes, order: Sequence[int]) -> bytes:
    size = MEMBER_BYTES
    return b"".join([packed[at * size : at * size + size] for at in order])


def nothing(column: Sequence[str | None]) -> bool:
    return column.count(None) == len(column)


def with_callback_data(envelope: Envelope, *, ledger: str, number: int, attempt: int) -> Envelope:
    if envelope.callback_data is not None:
        return envelope
    return replace(envelope, callback_data=callback_data(ledger, number, attempt))
