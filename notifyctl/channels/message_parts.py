"""The one list of what a message carries. Plans, `render`, the inbox and the preview all read it."""

from __future__ import annotations

from notifyctl.channels import email_parts, rcs_parts, sms_parts
from notifyctl.channels.parts import Carried, Part
from notifyctl.model.project import ChannelName

DESCRIBED = {
    ChannelName.EMAIL: email_parts.describe,
    ChannelName.RCS: rcs_parts.describe,
    ChannelName.SMS: sms_parts.describe,
}


def list_parts(carried: Carried) -> tuple[Part, ...]:
    """Every part of a message, in the order in which a recipient meets them; settings last."""
    return tuple(DESCRIBED[carried.channel](carried))
