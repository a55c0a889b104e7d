"""Lines of a log: text with the time in UTC, or one JSON object each. No personal data: what looks like an address is masked."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any

from notifyctl.model.log import LogEntry
from notifyctl.views.colours import strip_controls

MASK = "•"
ADDRESS = re.compile(
    r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[^\W\d_]{2,}"  # an email address
    r"|\+\d[\d ()./-]{5,18}\d"  # a number in international form, however it is grouped
    r"|(?<![\w.:/-])\d{10,15}(?![\w.:/-])"  # a number of digits alone; neither an ID nor a time
)
"""Masked at the very end, whatever a provider or a library has put into a text. Our own texts contain none."""


def as_text(entry: LogEntry) -> str:
    return f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}  {mask(strip_controls(entry.text))}"


def as_json(entry: LogEntry) -> str:
    document: dict[str, Any] = {
        "at": entry.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "level": entry.level.value,
        "event": entry.event,
        **{key: mask_value(value) for key, value in entry.fields.items()},
        "text": mask(strip_controls(entry.text)),
    }
    return json.dumps(document, ensure_ascii=False)


def mask(text: str) -> str:
    return ADDRESS.sub(MASK, text)


def mask_value(value: object) -> object:
    """The same, whatever texts are inside. Keys are our own."""
    match value:
        case str():
            return mask(strip_controls(value))
        case dict():
            return {key: mask_value(each) for key, each in value.items()}
        case list() | tuple():
            return [mask_value(each) for each in value]
        case _:
            return value
