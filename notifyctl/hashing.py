"""Addresses as keyed hashes: what a ledger and a hashed list have in place of them."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from notifyctl.model.recipients import ID_BYTES


class RecipientHasher:
    """Normalised addresses → recipient ids, in their order: HMAC-SHA256 of the UTF-8 bytes, first ID_BYTES."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, addresses: Sequence[str]) -> list[bytes]:
        key, digest = self._key, hmac.digest
        return [digest(key, address.encode(), "sha256")[:ID_BYTES] for address in addresses]


def recipient_hasher(key: bytes) -> RecipientHasher:
    return RecipientHasher(key)
