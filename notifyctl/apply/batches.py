"""Cuts consignments into requests, always in the same way: a dry run and every attempt make the same batch. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from notifyctl.apply.correlation import callback_data, correlation_id, seal
from notifyctl.channels.limits import MAX_DESTINATIONS
from notifyctl.delivery import (
    ID_BYTES,
    MEMBER_BYTES,
    Batch,
    Consignment,
    Destination,
    Envelope,
    Scope,
    UnitColumns,
)
from notifyctl.model import Limits, TpsCounts


def batch_size(limits: Limits) -> int:
    """Destinations in one request (rule 16). An account whose rate counts destinations takes no more at once than in a second."""
    size = min(MAX_DESTINATIONS, limits.destinations_per_request)
    if limits.tps_counts is TpsCounts.DESTINATIONS:
        size = min(size, limits.tps)
    return max(size, 1)


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a consignment that goes into one request. `groups` hold positions in its units, each group one `to`
    object; read one after the other they give the order of the batch's members.
    """

    consignment: Consignment
    units: UnitColumns
    groups: tuple[tuple[int, ...], ...]

    @property
    def scope(self) -> Scope:
        return self.consignment.scope

    @property
    def size(self) -> int:
        return len(self.units)

    @property
    def members(self) -> bytes:
        """Ids and fingerprints packed as the ledger keeps them."""
        packed = self.units.members
        return b"".join(packed[at * MEMBER_BYTES :][:MEMBER_BYTES] for group in self.groups for at in group)

    def seal(self, secret: bytes, *, ledger: str, number: int) -> bytes:
        """The batch's seal. It covers addresses and fingerprints and not the ids, which need a ledger."""
        units, scope = self.units, self.scope
        content = sha256("\0".join((scope.notification, str(scope.edition), scope.occurrence)).encode())
        for group in self.groups:
            for at in group:
                fingerprint = units.members[at * MEMBER_BYTES + ID_BYTES : (at + 1) * MEMBER_BYTES]
                content.update(b"\0" + units.destinations[at].encode() + b"\0" + fingerprint)
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
            to=tuple(self._destinations(number, seal)),
            members=self.members,
        )

    def _destinations(self, number: int, seal: bytes) -> Iterator[Destination]:
        units, names = self.units, self.consignment.message.names
        first = 0
        for group in self.groups:
            own = units.own[group[0]]
            yield Destination(
                addresses=tuple(units.destinations[at] for at in group),
                correlation_id=units.correlations[group[0]] or correlation_id(number, first, seal),
                substitutions={
                    name: value for name, value in zip(names, own, strict=True) if value is not None
                },
                first=first,
            )
            first += len(group)


def cut(consignment: Consignment, size: int) -> Iterator[Slice]:
    """The units in their order, at most `size` in each slice."""
    for units in consignment.units.chunks(size):
        yield Slice(consignment, units, grouped(units))


def grouped(units: UnitColumns) -> tuple[tuple[int, ...], ...]:
    """Units with the same own values and the same correlation id of the author go together, in order of appearance."""
    groups: dict[tuple[tuple[str | None, ...], str | None], list[int]] = {}
    for at, key in enumerate(zip(units.own, units.correlations, strict=True)):
        groups.setdefault(key, []).append(at)
    return tuple(map(tuple, groups.values()))


def with_callback_data(envelope: Envelope, *, ledger: str, number: int, attempt: int) -> Envelope:
    if envelope.callback_data is not None:
        return envelope
    return replace(envelope, callback_data=callback_data(ledger, number, attempt))
