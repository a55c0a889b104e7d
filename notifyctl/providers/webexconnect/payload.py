"""From a batch to the exact body of a v2 request. Keys and order are the API page's; what is not given is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notifyctl.delivery import Batch, Destination, Envelope
from notifyctl.model import ChannelName


def body_of(batch: Batch) -> dict[str, Any]:
    """A JSON object. Content holds `$(name)`: the API fills it from the substitutions, the destination's before the global."""
    message, channel = batch.message, batch.scope.channel
    body: dict[str, Any] = {
        "channel": channel.value,
        "from": message.sender,
        "to": [destination_of(destination, channel) for destination in batch.to],
    }
    if message.shared:
        body["substitutions"] = dict(message.shared)
    if channel is ChannelName.EMAIL:
        body |= {key: list(copies) for key, copies in (("cc", message.cc), ("bcc", message.bcc)) if copies}
    if message.smartlinks:
        body["smartlinks"] = [dict(link) for link in message.smartlinks]
    body |= envelope_of(batch.envelope)
    if message.options:
        body["options"] = message.options
    if message.template_id is not None:
        body["template"] = {"id": message.template_id}
    else:
        body["content"] = message.content
    return body


def destination_of(destination: Destination, channel: ChannelName) -> dict[str, Any]:
    entry: dict[str, Any] = {
        channel.address_field: list(destination.addresses),
        "correlationId": destination.correlation_id,
    }
    if destination.substitutions:
        entry["substitutions"] = dict(destination.substitutions)
    return entry


def envelope_of(envelope: Envelope) -> dict[str, Any]:
    """`expireAt` and `validity` exclude each other (rule 45); a schedule gives one of them at most."""
    given = {
        "sendAt": timestamp(envelope.send_at),
        "expireAt": timestamp(envelope.expire_at),
        "validity": envelope.validity,
        "priority": envelope.priority,
        "callbackData": envelope.callback_data,
        "notifyUrl": envelope.notify_url,
        "requestedReceipts": list(envelope.requested_receipts) or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and Z: the one form that both profiles take (rules 37 and 42)."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
