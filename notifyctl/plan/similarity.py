"""How alike two texts are: a fingerprint of 64 bits (simhash, Charikar 2002) that a ledger keeps of each opened edition.

Texts with most of their letters in common have fingerprints that differ in few bits. Each bit sums up all words under the
ledger's key, so no word can be read back, not even by trying words, without it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from notifyctl.channels.channel import collect_texts
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.recipients.hashes import Identify

BITS = 64
NEARLY = 16
"""Most bits in which fingerprints of nearly equal texts differ. Unrelated texts of one language differ in 20 and more; one other
word in a text of six, in about 10.
"""
WORD = re.compile(r"\w+")
DOMAIN = "likeness\0"
"""Goes before each part, so that none is an address: the same key makes recipient ids."""


class NearlySent(Struct, frozen=True):
    """Recipients of an edition that is not started who were sent nearly its text before, or may have been.

    `name`, `edition`: of what they were sent, most recently at `last_sent`. `of`: all who would be sent to.
    """

    name: str
    edition: int
    recipients: int
    of: int
    last_sent: Annotated[datetime, Meta(tz=True)]


def fingerprints(messages: Mapping[str | None, Message], identify: Identify) -> tuple[int, ...]:
    """Of all variants, sorted, each once. `identify` is the ledger's keyed hash."""
    found = (fingerprint(list_words(message), identify) for message in messages.values())
    return tuple(sorted({each for each in found if each is not None}))


def fingerprint(words: Iterable[str], identify: Identify) -> int | None:
    """None without a word, as for a body that the provider holds."""
    # Parts of three letters rather than words: a mended typo changes few of them, also in a text of five words.
    parts = Counter(
        padded[at : at + 3] for word in words for padded in (f" {word} ",) for at in range(len(padded) - 2)
    )
    if not parts:
        return None
    hashes = identify([DOMAIN + part for part in parts])
    packed = np.frombuffer(b"".join([each[: BITS // 8] for each in hashes]), np.uint8)
    signs = np.unpackbits(packed.reshape(-1, BITS // 8), axis=1).astype(np.int64) * 2 - 1
    votes = np.array(list(parts.values()), np.int64) @ signs
    return int.from_bytes(np.packbits(votes > 0).tobytes())


def are_alike(some: Sequence[int], others: Sequence[int]) -> bool:
    """Whether any two of them are nearly equal."""
    return any((one ^ other).bit_count() <= NEARLY for one in some for other in others)


def list_words(message: Message) -> Iterator[str]:
    """The words of a composed text, with shared values filled in; of a recipient's own values the names."""
    for path, text in collect_texts(message.content or {}):
        if path[-1] == "type":  # a name of the API, in every text of the channel
            continue
        shown = PLACEHOLDER.sub(lambda found: message.shared.get(found[1], found[1]), text)
        pieces = visible_text(shown) if path[-1] == "html" else (shown,)
        for piece in pieces:
            yield from WORD.findall(piece.casefold())


def visible_text(html: str) -> Iterator[str]:
    """The text between tags, without style sheets and scripts. In time linear in the length, whatever the markup."""
    hidden = None
    for number, piece in enumerate(html.split("<")):
        tag, _, text = piece.partition(">") if number else ("", "", piece)
        name = tag.lstrip("/").partition(" ")[0].strip().casefold()
        if hidden is not None and (name != hidden or not tag.startswith("/")):
            continue
        hidden = name if name in {"style", "script"} and not tag.startswith("/") else None
        if hidden is None:
            yield text
