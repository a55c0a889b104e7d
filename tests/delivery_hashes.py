"""The delivery hashes of a single recipient, by the functions that hash whole columns."""

from __future__ import annotations

from collections.abc import Sequence

from notifyctl.message import DeliveryHash
from notifyctl.recipients.hashes import delivery_hashes, legacy_delivery_hashes
from notifyctl.recipients.values import ValueTable


def delivery_hash(hasher: DeliveryHash, values: Sequence[str | None]) -> bytes:
    """`values`: in the order of the message's names."""
    packed: bytes = delivery_hashes(hasher, ValueTable([[value] for value in values], 1))[0].tobytes()
    return packed


def legacy_hashes(hasher: DeliveryHash, values: Sequence[str | None]) -> list[bytes]:
    """As earlier versions made them, the latest first."""
    return [single for [single] in legacy_delivery_hashes(hasher, [[value] for value in values], 1)]
