"""Correlation ids and callback data, which match a receipt with its batch and recipient. Pure.

A correlation id has the batch number, the position in the batch and a tag that authenticates it with the seal in the
ledger. It has no data about the recipient. New ids have the form `n2`: the tags of a batch come from one call of an
extendable hash. Older ledgers and late receipts have ids of the form `n1`, with a MAC each.
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
"""Two bytes that Base64 encodes to the prefix, so that one call encodes all ids of a batch."""
PACKED_2 = len(MARK_2) + NUMBER_BYTES + INDEX_BYTES_2 + TAG_BYTES
"""Bytes per id: a multiple of three, so that Base64 needs no padding and each id has one spelling."""
CHARACTERS_2 = PACKED_2 * 4 // 3
PLACES_2 = [slice(at * CHARACTERS_2, (at + 1) * CHARACTERS_2) for at in range(MAX_DESTINATIONS)]
"""The slice of each id in the encoded batch."""
FIRST_BYTES = bytes([position >> 8 for position in range(MAX_DESTINATIONS)])
"""The high byte of each position; SECOND_BYTES has the low bytes."""
SECOND_BYTES = bytes([position & 0xFF for position in range(MAX_DESTINATIONS)])
FORM_2 = re.compile(rf"{PREFIX_2}[A-Za-z0-9_-]{{{CHARACTERS_2 - len(PREFIX_2)}}}", re.ASCII)


def seal(secret: bytes, *, ledger: str, number: int, material: bytes) -> bytes:
    """Derives the key (SEAL_BYTES) of a batch's correlation ids. `material` is the batch's content; `secret` can be empty.

    Depends on nothing else, so that a dry run without a ledger has the same ids as the first apply.
    """
    sealed = f"seal\0{ledger}\0{number}\0".encode() + material
    return hmac.digest(secret, sealed, "sha256")[:SEAL_BYTES]


def correlation_ids(number: int, positions: Sequence[int], seal: bytes) -> list[str]:
    """Returns one id per position (ascending, below MAX_DESTINATIONS): 24 URL-safe characters (rule 19: at most 50 bytes)."""
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
    # Fills one byte of all ids per assignment, then encodes them in one call.
    packed = bytearray((MARK_2 + number.to_bytes(NUMBER_BYTES) + bytes(INDEX_BYTES_2 + size)) * count)
    place = len(MARK_2) + NUMBER_BYTES
    packed[place::PACKED_2], packed[place + 1 :: PACKED_2] = first_bytes, second_bytes
    for at in range(size):
        packed[place + INDEX_BYTES_2 + at :: PACKED_2] = tags[at::size]
    text = urlsafe_b64encode(packed).decode()
    return list(map(text.__getitem__, PLACES_2[:count]))


def tags_of(number: int, count: int, seal: bytes) -> bytes:
    """Returns the tags of the first `count` positions. A tag does not depend on `count`."""
    return shake_128(seal + PREFIX_2.encode() + number.to_bytes(NUMBER_BYTES)).digest(TAG_BYTES * count)


def parse_correlation_id(text: str) -> tuple[int, int, bytes] | None:
    """Returns batch number, position and tag; `None` if notifyctl did not make the id."""
    if FORM_2.fullmatch(text):
        raw = urlsafe_b64decode(text)
        place, index_bytes = raw.removeprefix(MARK_2), INDEX_BYTES_2
        is_ours = len(place) == len(raw) - len(MARK_2)
    elif FORM_1.fullmatch(text):
        packed = text.removeprefix(PREFIX_1)
        raw = place = urlsafe_b64decode(f"{packed}=")
        # The last character has unused bits: reject other spellings of the same bytes.
        is_ours, index_bytes = urlsafe_b64encode(raw).decode() == f"{packed}=", INDEX_BYTES_1
    else:
        return None
    number, index, tag = place[:NUMBER_BYTES], place[NUMBER_BYTES:-TAG_BYTES], place[-TAG_BYTES:]
    assert not is_ours or len(index) == index_bytes
    return (int.from_bytes(number), int.from_bytes(index), tag) if is_ours else None


def verify(text: str, seal: bytes) -> bool:
    """Whether `text` was made with this seal, compared in constant time."""
    parsed = parse_correlation_id(text)
    if parsed is None:
        return False
    number, index, tag = parsed
    if text.startswith(PREFIX_1):
        return hmac.compare_digest(tag, tag_1(number, index, seal))
    # Bounds the work for a forged id by the tags of one batch.
    return index < MAX_DESTINATIONS and hmac.compare_digest(
        tag, tags_of(number, index + 1, seal)[-TAG_BYTES:]
    )


def tag_1(number: int, index: int, seal: bytes) -> bytes:
    place = number.to_bytes(NUMBER_BYTES) + index.to_bytes(INDEX_BYTES_1)
    return hmac.digest(seal, PREFIX_1.encode() + place, "sha256")[:TAG_BYTES]


TEST_CORRELATION, TEST_CALLBACK = "notifyctl-test-", "notifyctl-test:"
"""How the ids of test messages begin. No receipt with them is ever matched with a recipient."""


def test_ids(number: int, *, ledger: str, secret: bytes, material: bytes) -> tuple[str, str]:
    """The correlation id (at most 50 bytes) and callback data of a test message. `material` is its content."""
    tag = seal(secret, ledger=f"test\0{ledger}", number=number, material=material)[:TAG_BYTES].hex()
    return f"{TEST_CORRELATION}{number}-{tag}", f"{TEST_CALLBACK}{ledger}:{number}"


def is_of_test(correlation_id: str | None, callback: str | None) -> bool:
    """Whether a receipt is about a test message, by either of its ids."""
    return (correlation_id or "").startswith(TEST_CORRELATION) or (callback or "").startswith(TEST_CALLBACK)


CALLBACK = "notifyctl:"
BATCH_AND_ATTEMPT = re.compile(r"([0-9]{1,15}):[^:]*", re.ASCII)


def callback_data(ledger: str, number: int, attempt: int) -> str:
    """Default callback data, which identifies one attempt. `ledger`: project/environment."""
    return f"{CALLBACK}{ledger}:{number}:{attempt}"


def batch_in_callback(text: str | None, ledger: str) -> int | None:
    """The batch that callback data of this ledger names; `None` for any other."""
    ours = f"{CALLBACK}{ledger}:"
    named = BATCH_AND_ATTEMPT.fullmatch(text[len(ours) :]) if text and text.startswith(ours) else None
    return int(named[1]) if named else None


def is_of_another_ledger(correlation_id: str | None, callback: str | None, ledger: str) -> bool:
    """Whether names of our form, but not known to this ledger, say that a receipt is forged or for another ledger."""
    named = callback or ""
    return parse_correlation_id(correlation_id or "") is not None or (
        named.startswith(CALLBACK) and not named.startswith(f"{CALLBACK}{ledger}:")
    )


def message_ids(transaction: str | None) -> list[str]:
    """The ids of the response that a receipt's transaction may stand for: with a suffix from the second destination on (X, X_1, X_2)."""
    text = transaction or ""
    return [each for each in dict.fromkeys([text, text.rpartition("_")[0]]) if each]
