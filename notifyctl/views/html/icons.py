"""Line icons, drawn once in a page and used by reference."""

from __future__ import annotations

from notifyctl.model.project import ChannelName
from notifyctl.views.html.markup import Html, el

CHANNELS = {ChannelName.SMS: "SMS", ChannelName.EMAIL: "Email", ChannelName.RCS: "RCS"}
"""Channels as people write them."""


def icon(name: str, *, label: str | None = None, class_: str = "icon") -> Html:
    """An icon of icons.svg. Without a label it is decoration, which screen readers leave out."""
    use = el("use", href=f"#i:{name}")
    if label is None:
        return el("svg", use, class_=class_, aria_hidden="true")
    return el("svg", use, class_=class_, role="img", aria_label=label)


def channel_icon(channel: ChannelName) -> Html:
    return icon(channel.value)
