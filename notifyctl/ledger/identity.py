"""Who a ledger is and whom it means: its lineage, and its key. No database here."""

from __future__ import annotations

import hmac

from msgspec import Struct

KEY_BYTES = 32

CHECK_TEXT = b"notifyctl recipient key, check value 1"


class FixedIdentity(Struct, frozen=True):
    """A ledger that protects nobody (the sandbox's) is made with a known lineage and key, so that what is planned before
    it exists agrees with what is applied after. Every other ledger is made with random ones.
    """

    lineage: str
    key: bytes


def key_check(key: bytes) -> bytes:
    """What a ledger keeps of a key that is held outside: enough to notice another one, useless for finding it."""
    return hmac.digest(key, CHECK_TEXT, "sha256")
