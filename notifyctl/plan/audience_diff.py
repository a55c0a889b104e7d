"""Who joined and left an audience between two versions, and for whom what they would be sent differs, by ids and hashes. Pure.

A delivery hash is the hash of a message XOR the hash of a recipient's values. So whether somebody's values or variant changed
shows even where the message did: then the XOR of both hashes is not that of two versions of one variant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from notifyctl.message import DeliveryHash
from notifyctl.model.message import Message
from notifyctl.model.recipients import ID_BYTES
from notifyctl.plan.digest import ENTRY_BYTES, HASH_BYTES, due_key

ENTRY = np.dtype([("id", f"S{ID_BYTES}"), ("hash", f"({HASH_BYTES},)u1")])
Messages = Mapping[str | None, Message]


class AudienceDifference(Struct, frozen=True):
    """Counts of recipients. `revalued`: sent another text because of their own values or variant. `rezoned`: due at another time."""

    joined: int = 0
    left: int = 0
    revalued: int = 0
    rezoned: int = 0


def compare_audiences(
    before: Mapping[str, bytes], after: Mapping[str, bytes], old: Messages, new: Messages
) -> AudienceDifference:
    """`before`, `after`: what recipients share, such as when they are due → packed entries of the digest."""
    groups = {name: number for number, name in enumerate(sorted(map(due_key, {*before, *after})))}
    (one, one_groups), (other, other_groups) = unpack(before, groups), unpack(after, groups)
    common, at, there = np.intersect1d(one["id"], other["id"], return_indices=True)
    apart = one["hash"][at] ^ other["hash"][there]
    same = np.zeros(len(common), bool)
    for variant in old.keys() & new.keys():
        same |= (apart == (hash_of(old[variant]) ^ hash_of(new[variant]))).all(axis=1)
    return AudienceDifference(
        joined=len(other) - len(common),
        left=len(one) - len(common),
        revalued=int((~same).sum()),
        rezoned=int((one_groups[at] != other_groups[there]).sum()),
    )


def unpack(people: Mapping[str, bytes], groups: Mapping[str, int]) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """Each recipient's entry once, and the number of its group, by id."""
    entries = np.frombuffer(b"".join(people.values()), ENTRY)
    numbers = np.repeat(
        np.array([groups[due_key(name)] for name in people], np.intp),
        [len(packed) // ENTRY_BYTES for packed in people.values()],
    )
    _, first = np.unique(entries["id"], return_index=True)
    return entries[first], numbers[first]


def hash_of(message: Message) -> NDArray[np.uint8]:
    return np.frombuffer(DeliveryHash(message).message.to_bytes(HASH_BYTES), np.uint8)
