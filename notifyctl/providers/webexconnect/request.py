"""The body of a request, as the API page documents it. Pure; knows no credentials and no network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.json import encode

from notifyctl.model.batch import Batch, Destination
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ChannelName


def encode_body(batch: Batch) -> bytes:
    """The JSON of `body_of` in UTF-8."""
    body = body_of(batch)
    try:
        return encode(body)
    except (
        UnicodeEncodeError
    ):  # half a surrogate pair is no text, and goes out as the escape that JSON has for it
        return json.dumps(body, separators=(",", ":")).encode("ascii")


def body_of(batch: Batch) -> dict[str, Any]:
    """The JSON object for a batch, keys in the order of the API page. What nobody gave does not stand in it."""
    return dict(fields(batch.message, batch.envelope, batch.to))


def fields(message: Message, envelope: Envelope, to: Iterable[Destination]) -> Iterator[tuple[str, Any]]:
    yield "channel", message.channel.value
    yield "from", message.sender
    yield "to", [destination(entry, message.channel) for entry in to]
    if message.shared:
        yield "substitutions", dict(message.shared)
    if message.channel is ChannelName.EMAIL:
        yield from (
            (key, list(copies))
            for key, copies in (("cc", message.cc), ("bcc", message.bcc))
            if copies is not None
        )
    if message.smartlinks:
        yield "smartlinks", [dict(link) for link in message.smartlinks]
    yield from delivery(envelope)
    if message.options:
        yield "options", dict(message.options)
    yield from receipts(envelope)
    if message.template_id is not None:
        yield "template", {"id": message.template_id}
    else:
        yield "content", dict(message.content or {})


def destination(entry: Destination, channel: ChannelName) -> dict[str, Any]:
    """One object of `to` (rules 10 to 13)."""
    made: dict[str, Any] = {
        channel.address_field: list(entry.addresses),
        "correlationId": entry.correlation_id,
    }
    if entry.substitutions:
        made["substitutions"] = dict(entry.substitutions)
    return made


def delivery(envelope: Envelope) -> Iterator[tuple[str, Any]]:
    """When and how soon. `validity` is a number of seconds and `priority` a number, as documented (rules 22 and 44)."""
    if envelope.send_at is not None:
        yield "sendAt", timestamp(envelope.send_at)
    if envelope.expire_at is not None:
        yield "expireAt", timestamp(envelope.expire_at)
    elif envelope.validity is not None:  # never both (rule 45)
        yield "validity", envelope.validity
    if envelope.priority is not None:
        yield "priority", envelope.priority


def receipts(envelope: Envelope) -> Iterator[tuple[str, Any]]:
    """What comes back about the message, and where. The names of receipts stay as the author wrote them."""
    if envelope.callback_data is not None:
        yield "callbackData", envelope.callback_data
    if envelope.notify_url is not None:
        yield "notifyUrl", envelope.notify_url
    if envelope.requested_receipts:
        yield "requestedReceipts", list(envelope.requested_receipts)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, the form that every edition of the API page documents."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
