"""The channels: content types, options, limits and sizes.

Each limit and rule of the API is defined once, here, with its number; loader, lint, schemas, request builder and
sandbox use it.
"""

from collections.abc import Mapping

from notifyctl.channels import email, rcs, sms
from notifyctl.channels.channel import Channel
from notifyctl.channels.limits import text_limit
from notifyctl.model.project import ChannelName

CHANNELS: Mapping[ChannelName, Channel] = {
    ChannelName.SMS: sms.CHANNEL,
    ChannelName.EMAIL: email.CHANNEL,
    ChannelName.RCS: rcs.CHANNEL,
}

__all__ = ["CHANNELS", "Channel", "text_limit"]
