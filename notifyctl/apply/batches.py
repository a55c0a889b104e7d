"""Units to batches: cut in order, people with the same values together, everything known before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from notifyctl.apply.correlation import callback_data, correlation_id, seal
from notifyctl.delivery import Batch, Consignment, Destination
from notifyctl.model import Limits, TpsCounts

MOST = 1000
"""Destinations over all `to` objects of a request (rule 16)."""


def batch_size(limits: Limits) -> int:
    """Rules 16 and 17: the page of 2021 caps a request at the transactions per second when these count destinations."""
    most = min(MOST, limits.destinations_per_request)
    return max(1, min(most, limits.tps) if limits.tps_counts is TpsCounts.DESTINATIONS else most)


@dataclass(frozen=True, slots=True)
class Group:
    """Positions of units that share one `to` object."""

    own: tuple[str | None, ...]
    correlation: str | None
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """A batch before it has a number: which units, in which `to` objects. `members` are in the order of destinations."""

    consignment: Consignment
    groups: tuple[Group, ...]
    members: bytes

    @property
    def size(self) -> int:
        return sum(len(group.positions) for group in self.groups)

    def numbered(self, number: int, attempt: int, *, ledger: str, secret: bytes) -> Batch:
        """The batch as it is sent. `ledger` names the ledger in callback data and seals."""
        consignment = self.consignment
        mark = self.seal(number, ledger=ledger, secret=secret)
        envelope = consignment.envelope
        if envelope.callback_data is None:
            envelope = replace(envelope, callback_data=callback_data(ledger, number, attempt))
        return Batch(
            number=number,
            attempt=attempt,
            scope=consignment.scope,
            message=consignment.message,
            envelope=envelope,
            to=tuple(self._destinations(number, mark)),
            members=self.members,
        )

    def seal(self, number: int, *, ledger: str, secret: bytes) -> bytes:
        sent = consignment_destinations(self)
        return seal(secret, ledger=ledger, number=number, material="\0".join(sent).encode() + self.members)

    def _destinations(self, number: int, mark: bytes) -> Iterator[Destination]:
        names, units = self.consignment.message.names, self.consignment.units
        first = 0
        for group in self.groups:
            pairs = zip(names, group.own, strict=True)
            yield Destination(
                addresses=tuple(units.destinations[position] for position in group.positions),
                correlation_id=group.correlation or correlation_id(number, first, mark),
                substitutions={name: value for name, value in pairs if value is not None},
                first=first,
            )
            first += len(group.positions)


def consignment_destinations(cut: Cut) -> list[str]:
    destinations = cut.consignment.units.destinations
    return [destinations[position] for group in cut.groups for position in group.positions]


def cut(consignment: Consignment, size: int) -> Iterator[Cut]:
    """Every unit exactly once, in order, at most `size` in a batch."""
    units = consignment.units
    for start in range(0, len(units), size):
        shared: dict[tuple[tuple[str | None, ...], str | None], list[int]] = {}
        for position in range(start, min(start + size, len(units))):
            shared.setdefault((units.own[position], units.correlations[position]), []).append(position)
        groups = tuple(Group(own, named, tuple(positions)) for (own, named), positions in shared.items())
        order = [position for group in groups for position in group.positions]
        members = b"".join(units.ids[position] + units.fingerprints[position] for position in order)
        yield Cut(consignment, groups, members)
