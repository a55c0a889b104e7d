"""The body of a request, as the API page documents it. Pure; knows no credentials and no network."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from msgspec.json import encode

from notifyctl.config.fields import OLDER
from notifyctl.model.batch import Batch, Destination
from notifyctl.model.message import Envelope, Message
from notifyctl.model.project import ApiObject, ChannelName

SPELLED = {"mimeType": "mimetype"}
"""Key of an attachment → as the documentation of profile 6.20 spells it."""


def encode_body(batch: Batch, *, profile: str = OLDER) -> bytes:
    """The JSON of `body_of` in UTF-8."""
    body = body_of(batch, profile=profile)
    try:
        return encode(body)
    except (
        UnicodeEncodeError
    ):  # half a surrogate pair is no text, and goes out as the escape that JSON has for it
        return json.dumps(body, separators=(",", ":")).encode("ascii")


def body_of(batch: Batch, *, profile: str = OLDER) -> dict[str, Any]:
    """The JSON object for a batch, keys in the order of the API page. What nobody gave does not stand in it.

    `profile`: whose documentation's spelling and types it has.
    """
    return dict(fields(batch.message, batch.envelope, batch.to, profile=profile))


def fields(
    message: Message, envelope: Envelope, to: Iterable[Destination], *, profile: str
) -> Iterator[tuple[str, Any]]:
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
    if envelope.multiple_to_recipients is not None:
        yield "multipleToRecipients", envelope.multiple_to_recipients
    if message.smartlinks:
        yield "smartlinks", [dict(link) for link in message.smartlinks]
    yield from delivery(envelope, profile=profile)
    if message.options:
        yield "options", dict(message.options)
    yield from receipts(envelope)
    if envelope.contact_policy is not None:
        yield "contactPolicy", dict(envelope.contact_policy)
    if message.template_id is not None:
        subject = {} if message.template_subject is None else {"subject": message.template_subject}
        yield "template", {"id": message.template_id, **subject}
    else:
        yield "content", content(message.content or {}, profile=profile)


def content(composed: ApiObject, *, profile: str) -> dict[str, Any]:
    """As the profile's page spells it: an attachment has `mimeType` in 2021, and `mimetype` in 6.20."""
    attachments = composed.get("attachments")
    if profile == OLDER or not attachments:
        return dict(composed)
    spelled = [{SPELLED.get(key, key): value for key, value in each.items()} for each in attachments]
    return {**composed, "attachments": spelled}


def destination(entry: Destination, channel: ChannelName) -> dict[str, Any]:
    """One object of `to` (rules 10 to 13)."""
    made: dict[str, Any] = {
        channel.address_field: list(entry.addresses),
        "correlationId": entry.correlation_id,
    }
    if entry.substitutions:
        made["substitutions"] = dict(entry.substitutions)
    return made


def delivery(envelope: Envelope, *, profile: str) -> Iterator[tuple[str, Any]]:
    """When and how soon (rules 22 and 44). `validity` is in seconds: a number, and in 6.20 a string, as documented."""
    if envelope.send_at is not None:
        yield "sendAt", timestamp(envelope.send_at)
        if envelope.batch_id is not None:
            yield "batchId", envelope.batch_id
    if envelope.expire_at is not None:
        yield "expireAt", timestamp(envelope.expire_at)
    elif envelope.validity is not None:  # never both (rule 45)
        yield "validity", envelope.validity if profile == OLDER else str(envelope.validity)
    if envelope.priority is not None:
        yield "priority", envelope.priority


def receipts(envelope: Envelope) -> Iterator[tuple[str, Any]]:
    """What comes back about the message, and where. The names of receipts stay as the author wrote them."""
    if envelope.callback_data is not None:
        yield "callbackData", envelope.callback_data
    if envelope.notify_url is not None:
        yield "notifyUrl", envelope.notify_url
    if envelope.notify_url_auth_id is not None:
        yield "notifyUrlAuthId", envelope.notify_url_auth_id
    if envelope.requested_receipts:
        yield "requestedReceipts", list(envelope.requested_receipts)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, the form that every edition of the API page documents."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
