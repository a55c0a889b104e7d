"""The sieve holds back nobody who was put in, and most of the others."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from notifyctl.plan.sieve import Sieve

numbers = st.lists(st.integers(0, 2**64 - 1), max_size=50)


def words(highs: list[int]) -> np.ndarray:
    """As the members of a batch lie in memory."""
    packed = b"".join(high.to_bytes(8) + bytes(20) for high in highs)
    return np.frombuffer(packed, "<u4").reshape(-1, 7)


@settings(deadline=None)
@given(numbers, numbers, st.integers(0, 100))
def test_whoever_was_put_in_passes(inside: list[int], others: list[int], people: int) -> None:
    sieve = Sieve(people)
    half = len(inside) // 2
    for some in (inside[:half], inside[half:]):
        sieve.add(np.array(some, "u8"))
    asked = [*others, *inside, *others]
    passing = sieve.passing(words(asked)).tolist()
    assert passing == sorted(passing)
    assert {place for place, high in enumerate(asked) if high in inside} <= set(passing)


def test_few_others_pass() -> None:
    spread = np.random.default_rng(7).integers(0, 2**64, 40_000, dtype="u8")
    sieve = Sieve(20_000)
    sieve.add(spread[:20_000])
    assert len(sieve.passing(words(spread[20_000:].tolist()))) < 20_000 / 8
