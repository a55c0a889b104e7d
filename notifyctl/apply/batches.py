"""Cuts send groups into batches, always in the same way, so that a dry run and every attempt make the same one. Pure."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import accumulate

from msgspec import Struct
from msgspec.structs import replace

from notifyctl.apply.correlation import callback_data, correlation_ids, seal
from notifyctl.channels.limits import MAX_DESTINATIONS
from notifyctl.model.batch import Batch, Destinations, SendGroup, UnitColumns
from notifyctl.model.left_out import leave_out, unite
from notifyctl.model.message import Envelope, LeftOut
from notifyctl.model.project import Limits, TpsCounts
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES, MEMBER_BYTES, Scope
from notifyctl.ports import Clock

FINGERPRINT = struct.Struct(f"{ID_BYTES}x{FINGERPRINT_BYTES}s")
"""The fingerprint of a packed member."""


def batch_size(limits: Limits) -> int:
    """Destinations in one request (rule 16); at most a second's worth where the account's rate counts destinations."""
    size = min(MAX_DESTINATIONS, limits.destinations_per_request)
    if limits.tps_counts is TpsCounts.DESTINATIONS:
        size = min(size, limits.tps)
    return max(size, 1)


class BatchSlice(Struct, frozen=True):
    """The part of a send group that goes into one request.

    `units` are in the order of the batch's members: those that share a `to` object are adjacent. `starts` are the positions
    of each object's first unit; `None` if each unit has an object of its own.
    """

    group: SendGroup
    units: UnitColumns
    starts: Sequence[int] | None

    def has_lapsed(self, clock: Clock) -> bool:
        """Whether its window has closed: pacing a large audience takes longer than some windows."""
        ends = self.group.not_after
        return ends is not None and clock.now() >= ends

    @property
    def scope(self) -> Scope:
        return self.group.scope

    @property
    def size(self) -> int:
        return len(self.units.destinations)

    @property
    def members(self) -> bytes:
        """Ids and fingerprints packed as the ledger keeps them."""
        return self.units.members

    def without(self, positions: Collection[int]) -> BatchSlice:
        """The slice without the units at these positions, cut again."""
        gone = frozenset(positions)
        return self.only([at for at in range(len(self.units)) if at not in gone])

    def only(self, positions: Sequence[int]) -> BatchSlice:
        """The units at these positions, cut again."""
        return make_slice(self.group, select(self.units, positions))

    def leaving_out(self, left_out: Collection[LeftOut]) -> BatchSlice:
        """The same units, sent without further destinations; itself if it goes without them already."""
        united = unite(self.group.left_out, left_out)
        if united == self.group.left_out:
            return self
        return replace(self, group=replace(self.group, left_out=united))

    def seal(self, secret: bytes, *, ledger: str, number: int) -> bytes:
        """The batch's seal. It covers addresses and fingerprints but not ids, which depend on the ledger."""
        scope, units = self.scope, self.units
        content = sha256("\0".join((scope.notification, str(scope.edition), scope.occurrence, "")).encode())
        content.update("\0".join(units.destinations).encode())
        # The fingerprints without the ids, by columns: all first bytes, then all second bytes, and so on.
        content.update(b"".join([units.members[at::MEMBER_BYTES] for at in range(ID_BYTES, MEMBER_BYTES)]))
        return seal(secret, ledger=ledger, number=number, material=content.digest())

    def batch(self, number: int, attempt: int, *, ledger: str, seal: bytes) -> Batch:
        """The batch to send. Attempts differ in their callback data alone."""
        return Batch(
            number=number,
            attempt=attempt,
            scope=self.scope,
            message=leave_out(self.group.message, self.group.left_out),
            envelope=with_callback_data(self.group.envelope, ledger=ledger, number=number, attempt=attempt),
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
            if is_empty(theirs)
            else [own or made for own, made in zip(theirs, ours, strict=True)],
            names=self.group.message.names,
            own=units.own if starts is None else select_columns(units.own, starts),
            starts=starts,
        )


def cut(group: SendGroup, size: int) -> Iterator[BatchSlice]:
    """The units in order, at most `size` per slice."""
    for units in group.units.chunks(size):
        yield make_slice(group, units)


def cut_members(group: SendGroup, size: int) -> Iterator[bytes]:
    """The packed members of each slice that `cut` makes."""
    for members, correlations in group.units.heads(size):
        order, _ = order_of(members, correlations)
        yield members if order is None else select_members(members, order)


def make_slice(group: SendGroup, units: UnitColumns) -> BatchSlice:
    order, starts = order_of(units.members, units.correlations)
    return BatchSlice(group, units if order is None else select(units, order), starts)


def order_of(
    members: bytes, correlations: Sequence[str | None]
) -> tuple[Sequence[int] | None, Sequence[int] | None]:
    """The order of a slice's units, and the starts of its `to` objects; None for the given order, and one object per unit.

    Units with the same fingerprint and the same correlation id of the author share an object. Objects are in the order of
    their first units.
    """
    # Most texts differ, which 8 bytes of each fingerprint show.
    count = len(correlations)
    if len(set(fingerprint_prefixes(count).unpack(members))) == count:
        return None, None
    alone = is_empty(correlations)

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
def fingerprint_prefixes(count: int) -> struct.Struct:
    """Unpacks the first 8 bytes of each of `count` members' fingerprints."""
    return struct.Struct("<" + f"{ID_BYTES}xQ{MEMBER_BYTES - ID_BYTES - 8}x" * count)


def select(units: UnitColumns, order: Sequence[int]) -> UnitColumns:
    return UnitColumns(
        select_members(units.members, order),
        [units.destinations[at] for at in order],
        select_columns(units.own, order),
        [units.correlations[at] for at in order],
    )


def select_columns(columns: Sequence[Sequence[str | None]], places: Sequence[int]) -> list[list[str | None]]:
    return [[column[at] for at in places] for column in columns]


def select_members(packed: bytes, order: Sequence[int]) -> bytes:
    size = MEMBER_BYTES
    return b"".join([packed[at * size : at * size + size] for at in order])


def is_empty(column: Sequence[str | None]) -> bool:
    return column.count(None) == len(column)


def with_callback_data(envelope: Envelope, *, ledger: str, number: int, attempt: int) -> Envelope:
    if envelope.callback_data is not None:
        return envelope
    return replace(envelope, callback_data=callback_data(ledger, number, attempt))
