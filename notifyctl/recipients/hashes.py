"""Recipient ids and delivery hashes of many recipients, packed: what a ledger and a plan's digest know people and texts by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from notifyctl.message import DeliveryHash
from notifyctl.message.delivery_hash import encode_value
from notifyctl.recipients.values import Column, ValueTable, join_values

HASH_BYTES = 32
"""Of a delivery hash."""

Identify = Callable[[Sequence[str]], Sequence[bytes]]
"""Normalised addresses → recipient ids (ID_BYTES each), in their order: the ledger's keyed hash."""


def encode_column(column: Column) -> list[str]:
    """Each value as canonical JSON."""
    if None in column or "\r" in join_values(column):
        return list(map(encode_value, column))
    return list(map(encode_basestring, column))  # type: ignore[arg-type]  # no None is in it


def encode_rows(values: ValueTable) -> list[str]:
    """The values of each recipient as a list in canonical JSON."""
    if not values.columns:
        return ["[]"] * values.count
    if is_plain(values.joined) and not any(None in column for column in values.columns):
        return [f'["{row}"]' for row in map('","'.join, zip(*values.columns, strict=True))]
    return [f"[{row}]" for row in map(",".join, zip(*map(encode_column, values.columns), strict=True))]


def is_plain(text: str) -> bool:
    """Whether JSON has every character as it is. May be false for others."""
    return text.isprintable() and '"' not in text and "\\" not in text


def delivery_hashes(hasher: DeliveryHash, values: ValueTable) -> Any:
    """The delivery hash of each recipient as a numpy array of shape (count, 32). DeliveryHash says how it is made."""
    import numpy as np

    hashes = b"".join([sha256(row.encode()).digest() for row in encode_rows(values)])
    packed = np.frombuffer(hashes, np.uint8).reshape(values.count, HASH_BYTES)
    return packed ^ np.frombuffer(hasher.message.to_bytes(32), np.uint8)


def legacy_delivery_hashes(hasher: DeliveryHash, columns: Sequence[Column], count: int) -> list[list[bytes]]:
    """The delivery hash of each recipient as earlier versions made it: a list for each version, the latest first."""
    fields = [
        [key + value for value in encode_column(column)]
        for key, column in zip(hasher.keys, columns, strict=True)
    ]
    rows = list(map(",".join, zip(*fields, strict=True))) if fields else [""] * count
    values = [f"{{{row}}}}}".encode() for row in rows]
    return [[hash_from(state, value) for value in values] for state in hasher.legacy_states]


def hash_from(state: Any, ending: bytes) -> bytes:
    """SHA-256 of a text of which `state` has seen the beginning."""
    copy = state.copy()
    copy.update(ending)
    digest: bytes = copy.digest()
    return digest
