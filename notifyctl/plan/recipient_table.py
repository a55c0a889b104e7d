"""The recipients of one scope as packed columns, in the order of their rows: about 60 bytes of memory for each."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from notifyctl.model.recipients import ID_BYTES, MEMBER_BYTES
from notifyctl.plan.digest import ENTRY_BYTES
from notifyctl.plan.spool import Spool, SpooledColumns

ENTRY = np.dtype([("high", ">u8"), ("low", ">u8"), ("text", ">u8"), ("rest", "V24")])
"""An entry of the digest: a recipient id in two halves, and a delivery hash, of which `text` is the beginning."""
PIECE = 1 << 14
"""Entries that are gathered at a time."""

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]


class Profile(NamedTuple):
    """All that a decision about a recipient depends on apart from the ledger."""

    variant: str | None
    zone: str
    problem: str | None
    suppression: str | None
    fallback: str | None = None
    """Why no SMS is sent in place of the message."""


class Numbering(dict[Hashable, int]):
    """Numbers values from 0, in the order in which they are first asked for."""

    def __missing__(self, value: Hashable) -> int:
        number = self[value] = len(self)
        return number


class TableChunk(NamedTuple):
    """Columns of the recipients of one batch; `entries` are packed, ENTRY_BYTES each."""

    entries: bytes
    profiles: Iterable[tuple[str | None, ...]]
    """As Profile has them."""
    prefixes: Sequence[str]
    """The beginning of each address, as far as its price depends on it."""
    segments: NDArray[np.uint16]
    """SMS segments, on RCS of the SMS sent when it fails; 0 on email and where they are unknown."""
    lengths: NDArray[np.uint32]
    """Characters of all values together."""
    marks: NDArray[np.uint8]
    """What the values are an example of, by the bits of `sample_search`."""
    spooled: SpooledColumns


class RecipientTable:
    """Filled chunk by chunk, and read from then on. `names` are the variables whose own values are spooled."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.profile_numbers = Numbering()
        self.prefix_numbers = Numbering()
        self.spool = Spool()
        self.correlated = False
        """Whether anybody has a correlation id of the author."""
        self.former_ids = bytearray()
        """Pairs of ids: a recipient's, and what the former rules of identity made of their address."""
        self._starts: list[int] = []
        self._entries = bytearray()
        self._profiles, self._prefixes = array("I"), array("I")
        self._segments, self._lengths = array("H"), array("I")
        self._marks = bytearray()

    def append(self, chunk: TableChunk) -> None:
        self._starts.append(len(self))
        self._profiles.extend(map(self.profile_numbers.__getitem__, chunk.profiles))
        self._prefixes.extend(map(self.prefix_numbers.__getitem__, chunk.prefixes))
        self._segments.frombytes(chunk.segments.tobytes())
        self._lengths.frombytes(chunk.lengths.tobytes())
        self._marks += chunk.marks.tobytes()
        self._entries += chunk.entries
        self.spool.append(chunk.spooled)
        self.correlated = self.correlated or chunk.spooled.correlations is not None

    def __len__(self) -> int:
        return len(self._marks)

    @property
    def profile_list(self) -> list[Profile]:
        """Each by its number."""
        return [Profile(*each) for each in self.profile_numbers]  # type: ignore[misc]  # tuples of its fields

    @property
    def prefix_list(self) -> list[str]:
        """Likewise."""
        return list(self.prefix_numbers)  # type: ignore[arg-type]

    # Columns as arrays, once everybody is in

    @cached_property
    def entries(self) -> NDArray[Any]:
        """Of type ENTRY."""
        return np.frombuffer(self._entries, ENTRY)

    @cached_property
    def members(self) -> NDArray[np.uint8]:
        """The same as a ledger keeps it: a row of MEMBER_BYTES for each."""
        return np.frombuffer(self._entries, np.uint8).reshape(-1, ENTRY_BYTES)[:, :MEMBER_BYTES]

    @cached_property
    def profiles(self) -> NDArray[np.uint32]:
        """Places in `profile_numbers`."""
        return np.frombuffer(self._profiles, np.uint32)

    @cached_property
    def prefixes(self) -> NDArray[np.uint32]:
        """Places in `prefix_numbers`."""
        return np.frombuffer(self._prefixes, np.uint32)

    @cached_property
    def segments(self) -> NDArray[np.uint16]:
        return np.frombuffer(self._segments, np.uint16)

    @cached_property
    def lengths(self) -> NDArray[np.uint32]:
        return np.frombuffer(self._lengths, np.uint32)

    @cached_property
    def marks(self) -> NDArray[np.uint8]:
        return np.frombuffer(self._marks, np.uint8)

    @cached_property
    def by_id(self) -> NDArray[np.uint32]:
        """Positions of all recipients in the order of their ids."""
        high = self.entries["high"].astype(np.uint64)
        order = np.argsort(high)
        high = high[order]
        if (high[1:] == high[:-1]).any():
            order = np.lexsort((self.entries["low"], self.entries["high"]))
        return order.astype(np.uint32)

    # Reading

    def find(self, recipient: bytes) -> int | None:
        """The position of a recipient, by id."""
        high, low = int.from_bytes(recipient[:8]), int.from_bytes(recipient[8:])
        found = np.flatnonzero((self.entries["high"] == high) & (self.entries["low"] == low))
        return int(found[0]) if len(found) else None

    def sorted_entries(self, wanted: Mask) -> Iterator[bytes]:
        """The entries where `wanted` holds, in the order of their ids, packed in pieces."""
        order = self.by_id[wanted[self.by_id]]
        for start in range(0, len(order), PIECE):
            yield self.entries[order[start : start + PIECE]].tobytes()

    def packed_entry(self, position: int) -> bytes:
        packed: bytes = self.entries[position].tobytes()
        return packed

    def packed_ids(self, wanted: Mask) -> bytes:
        """Recipient ids where `wanted` holds, in the order of their rows."""
        return self.members[wanted, :ID_BYTES].tobytes()

    def packed_members(self, wanted: Mask) -> bytes:
        """Ids and fingerprints, likewise."""
        return self.members[wanted].tobytes()

    def chunks(self) -> Iterator[tuple[int, int, int]]:
        """(number, first position, end) of each chunk of the spool."""
        for number, (start, end) in enumerate(zip(self._starts, [*self._starts[1:], len(self)], strict=True)):
            yield number, start, end

    def spooled_rows(self, positions: Sequence[int]) -> Iterator[tuple[str, tuple[str | None, ...]]]:
        """(destination, own values by `names`) of single recipients, whose positions ascend."""
        number, columns = -1, None
        for position in positions:
            wanted = bisect_right(self._starts, position) - 1
            if columns is None or wanted != number:
                number, columns = wanted, self.spool.read(wanted)
            at = position - self._starts[number]
            own = tuple(None if column is None else column[at] for column in columns.own)
            yield columns.destinations[at], own
