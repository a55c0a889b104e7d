"""What makes two messages the same to a recipient: canonical JSON, and the delivery hash over it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from notifyctl.model.message import Message

DELIVERY_PREFIX = "d1:"
"""Names the algorithm. What `d1:` hashes never changes."""


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8.

    Line endings become LF. Nothing else is normalised: another form of the same letter may change the SMS encoding.
    Raises ValueError for NaN and infinities.
    """
    return json.dumps(
        normalise_line_endings(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode()


def normalise_line_endings(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if isinstance(value, Mapping):
        return {key: normalise_line_endings(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [normalise_line_endings(item) for item in value]
    return value


class DeliveryHash:
    """All that a recipient can notice: SHA-256 over the message in canonical JSON (with the names of its values), and SHA-256 over
    the list of the reader's values in canonical JSON, added bit by bit (exclusive or).

    So the message is hashed once and not for each reader, whose few values mostly fit into one block: a plan does this for
    millions of people. Two texts with one hash are no easier to find than in some 2**85 steps (Wagner 2002, four lists).
    """

    def __init__(self, message: Message) -> None:
        self._shared = shared_fields(message)
        # `names` is sorted, as canonical JSON sorts them.
        self.keys = [encode_basestring(name) + ":" for name in message.names]
        self.message = int.from_bytes(
            sha256(canonical_json({**self._shared, "names": message.names})).digest()
        )
        """What is the same for all readers."""

    @cached_property
    def legacy_prefixes(self) -> list[bytes]:
        """What earlier versions hashed before an object of the values, the latest first. Wanted only where a text may have changed."""
        whole = canonical_json(self._shared)
        of = f'{{"of":"{sha256(whole).hexdigest()}"'.encode()
        return [of + b',"values":', whole[:-1] + b',"values":']

    @cached_property
    def legacy_states(self) -> list[Any]:
        """SHA-256 states after each of the heads, to be copied and continued with the values."""
        return [sha256(head) for head in self.legacy_prefixes]

    def digest(self, values: Sequence[str | None]) -> bytes:
        """32 bytes; `values` in the order of the message's names, `None` where nothing gives one."""
        listed = f"[{','.join(map(encode_value, values))}]"
        return (self.message ^ int.from_bytes(sha256(listed.encode()).digest())).to_bytes(32)

    def legacy_digests(self, values: Sequence[str | None]) -> Iterator[bytes]:
        """The same as earlier versions made it, the latest first: what their ledgers hold."""
        inside = ",".join(key + encode_value(value) for key, value in zip(self.keys, values, strict=True))
        for former in self.legacy_states:
            state = former.copy()
            state.update(f"{{{inside}}}}}".encode())
            yield state.digest()


def encode_value(value: str | None) -> str:
    return "null" if value is None else encode_basestring(normalise_line_endings(value))


def shared_fields(message: Message) -> dict[str, Any]:
    return {
        "bcc": message.bcc or (),
        "cc": message.cc or (),
        "channel": message.channel.value,
        "content": message.content,
        "from": message.sender,
        "options": message.options,
        "smartlinks": message.smartlinks,
        "template": message.template_id,
    }


def content_hash(message: Message) -> str:
    """The message apart from what differs between its readers: `d1:` and 64 hex digits."""
    whole = {**shared_fields(message), "values": dict.fromkeys(message.names)}
    return DELIVERY_PREFIX + sha256(canonical_json(whole)).hexdigest()


def texts_hash(messages: Mapping[str | None, Message]) -> str:
    """`d1:` and 64 hexadecimal digits over the texts of all variants and the values that all share: what is acknowledged."""
    state = sha256()
    for variant in sorted(messages, key=lambda name: name or ""):
        message = messages[variant]
        state.update(f"{variant or ''}\0{content_hash(message)}\0".encode() + canonical_json(message.shared))
    return DELIVERY_PREFIX + state.hexdigest()
