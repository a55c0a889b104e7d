"""Identifies messages that are equal for a recipient: canonical JSON, and the delivery hash over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

from notifyctl.message.line_ends import unify_line_ends
from notifyctl.model.message import Message

DELIVERY_PREFIX = "d1:"
"""The version of the algorithm. The algorithm behind `d1:` never changes."""


def canonical_json(value: Any) -> bytes:
    """Encodes JSON with sorted keys and no spaces, in UTF-8.

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
        return unify_line_ends(value) if "\r" in value else value
    if isinstance(value, Mapping):
        return {key: normalise_line_endings(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [normalise_line_endings(item) for item in value]
    return value


class DeliveryHash:
    """What all recipients of a message share of the hash over everything that a recipient can notice.

    The hash is SHA-256 of the message in canonical JSON (with the names of its values) XOR SHA-256 of the
    recipient's values as a canonical JSON list. The message part is here; `recipients.hashes` adds that of
    the values. Finding two different texts with the same hash takes about 2**85 steps (Wagner 2002, four lists).
    """

    def __init__(self, message: Message) -> None:
        self._shared = shared_fields(message)
        # `names` is sorted, as canonical JSON sorts them.
        self.keys = [encode_basestring(name) + ":" for name in message.names]
        self.message = int.from_bytes(
            sha256(canonical_json({**self._shared, "names": message.names})).digest()
        )
        """The part that all recipients share."""

    @cached_property
    def legacy_prefixes(self) -> list[bytes]:
        """What earlier versions hashed before the object of values, latest version first."""
        content = canonical_json(self._shared)
        digest = f'{{"of":"{sha256(content).hexdigest()}"'.encode()
        return [digest + b',"values":', content[:-1] + b',"values":']

    @cached_property
    def legacy_states(self) -> list[Any]:
        """SHA-256 states after each of the legacy prefixes, to be copied and continued with the values."""
        return [sha256(prefix) for prefix in self.legacy_prefixes]


def encode_value(value: str | None) -> str:
    return "null" if value is None else encode_basestring(normalise_line_endings(value))


UNNOTICED = frozenset({"tag1", "tag2"})
"""Options for the provider's reports only, which recipients cannot notice."""


def shared_fields(message: Message) -> dict[str, Any]:
    """What the hash covers. A field that earlier versions lacked is left out where it is not set, so that their hashes stay."""
    fields: dict[str, Any] = {
        "bcc": message.bcc or (),
        "cc": message.cc or (),
        "channel": message.channel.value,
        "content": message.content,
        "from": message.sender,
        "options": {key: value for key, value in message.options.items() if key not in UNNOTICED},
        "smartlinks": message.smartlinks,
        "template": message.template_id,
    }
    if message.template_subject is not None:
        fields["templateSubject"] = message.template_subject
    return fields


def content_hash(message: Message) -> str:
    """Returns `d1:` and 64 hex digits over the message without the recipients' values."""
    document = {**shared_fields(message), "values": dict.fromkeys(message.names)}
    return DELIVERY_PREFIX + sha256(canonical_json(document)).hexdigest()


def texts_hash(messages: Mapping[str | None, Message]) -> str:
    """Returns `d1:` and 64 hex digits over the texts and shared values of all variants, to be acknowledged in the
    files.
    """
    state = sha256()
    for variant in sorted(messages, key=lambda name: name or ""):
        message = messages[variant]
        state.update(f"{variant or ''}\0{content_hash(message)}\0".encode() + canonical_json(message.shared))
    return DELIVERY_PREFIX + state.hexdigest()
