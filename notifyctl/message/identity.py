"""What makes two messages the same to their reader: canonical JSON and the delivery hash over it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from notifyctl.delivery import Message

DELIVERY_PREFIX = "d1:"
"""Names the algorithm: what is hashed under `d1:` never changes."""


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8. Line endings become LF; nothing else is normalised, because another form
    of the same letter may be another SMS encoding. Raises ValueError for NaN and infinities.
    """
    return json.dumps(
        unix_lines(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def unix_lines(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    if isinstance(value, Mapping):
        return {key: unix_lines(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unix_lines(item) for item in value]
    return value


class DeliveryHash:
    """SHA-256 over the canonical JSON `{"of": …, "values": {…}}`: all that a recipient can notice.

    `of` is the hash of what is the same for all readers of a message, so that a long text is hashed once and not for each.
    """

    def __init__(self, message: Message) -> None:
        # `names` is sorted, as canonical JSON sorts them.
        self.keys = [encode_basestring(name) + ":" for name in message.names]
        shared = canonical(shared_by_all(message))
        self.head = f'{{"of":"{sha256(shared).hexdigest()}","values":'
        """What stands before the values."""
        self._state = sha256(self.head.encode())
        self._former = sha256(shared[:-1] + b',"values":')

    def of(self, values: Sequence[str | None]) -> bytes:
        """32 bytes; `values` in the order of the message's names, `None` where nothing gives one."""
        state = self._state.copy()
        state.update(self._inside(values))
        return state.digest()

    def former(self, values: Sequence[str | None]) -> bytes:
        """The same as versions up to 0.3 made it, over one flat document: what their ledgers hold."""
        state = self._former.copy()
        state.update(self._inside(values))
        return state.digest()

    def _inside(self, values: Sequence[str | None]) -> bytes:
        pairs = zip(self.keys, values, strict=True)
        inside = ",".join(
            key + ("null" if v is None else encode_basestring(unix_lines(v))) for key, v in pairs
        )
        return f"{{{inside}}}}}".encode()


def shared_by_all(message: Message) -> dict[str, Any]:
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
    return DELIVERY_PREFIX + DeliveryHash(message).former([None] * len(message.names)).hex()


def texts_hash(messages: Mapping[str | None, Message]) -> str:
    """`d1:` and 64 hexadecimal digits over the texts of all variants and the values that all share: what is acknowledged."""
    state = sha256()
    for variant in sorted(messages, key=lambda name: name or ""):
        message = messages[variant]
        state.update(f"{variant or ''}\0{content_hash(message)}\0".encode() + canonical(message.shared))
    return DELIVERY_PREFIX + state.hexdigest()
