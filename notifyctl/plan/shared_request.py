"""What all requests of a notification have in common beside content and options, with the keys of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried, Part
from notifyctl.model.left_out import leave_out
from notifyctl.model.message import LeftOut, Message
from notifyctl.model.project import ApiObject, Notification
from notifyctl.plan.model import PlannedNotification, Sample

COPIES = ("cc", "bcc")
"""Keys that reach people, and so are shown with each example."""


def shared_request(
    notification: Notification, message: Message, left_out: Iterable[LeftOut] = ()
) -> ApiObject:
    """`left_out`: copies that are not sent."""
    sent = leave_out(message, left_out)
    values = {
        "cc": list(sent.cc) if sent.cc else None,
        "bcc": list(sent.bcc) if sent.bcc else None,
        "template": template_of(message),
        "smartlinks": [dict(each) for each in message.smartlinks] or None,
        "priority": notification.priority,
        "callbackData": notification.callback_data,
        "notifyUrl": notification.notify_url,
        "notifyUrlAuthId": notification.notify_url_auth_id,
        "requestedReceipts": list(notification.requested_receipts) or None,
        "contactPolicy": dict(notification.contact_policy)
        if notification.contact_policy is not None
        else None,
        "batchId": notification.batch_id,
        "multipleToRecipients": notification.multiple_to_recipients,
    }
    return {key: value for key, value in values.items() if value is not None}


def template_of(message: Message) -> ApiObject | None:
    """A template stored at the provider, as the request names it."""
    if message.template_id is None:
        return None
    subject = {} if message.template_subject is None else {"subject": message.template_subject}
    return {"id": message.template_id, **subject}


def parts_of(planned: PlannedNotification, sample: Sample) -> tuple[Part, ...]:
    """What an example carries. What the request has for all recipients is in `settings_of`, but for copies."""
    return list_parts(
        Carried(
            planned.channel,
            planned.sender,
            sample.content,
            sample.options,
            {key: value for key, value in planned.request.items() if key in COPIES},
            sample.sizes,
        )
    )


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
