"""The identity of a ledger: its lineage, and the key that recipients are hashed with."""

from __future__ import annotations

import hmac

from msgspec import Struct

from notifyctl.model.ledger import Purpose

KEY_BYTES = 32

CHECK_TEXT = b"notifyctl recipient key, check value 1"


class FixedIdentity(Struct, frozen=True):
    """The known lineage and key of a ledger that protects nobody: the sandbox's. A plan made before such a ledger exists
    agrees with the apply that creates it. Every other ledger gets random ones.
    """

    lineage: str
    key: bytes


def key_check(key: bytes) -> bytes:
    """A value that tells whether a key is the right one, and from which the key cannot be found."""
    return hmac.digest(key, CHECK_TEXT, "sha256")


def derived_code(key: bytes, purpose: Purpose, data: bytes) -> bytes:
    """HMAC-SHA256 of data under a key of its own for each purpose, derived from the ledger's: one cannot stand for another."""
    derived = hmac.digest(key, f"notifyctl {purpose}".encode(), "sha256")
    return hmac.digest(derived, data, "sha256")
