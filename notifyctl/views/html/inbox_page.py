"""The sandbox's inbox as a page: accepted messages as recipients see them, latest first. Addresses are masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.model.project import ChannelName
from notifyctl.views.html.preview_page import PreviewEntry, page


def inbox_page(entries: Iterable[Mapping[str, Any]]) -> str:
    """The page, which polls its own server for new messages."""
    shown = [entry(each) for each in entries]
    about = "What the embedded API accepted, the latest first. It reached nobody."
    return page("Sandbox inbox", about, shown[::-1], reload=True)


def entry(each: Mapping[str, Any]) -> PreviewEntry:
    content = each.get("content")
    return PreviewEntry(
        name=f"to {mask(str(each.get('to', '')))}",
        channel=ChannelName(str(each.get("channel", "sms"))),
        sender=str(each.get("from", "")),
        locale="",
        category="",
        facts=[str(each.get("at", ""))],
        content=content if isinstance(content, dict) else None,
    )
