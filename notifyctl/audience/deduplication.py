"""Deduplication: the line on which each address of an audience was seen first.

Up to a million addresses are kept in a dictionary. From then on a hash table of NumPy arrays holds 96 bits of hash
(SipHash with the process's random key, which is Python's own for texts) and the line of each address: 27 bytes instead of
some 200. That any two of ten million addresses are taken for one another has a probability below 10^-15.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_IN_DICTIONARY = 1 << 20
"""Addresses up to which a dictionary is used: small audiences are read before NumPy is imported."""
MAX_LOAD = 0.6
"""Share of the hash table's slots that may be used."""
MAX_LINE = (1 << 32) - 1
"""The largest line that is stored; what stands further below is stored as this."""
REHASHED_AT_ONCE = 1 << 16


class FirstLines:
    """Remembers the first line of each address. `limit`: how many are kept in a dictionary."""

    def __init__(self, limit: int = MAX_IN_DICTIONARY) -> None:
        self._limit = limit
        self._places: dict[str, int] = {}
        """Address → its place among all that were added."""
        self._lines = array("q")
        """The line of each place."""
        self._table: HashTable | None = None

    def add(self, addresses: Sequence[str], lines: Sequence[int]) -> dict[int, int]:
        """Add addresses in their order. Returns position → first line for each one that was seen before."""
        if self._table is None and len(self._places) > self._limit:
            self._table = HashTable()
            self._table.add(list(self._places), [self._lines[place] for place in self._places.values()])
            self._places, self._lines = {}, array("q")
        if self._table is not None:
            return self._add_to_table(self._table, addresses, lines)
        start = len(self._lines)
        places = range(start, start + len(addresses))
        firsts = list(map(self._places.setdefault, addresses, places))
        self._lines.extend(lines)
        if firsts == list(places):
            return {}
        return {at: self._lines[first] for at, first in enumerate(firsts) if first != start + at}

    def _add_to_table(
        self, table: HashTable, addresses: Sequence[str], lines: Sequence[int]
    ) -> dict[int, int]:
        """The same for a table, which takes distinct addresses."""
        own: dict[str, int] = {}
        firsts = list(map(own.setdefault, addresses, range(len(addresses))))
        earlier = table.add(list(own), [lines[first] for first in own.values()])
        known = {address: line for address, line in zip(own, earlier, strict=True) if line}
        if not known and len(own) == len(addresses):
            return {}
        return {
            at: known.get(addresses[at]) or lines[first]
            for at, first in enumerate(firsts)
            if first != at or addresses[at] in known
        }


class HashTable:
    """Open addressing with linear probing, for many distinct addresses at a time. A slot with line 0 is free."""

    def __init__(self, slots: int = 1 << 20) -> None:
        """`slots`: a power of two."""
        import numpy as np

        self._hashes = np.zeros(slots, np.uint64)
        self._checks = np.zeros(slots, np.uint32)
        self._lines = np.zeros(slots, np.uint32)
        self._used = 0

    def add(self, addresses: Sequence[str], lines: Sequence[int]) -> Sequence[int]:
        """Add distinct addresses. Returns the line of each that was there before; 0 for a new one."""
        import numpy as np

        while self._used + len(addresses) > MAX_LOAD * len(self._lines):
            self._double()
        count = len(addresses)
        hashes = np.fromiter(map(hash, addresses), np.int64, count).view(np.uint64)
        others = np.fromiter(map(hash, ["\0" + address for address in addresses]), np.int64, count)
        stored = np.minimum(np.array(lines, np.int64), MAX_LINE).astype(np.uint32)
        earlier: list[int] = self._add_hashes(hashes, others.astype(np.uint32), stored).tolist()
        return earlier

    def _add_hashes(
        self, hashes: NDArray[np.uint64], checks: NDArray[np.uint32], lines: NDArray[np.uint32]
    ) -> NDArray[np.uint32]:
        import numpy as np

        mask = len(self._lines) - 1
        slots = (hashes & np.uint64(mask)).astype(np.int64)
        earlier = np.zeros(len(hashes), np.uint32)
        pending = np.arange(len(hashes))
        while pending.size:
            slot = slots[pending]
            line = self._lines[slot]
            is_free = line == 0
            is_same = (
                ~is_free & (self._hashes[slot] == hashes[pending]) & (self._checks[slot] == checks[pending])
            )
            earlier[pending[is_same]] = line[is_same]
            # Where several meet at a free slot, one of them takes it.
            taken, first = np.unique(slot[is_free], return_index=True)
            winners = pending[is_free][first]
            self._hashes[taken], self._checks[taken] = hashes[winners], checks[winners]
            self._lines[taken] = lines[winners]
            self._used += len(winners)
            is_done = is_same
            is_done[np.flatnonzero(is_free)[first]] = True
            pending = pending[~is_done]
            slots[pending] = (slots[pending] + 1) & mask
        return earlier

    def _double(self) -> None:
        import numpy as np

        hashes, checks, lines = self._hashes, self._checks, self._lines
        HashTable.__init__(self, 2 * len(lines))
        used = np.flatnonzero(lines)
        for start in range(0, len(used), REHASHED_AT_ONCE):
            chosen = used[start : start + REHASHED_AT_ONCE]
            self._add_hashes(hashes[chosen], checks[chosen], lines[chosen])
