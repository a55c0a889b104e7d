"""What all requests of a notification have in common beside content and options, with the keys of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Part
from notifyctl.model.left_out import leave_out
from notifyctl.model.message import Envelope, LeftOut, Message
from notifyctl.model.project import ApiObject, Notification
from notifyctl.plan.model import PlannedNotification, Sample

OF_A_MOMENT = frozenset(("send_at", "expire_at", "validity"))
"""Of an envelope: what a plan shows as times."""
COPIES = ("cc", "bcc")
"""Keys that reach people, and so are shown with each example."""


def shared_request(
    notification: Notification, message: Message, left_out: Iterable[LeftOut] = ()
) -> ApiObject:
    """`left_out`: copies that are not sent."""
    sent = leave_out(message, left_out)
    values: dict[str, Any] = {
        "cc": list(sent.cc or ()),
        "bcc": list(sent.bcc or ()),
        "template": template_of(message),
        "smartlinks": [dict(each) for each in message.smartlinks],
    }
    for name in Envelope.__struct_fields__:
        if name not in OF_A_MOMENT:
            value = getattr(notification, name)
            values[api_key(name)] = list(value) if isinstance(value, tuple) else value
    return {key: value for key, value in values.items() if value not in (None, [])}


def api_key(name: str) -> str:
    """`callback_data` as the API spells it: callbackData."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def template_of(message: Message) -> ApiObject | None:
    """A template stored at the provider, as the request names it."""
    if message.template_id is None:
        return None
    subject = {} if message.template_subject is None else {"subject": message.template_subject}
    return {"id": message.template_id, **subject}


def carried_of(planned: PlannedNotification, sample: Sample) -> Carried:
    """An example as it is sent. What the request has for all recipients is in `settings_of`, but for copies."""
    return Carried(
        planned.channel,
        planned.sender,
        sample.content,
        sample.options,
        {key: value for key, value in planned.request.items() if key in COPIES},
        sample.sizes,
        sample.values if planned.opaque else {},
    )


def parts_of(planned: PlannedNotification, sample: Sample) -> tuple[Part, ...]:
    return list_parts(carried_of(planned, sample))


def settings_of(planned: PlannedNotification) -> tuple[Part, ...]:
    """The rest of the request, as parts."""
    rest = {key: value for key, value in planned.request.items() if key not in COPIES}
    return list_parts(Carried(planned.channel, request=rest))


def attachment_sizes(notification: Notification, variant: str | None) -> tuple[int | None, ...]:
    """Bytes of each attachment of a variant, where the author wrote them."""
    return tuple(each.get("size") for each in attachments(notification, variant))


def attachments(notification: Notification, variant: str | None) -> Iterator[Mapping[str, Any]]:
    template = notification.template
    own = template.locales[variant].content if variant is not None else {}
    yield from own.get("attachments", (template.content or {}).get("attachments")) or ()
