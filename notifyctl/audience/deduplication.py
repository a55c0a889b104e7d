"""Deduplication: the line on which each address of an audience was seen first.

Some hundred thousand addresses are kept in a dictionary. From then on a hash table of NumPy arrays holds 96 bits of hash
(SipHash with the process's random key, which is Python's own for texts) and the line of each address: 27 bytes instead of
some 200. That any two of ten million addresses are taken for one another has a probability below 10^-15.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_IN_DICTIONARY = 1 << 18
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
        self._dictionary: dict[str, int] = {}
        self._table: HashTable | None = None

    def add(self, addresses: Sequence[str], lines: Sequence[int]) -> dict[int, int]:
        """Add addresses in their order. Returns position → first line for each one that was seen before."""
        # Of equal keys, `dict` keeps the last value: by going backwards, the first position.
        backwards = range(len(addresses) - 1, -1, -1)
        positions = dict(zip(reversed(addresses), backwards, strict=True))
        own_lines = [lines[position] for position in positions.values()]
        earlier_lines = self._add_distinct(list(positions), own_lines)
        if len(positions) == len(addresses) and not any(earlier_lines):
            return {}
        earlier = {address: line for address, line in zip(positions, earlier_lines, strict=True) if line}
        repeated: dict[int, int] = {}
        for position, address in enumerate(addresses):
            if address in earlier:
                repeated[position] = earlier[address]
            elif positions[address] != position:
                repeated[position] = lines[positions[address]]
        return repeated

    def _add_distinct(self, addresses: Sequence[str], lines: Sequence[int]) -> Sequence[int]:
        """The line of each that was there before; 0 for a new one."""
        dictionary = self._dictionary
        if self._table is None and len(dictionary) + len(addresses) > self._limit:
            self._table = HashTable()
            self._table.add(list(dictionary), list(dictionary.values()))
            dictionary.clear()
        if self._table is not None:
            return self._table.add(addresses, lines)
        earlier = [dictionary.get(address, 0) for address in addresses]
        dictionary.update(
            (address, line)
            for address, line, known in zip(addresses, lines, earlier, strict=True)
            if not known
        )
        return earlier


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
