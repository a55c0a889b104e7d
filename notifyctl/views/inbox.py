"""A message in the sandbox's inbox, as text and as one JSON line; the address is masked unless revealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.channels.message_parts import list_parts
from notifyctl.channels.parts import Carried
from notifyctl.model.project import ChannelName
from notifyctl.plan.samples import without
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.message import SAID_ABOVE, as_lines

ABOUT_ENTRY = frozenset(
    (
        "at",
        "channel",
        "from",
        "to",
        "messageId",
        "transid",
        "correlationId",
        "content",
        "options",
        "substitutions",
    )
)
"""Keys of an entry that are no further key of the request."""


def as_json_line(entry: Mapping[str, Any], *, reveal: bool) -> str:
    return json.dumps(entry if reveal else mask_text(entry), ensure_ascii=False)


def as_text(entry: Mapping[str, Any], *, reveal: bool, colour: bool) -> str:
    paint = Paint(colour)
    shown = entry if reveal else mask_text(entry)
    carried = carried_by(shown)
    facts = f"{carried.channel.value} · from {strip_controls(carried.sender)} · {shown['at']}"
    lines = [f"{paint.bold(strip_controls(str(shown['to'])))}  {paint.dim(facts)}"]
    parts = list_parts(carried)
    lines += [
        f"  {paint.dim('│')} {strip_controls(line)}"
        for line in as_lines(parts, without=SAID_ABOVE[carried.channel])
    ]
    return "\n".join([*lines, ""])


def carried_by(entry: Mapping[str, Any]) -> Carried:
    """What an entry of the inbox carries."""
    content, options, values = entry.get("content"), entry.get("options"), entry.get("substitutions")
    return Carried(
        ChannelName(str(entry["channel"])),
        str(entry.get("from", "")),
        content if isinstance(content, Mapping) else None,
        options if isinstance(options, Mapping) else {},
        {key: value for key, value in entry.items() if key not in ABOUT_ENTRY},
        values=values if isinstance(values, Mapping) else {},
    )


def mask_text(entry: Mapping[str, Any]) -> dict[str, Any]:
    address = str(entry["to"])
    hidden: dict[str, Any] = without(dict(entry), address, mask(address))
    return hidden
