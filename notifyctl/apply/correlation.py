"""Names for what is sent, by which a receipt finds its batch and person: correlation ids and callback data. Pure.

A correlation id of ours carries the batch's number, the position in it and a tag, so that nobody without the seal in the
ledger can invent one. It holds nothing about the person. New ids have the form `n2`: the tags of a whole batch come from one
call of an extendable hash. Ids of the form `n1`, a MAC for each, stand in older ledgers and in receipts that are on their way.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import shake_128

from notifyctl.channels.limits import MAX_DESTINATIONS

SEAL_BYTES = 16
NUMBER_BYTES, TAG_BYTES = 6, 8

PREFIX_1, INDEX_BYTES_1 = "n1", 3
FORM_1 = re.compile(rf"{PREFIX_1}[A-Za-z0-9_-]{{23}}", re.ASCII)

PREFIX_2, INDEX_BYTES_2 = "n2", 2
MARK_2 = urlsafe_b64decode(f"{PREFIX_2}A=")
"""Two bytes that make Base64 begin with the prefix, so that all ids of a batch are encoded at once."""
PACKED_2 = len(MARK_2) + NUMBER_BYTES + INDEX_BYTES_2 + TAG_BYTES
"""A multiple of three: every id is whole characters, and each has one spelling only."""
CHARACTERS_2 = PACKED_2 * 4 // 3
PLACES_2 = [slice(at * CHARACTERS_2, (at + 1) * CHARACTERS_2) for at in range(MAX_DESTINATIONS)]
"""Where each id of a batch stands among all of them."""
FIRST_BYTES = bytes([position >> 8 for position in range(MAX_DESTINATIONS)])
"""Of each position, and the second ones."""
SECOND_BYTES = bytes([position & 0xFF for position in range(MAX_DESTINATIONS)])
FORM_2 = re.compile(rf"{PREFIX_2}[A-Za-z0-9_-]{{{CHARACTERS_2 - len(PREFIX_2)}}}", re.ASCII)


def seal(secret: bytes, *, ledger: str, number: int, material: bytes) -> bytes:
    """The key, SEAL_BYTES long, of a batch's correlation ids. `material` is what is in the batch. Nothing else goes in,
    so that a dry run before the ledger exists gives the ids of the first apply; `secret` may be empty.
    """
    sealed = f"seal\0{ledger}\0{number}\0".encode() + material
    return hmac.digest(secret, sealed, "sha256")[:SEAL_BYTES]


def correlation_ids(number: int, positions: Sequence[int], seal: bytes) -> list[str]:
    """For each position (below MAX_DESTINATIONS, ascending) 24 characters that are safe in a URL (rule 19: at most 50
    bytes). A thousand take a sixth of a millisecond; a MAC for each would take seven.
    """
    if not positions:
        return []
    size, count, most = TAG_BYTES, len(positions), positions[-1] + 1
    tags = tags_of(number, most, seal)
    if count == most <= len(FIRST_BYTES):
        first_bytes, second_bytes = FIRST_BYTES[:count], SECOND_BYTES[:count]
    else:
        tags = b"".join([tags[position * size : position * size + size] for position in positions])
        first_bytes = bytes([position >> 8 for position in positions])
        second_bytes = bytes([position & 0xFF for position in positions])
    # Byte by byte of all ids at once: a column of the table that is then encoded as one.
    packed = bytearray((MARK_2 + number.to_bytes(NUMBER_BYTES) + bytes(INDEX_BYTES_2 + size)) * count)
    place = len(MARK_2) + NUMBER_BYTES
    packed[place::PACKED_2], packed[place + 1 :: PACKED_2] = first_bytes, second_bytes
    for at in range(size):
        packed[place + INDEX_BYTES_2 + at :: PACKED_2] = tags[at::size]
    text = urlsafe_b64encode(packed).decode()
    return list(map(text.__getitem__, PLACES_2[:count]))


def tags_of(number: int, count: int, seal: bytes) -> bytes:
    """The tags of the first `count` positions. What one tag is does not depend on how many are asked for."""
    return shake_128(seal + PREFIX_2.encode() + number.to_bytes(NUMBER_BYTES)).digest(TAG_BYTES * count)


def parse_correlation_id(text: str) -> tuple[int, int, bytes] | None:
    """Batch number, position and tag; `None` for what is no correlation id of ours."""
    if FORM_2.fullmatch(text):
        raw = urlsafe_b64decode(text)
        place, index_bytes = raw.removeprefix(MARK_2), INDEX_BYTES_2
        known = len(place) == len(raw) - len(MARK_2)
    elif FORM_1.fullmatch(text):
        packed = text.removeprefix(PREFIX_1)
        raw = place = urlsafe_b64decode(f"{packed}=")
        # The last character has spare bits: another spelling of the same bytes is not ours.
        known, index_bytes = urlsafe_b64encode(raw).decode() == f"{packed}=", INDEX_BYTES_1
    else:
        return None
    number, index, tag = place[:NUMBER_BYTES], place[NUMBER_BYTES:-TAG_BYTES], place[-TAG_BYTES:]
    assert not known or len(index) == index_bytes
    return (int.from_bytes(number), int.from_bytes(index), tag) if known else None


def verify(text: str, seal: bytes) -> bool:
    """Whether `text` was made with this seal. Takes the same time for every wrong tag."""
    parsed = parse_correlation_id(text)
    if parsed is None:
        return False
    number, index, tag = parsed
    if text.startswith(PREFIX_1):
        return hmac.compare_digest(tag, tag_1(number, index, seal))
    # Whoever invents an id must not make us work out more tags than a batch can have.
    return index < MAX_DESTINATIONS and hmac.compare_digest(
        tag, tags_of(number, index + 1, seal)[-TAG_BYTES:]
    )


def tag_1(number: int, index: int, seal: bytes) -> bytes:
    place = number.to_bytes(NUMBER_BYTES) + index.to_bytes(INDEX_BYTES_1)
    return hmac.digest(seal, PREFIX_1.encode() + place, "sha256")[:TAG_BYTES]


def callback_data(ledger: str, number: int, attempt: int) -> str:
    """What names one attempt where the author asks for no callback data of their own. `ledger`: project/environment."""
    return f"notifyctl:{ledger}:{number}:{attempt}"
