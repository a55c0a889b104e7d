"""The one list of what a message carries. Plans, `render`, the inbox and the preview all read it."""

from __future__ import annotations

from notifyctl.channels import email_parts, rcs_parts, sms_parts
from notifyctl.channels.parts import Carried, Kind, Part
from notifyctl.model.project import ChannelName

DESCRIBED = {
    ChannelName.EMAIL: email_parts.describe,
    ChannelName.RCS: rcs_parts.describe,
    ChannelName.SMS: sms_parts.describe,
}


def list_parts(carried: Carried) -> tuple[Part, ...]:
    """Every part of a message, in the order in which a recipient meets them; settings last."""
    described = list(DESCRIBED[carried.channel](carried))
    values = (Part(Kind.FIELD, "value", f"$({name})", value) for name, value in carried.values.items())
    read = (part for part in described if part.kind is not Kind.SETTING)
    return (*read, *values, *(part for part in described if part.kind is Kind.SETTING))
