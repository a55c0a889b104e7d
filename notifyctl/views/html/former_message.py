"""What a recipient of an example would have been sent by another commit: its text, with the recipient's own values of today."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from notifyctl.channels.parts import Carried
from notifyctl.message import Filler
from notifyctl.model.message import Message
from notifyctl.model.project import ApiObject
from notifyctl.plan.diff import Side
from notifyctl.plan.model import Sample
from notifyctl.plan.shared_request import COPIES, attachment_sizes, shared_request


def former_message(sample: Sample, before: Side, after: Side | None) -> Carried | None:
    """None if the commit had no text for anybody. A variable that nothing fills stays as it is written."""
    old = message_for(before.messages, sample.locale)
    if old is None:
        return None
    new = message_for(after.messages, sample.locale) if after is not None else None
    values = [value_of(name, sample.values, old, new) for name in old.names]
    request = shared_request(before.notification, old)
    variant = old.locale if old.locale in before.notification.template.locales else None
    return Carried(
        old.channel,
        old.sender,
        None if old.content is None else fill(old, old.content, values),
        fill(old, old.options, values),
        {key: value for key, value in request.items() if key in COPIES},
        attachment_sizes(before.notification, variant),
    )


def message_for(messages: Mapping[str | None, Message], locale: str | None) -> Message | None:
    return messages.get(locale) or messages.get(None)


def value_of(name: str, values: Mapping[str, str], old: Message, new: Message | None) -> str:
    """A value that all recipients shared is the commit's own; any other is the recipient's."""
    shared = new is not None and name in values and values[name] == new.shared.get(name)
    if name not in values or (shared and name in old.shared):
        return old.shared.get(name, f"$({name})")
    return values[name]


def fill(message: Message, source: ApiObject, values: list[str]) -> ApiObject:
    return Filler(replace(message, content=source)).content(values)
