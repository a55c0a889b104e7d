"""A sieve for packed ids: what it holds back belongs to nobody who was put in, and of all else little passes.

It is one bit for each beginning that an id can have (a Bloom filter with a single hash, as ids are hashes already). What it
works with is made once: memory that is new to the process costs more than looking at it.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Sieve"]

SPARE = 24
"""Bits for each person at least: one id in twenty-four, or fewer, passes by chance."""
FEWEST_BITS, MOST_BITS = 16, 28
"""Of a beginning. With 28 the sieve is 32 MiB."""


class Sieve:
    """For so many people. Ids are spread evenly, else more passes."""

    def __init__(self, people: int) -> None:
        import numpy as np

        bits = min(max((people * SPARE).bit_length(), FEWEST_BITS), MOST_BITS)
        self._mask = (1 << bits) - 1
        self._marks = np.zeros(1 << (bits - 3), np.uint8)
        self._room(0)

    def add(self, highs: Any) -> None:
        """Put in the first 8 bytes of each id, as numbers."""
        import numpy as np

        beginnings = highs.astype(">u8").view("<u4")[::2] & self._mask
        beginnings.sort()  # so that the marks are met in the order in which they lie: four times as fast, where there are many
        np.bitwise_or.at(self._marks, beginnings >> 3, np.left_shift(1, beginnings & 7).astype(np.uint8))

    def passing(self, words: Any) -> Any:
        """The places of the rows that pass, in their order. `words`: rows of numbers of 4 bytes, of which the first is the
        beginning of an id, as they lie in memory.
        """
        import numpy as np

        count = len(words)
        if count > len(self._bits):
            self._room(count)
        beginnings, places = self._beginnings[:count], self._places[:count]
        bits, marks = self._bits[:count], self._found[:count]
        np.bitwise_and(words[:, 0], self._mask, out=beginnings)
        np.right_shift(beginnings, 3, out=places)
        np.bitwise_and(beginnings, 7, out=bits, casting="unsafe")
        self._marks.take(places, out=marks, mode="clip")
        np.right_shift(marks, bits, out=marks)
        np.bitwise_and(marks, 1, out=marks)
        return np.flatnonzero(marks)

    def _room(self, count: int) -> None:
        import numpy as np

        self._beginnings = np.empty(count, np.uint32)
        self._places = np.empty(count, np.intp)
        self._bits = np.empty(count, np.uint8)
        self._found = np.empty(count, np.uint8)
