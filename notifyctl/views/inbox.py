"""A message in the sandbox's inbox, as text and as one JSON line; the address is masked unless revealed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from notifyctl.audience.addresses import mask
from notifyctl.model.project import ChannelName
from notifyctl.plan.samples import without
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.message import as_lines


def as_json_line(entry: Mapping[str, Any], *, reveal: bool) -> str:
    return json.dumps(entry if reveal else mask_text(entry), ensure_ascii=False)


def as_text(entry: Mapping[str, Any], *, reveal: bool, colour: bool) -> str:
    paint = Paint(colour)
    shown = entry if reveal else mask_text(entry)
    channel = ChannelName(str(entry["channel"]))
    facts = f"{channel.value} · from {strip_controls(str(shown['from']))} · {shown['at']}"
    lines = [f"{paint.bold(strip_controls(str(shown['to'])))}  {paint.dim(facts)}"]
    content = shown.get("content")
    if content is None:
        lines.append(paint.yellow(f"  template {shown.get('template')}"))
    else:
        lines += [f"  {paint.dim('│')} {strip_controls(line)}" for line in as_lines(channel, content)]
    return "\n".join([*lines, ""])


def mask_text(entry: Mapping[str, Any]) -> dict[str, Any]:
    address = str(entry["to"])
    hidden: dict[str, Any] = without(dict(entry), address, mask(address))
    return hidden
