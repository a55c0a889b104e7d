"""Names for what is sent, by which a receipt finds its batch and person: correlation ids and callback data. Pure.

A correlation id of ours carries the batch's number, the position in it and a tag, so that nobody without the seal in the
ledger can invent one. It holds nothing about the person.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode

SEAL_BYTES = 16
PREFIX = "n1"
"""Names the form, so that a later one can be told apart."""
NUMBER_BYTES, INDEX_BYTES, TAG_BYTES = 6, 3, 8
PACKED_BYTES = NUMBER_BYTES + INDEX_BYTES + TAG_BYTES
PACKED_CHARACTERS = -(-PACKED_BYTES * 4 // 3)  # base64 without padding


def seal(secret: bytes, *, ledger: str, number: int, material: bytes) -> bytes:
    """The key, SEAL_BYTES long, of a batch's correlation ids. `material` is what is in the batch. Nothing else goes in,
    so that a dry run before the ledger exists gives the ids of the first apply; `secret` may be empty.
    """
    return hmac.digest(secret, f"seal\0{ledger}\0{number}\0".encode() + material, "sha256")[:SEAL_BYTES]


def correlation_id(number: int, index: int, seal: bytes) -> str:
    """25 characters that are safe in a URL: a batch's number and the position in it (rule 19: at most 50 bytes)."""
    place = number.to_bytes(NUMBER_BYTES) + index.to_bytes(INDEX_BYTES)
    return PREFIX + urlsafe_b64encode(place + tag_of(place, seal)).decode().rstrip("=")


def tag_of(place: bytes, seal: bytes) -> bytes:
    return hmac.digest(seal, PREFIX.encode() + place, "sha256")[:TAG_BYTES]


def parse_correlation_id(text: str) -> tuple[int, int, bytes] | None:
    """Batch number, position and tag; `None` for what is no correlation id of ours."""
    packed = text.removeprefix(PREFIX)
    if packed == text or len(packed) != PACKED_CHARACTERS or not packed.isascii():
        return None
    try:
        raw = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    except ValueError:
        return None
    # The last character has spare bits: another spelling of the same bytes is not ours.
    if urlsafe_b64encode(raw).decode().rstrip("=") != packed:
        return None
    place, tag = raw[:-TAG_BYTES], raw[-TAG_BYTES:]
    return int.from_bytes(place[:NUMBER_BYTES]), int.from_bytes(place[NUMBER_BYTES:]), tag


def verify(text: str, seal: bytes) -> bool:
    """Whether `text` was made with this seal. Takes the same time for every wrong tag."""
    parsed = parse_correlation_id(text)
    if parsed is None:
        return False
    number, index, tag = parsed
    place = number.to_bytes(NUMBER_BYTES) + index.to_bytes(INDEX_BYTES)
    return hmac.compare_digest(tag, tag_of(place, seal))


def callback_data(ledger: str, number: int, attempt: int) -> str:
    """What names one attempt where the author asks for no callback data of their own. `ledger`: project/environment."""
    return f"notifyctl:{ledger}:{number}:{attempt}"
