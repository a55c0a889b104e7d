"""Correlation ids that are ours: opaque, authenticated, and pointing at a batch and a place in it, so that a receipt finds
its people without a search. The same batch always gets the same ids: a dry run prints what apply posts.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

PREFIX = "n1"
NUMBER_BYTES, INDEX_BYTES, TAG_BYTES = 6, 3, 8
SEAL_BYTES = 16


def seal(secret: bytes, *, ledger: str, number: int, material: bytes) -> bytes:
    """What the ids of a batch are authenticated with; `material` is what the batch sends to whom.

    `secret` is the key that is kept outside the ledger, or empty: then whoever knows every address and text of a batch
    can compute its seal, and nobody else.
    """
    text = f"{PREFIX}\0{ledger}\0{number}\0".encode() + sha256(material).digest()
    return hmac.digest(secret, text, sha256)[:SEAL_BYTES]


def correlation_id(number: int, index: int, seal: bytes) -> str:
    """25 characters that are safe in a URL; the API's older version takes 50 bytes (rule 19)."""
    place = number.to_bytes(NUMBER_BYTES, "big") + index.to_bytes(INDEX_BYTES, "big")
    return PREFIX + base64.urlsafe_b64encode(place + tag(place, seal)).decode().rstrip("=")


def tag(place: bytes, seal: bytes) -> bytes:
    return hmac.digest(seal, place, sha256)[:TAG_BYTES]


def place_of(text: str) -> tuple[int, int] | None:
    """The batch number and index that an id claims; None for one that is not ours. Claimed is not proven: `verify`."""
    raw = decoded(text)
    if raw is None:
        return None
    return int.from_bytes(raw[:NUMBER_BYTES], "big"), int.from_bytes(raw[NUMBER_BYTES:-TAG_BYTES], "big")


def verify(text: str, seal: bytes) -> bool:
    """Whether an id was made with this seal. Constant time."""
    raw = decoded(text)
    return raw is not None and hmac.compare_digest(raw[-TAG_BYTES:], tag(raw[:-TAG_BYTES], seal))


def decoded(text: str) -> bytes | None:
    if not text.startswith(PREFIX) or not text.isascii():
        return None
    body = text.removeprefix(PREFIX)
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    # The last character of Base64 has bits that decoding ignores: only one spelling of an id is the id.
    same = base64.urlsafe_b64encode(raw).decode().rstrip("=") == body
    return raw if same and len(raw) == NUMBER_BYTES + INDEX_BYTES + TAG_BYTES else None


def callback_data(ledger: str, number: int, attempt: int) -> str:
    """Names ledger, batch and attempt, for receipts that come without our correlation id."""
    return f"notifyctl:{ledger}:{number}:{attempt}"
