"""What a channel is: content types, options, limits, size. Each limit and rule of the API stands once, in this room,
with its number; loader, lint, schemas, payload builder and sandbox read it here.
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
