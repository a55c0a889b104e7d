"""One message as it is sent, for the pages."""

from __future__ import annotations

from msgspec import Struct, field

from notifyctl.model.project import ApiObject, ChannelName


class Carried(Struct, frozen=True):
    channel: ChannelName
    sender: str = ""
    content: ApiObject | None = None
    options: ApiObject = field(default_factory=dict)
    around: ApiObject = field(default_factory=dict)
