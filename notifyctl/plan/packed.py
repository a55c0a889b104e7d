"""Ids and hashes as the columnar engine holds them: 16 bytes are one value of type UUID, which is compared as a number, lies
beside its neighbours, and becomes bytes or two numbers for next to nothing. A BLOB does none of that.

A delivery hash is two of them, `hash` and `rest`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from notifyctl.audience.roster import Identity
from notifyctl.engine import Engine
from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES
from notifyctl.plan.part import Identify
from notifyctl.prefetch import Prefetcher

__all__ = [
    "DELIVERY_HASH",
    "HALVES",
    "MEMBER",
    "added",
    "fingerprint_of",
    "halved",
    "halves",
    "halves_of_unit",
    "high",
    "identity_of",
    "in_order",
    "low",
    "members_of",
    "packed_halves",
    "sorted_entries",
]

DELIVERY_HASH = "hash::BLOB || rest::BLOB"
"""Of a unit, 32 bytes."""
MEMBER = f"id::BLOB || (hash::BLOB)[1:{FINGERPRINT_BYTES}]"
"""A unit as a ledger keeps it."""
HALVES = {"hi": "u8", "lo": "u8", "f1": "u8", "f2": "u4"}
"""The same as numbers: the halves of the id, the parts of the fingerprint. In a ledger they lie one after the other, the highest
byte first.
"""
SORTED_AT_ONCE = 1 << 20
"""Entries of the digest that are held at once, more or less."""
PIECE = 1 << 14
"""Entries that become bytes together: few enough to stay near the processor."""


def identity_of(identify: Identify) -> Identity | None:
    """The same in SQL; None for a function that is not known there."""
    by_sql: Callable[[str], str] | None = getattr(identify, "sql", None)
    return None if by_sql is None else lambda address: f"unhex(left({by_sql(address)}, {2 * ID_BYTES}))::UUID"


def halved(blob: str) -> str:
    """The two columns of a delivery hash, of 32 bytes."""
    first, second = halves(blob)
    return f"{first} AS hash, {second} AS rest"


def halves(blob: str) -> tuple[str, str]:
    return f"({blob})[1:16]::UUID", f"({blob})[17:32]::UUID"


def added(value: str, number: str) -> str:
    """Bit by bit (exclusive or)."""
    return f"xor(({value})::UHUGEINT, ({number})::UHUGEINT)::UUID"


def high(value: str) -> str:
    """The first 8 bytes of 16, as a number."""
    return f"({value}::UHUGEINT >> 64)::UBIGINT"


def low(value: str) -> str:
    """The last 8 bytes of 16, as a number."""
    return f"({value}::UHUGEINT & {(1 << 64) - 1})::UBIGINT"


def halves_of_unit() -> dict[str, str]:
    """HALVES of a unit, as expressions."""
    f1, f2 = fingerprint_of("hash")
    return {"hi": high("id"), "lo": low("id"), "f1": f1, "f2": f2}


def fingerprint_of(half: str) -> tuple[str, str]:
    """The fingerprint in the first half of a delivery hash, as `f1` and `f2`."""
    return high(half), f"({low(half)} >> 32)::UINTEGER"


def packed_halves() -> list[tuple[str, str]]:
    """HALVES as a type of NumPy, as they lie in a ledger."""
    return [(name, f">{kind}") for name, kind in HALVES.items()]


def members_of(halves: Mapping[str, Any]) -> bytes:
    """Columns of HALVES, packed as in a ledger."""
    import numpy as np

    packed = np.empty(len(halves["hi"]), packed_halves())
    for name in HALVES:
        packed[name] = halves[name]
    return packed.tobytes()


def sorted_entries(
    engine: Engine, test: str, count: int, *, at_once: int = SORTED_AT_ONCE
) -> Iterator[bytes]:
    """What the digest takes of the units for which the test holds, about `count` of them: id and delivery hash, in the order of
    the ids, in pieces of whole entries. Ids are spread evenly, so one range of them after the other is fetched and sorted.
    """
    numbers = ", ".join(half(value) for value in ("id", "hash", "rest") for half in (high, low))
    parts = count // at_once + 1
    bounds = [(part << 64) // parts for part in range(1, parts)]

    def ranges() -> Iterator[list[Any]]:
        for lower, upper in zip([None, *bounds], [*bounds, None], strict=True):
            within = [f"{high('id')} >= {lower}"] if lower is not None else []
            within += [f"{high('id')} < {upper}"] if upper is not None else []
            tests = " AND ".join([test, *within])
            yield [*engine.arrays(f"SELECT {numbers} FROM units WHERE {tests}").values()]

    for columns in Prefetcher(ranges()):
        yield from in_order(columns)


def in_order(numbers: list[Any]) -> Iterator[bytes]:
    """Rows of numbers of 8 bytes, sorted by the first two of them, packed."""
    import numpy as np

    order = np.argsort(numbers[0])
    first = numbers[0][order]
    if (first[1:] == first[:-1]).any():
        order = np.lexsort((numbers[1], numbers[0]))
    for start in range(0, len(order), PIECE):
        places = order[start : start + PIECE]
        piece = np.empty((len(places), len(numbers)), ">u8")
        for at, values in enumerate(numbers):
            piece[:, at] = values[places]
        yield piece.tobytes()
