"""The messages that the sandbox accepted: one JSON line per destination, as its recipient would read it.

Texts are filled from the request alone, as the provider does, and not by the code that sends.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from notifyctl.channels import CHANNELS
from notifyctl.config.check import check
from notifyctl.config.nodes import node_from_json
from notifyctl.model.message import PLACEHOLDER
from notifyctl.model.project import ChannelName
from notifyctl.private_files import open_private

ADDRESS_FIELDS = ("msisdn", "email")
OWN_KEYS = frozenset(("channel", "from", "to", "content", "substitutions"))
"""Keys of a request that each entry has in a form of its own; all others it has as they are."""
FILLED = frozenset({"options", "template"})
"""Objects besides the content whose placeholders are filled in."""


class Inbox:
    """Appends to `path`; without one it only counts. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.accepted = 0
        self._lock = threading.Lock()

    def keep_receipt(self, receipt: Mapping[str, Any]) -> None:
        """Stores a receipt that was posted. Lines of this shape are no messages; readers of earlier versions skip them."""
        with self._lock:
            if self.path is not None and self.path.exists():
                with open_private(self.path, "a") as stream:
                    stream.write(json.dumps({"receipt": receipt}, ensure_ascii=False) + "\n")

    def size(self) -> int:
        """Bytes stored: what an open page asks for, to learn of new messages and receipts."""
        try:
            return self.path.stat().st_size if self.path is not None else 0
        except OSError:
            return 0

    def keep(self, body: Mapping[str, Any], *, message_id: str, at: datetime) -> list[dict[str, Any]]:
        """Stores and returns the message of each destination of an accepted request. Call before answering 201."""
        entries = list(message_entries(body, message_id=message_id, at=at))
        with self._lock:
            self.accepted += len(entries)
            if self.path is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with open_private(self.path, "a") as stream:
                    stream.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        return entries


def message_entries(body: Mapping[str, Any], *, message_id: str, at: datetime) -> Iterator[dict[str, Any]]:
    """One entry per destination in the order of the request; their transaction ids are X, X_1, X_2 …"""
    number = 0
    content = canonical_content(body)
    for destination in body["to"]:
        values = {**body.get("substitutions", {}), **destination.get("substitutions", {})}
        for field in ADDRESS_FIELDS:
            for address in destination.get(field, ()):
                entry = {
                    "at": at.isoformat(timespec="milliseconds"),
                    "channel": body["channel"],
                    "from": body["from"],
                    "to": address,
                    "messageId": message_id,
                    "transid": f"{message_id}_{number}" if number else message_id,
                    "correlationId": destination.get("correlationId"),
                    "content": fill(content, values),
                }
                for extra in (key for key in body if key not in OWN_KEYS):
                    entry[extra] = fill(body[extra], values) if extra in FILLED else body[extra]
                if "template" in body:
                    entry["substitutions"] = values
                yield entry
                number += 1


def canonical_content(body: Mapping[str, Any]) -> Any:
    """The content with each key under its canonical name, however the profile spells it."""
    content = body.get("content")
    if content is None:
        return None
    shape = CHANNELS[ChannelName(body["channel"])].shape.content
    return check(shape, node_from_json(content), composed=True)[0]


def fill(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda m: str(values.get(m[1], m[0])), value)
    if isinstance(value, Mapping):
        return {key: fill(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    return value


def read_entries(path: Path) -> Iterator[dict[str, Any]]:
    """The entries in order of arrival. Skips a line that a crash cut off."""
    return (line for line in read_lines(path) if {"at", "channel", "to"} <= line.keys())


def read_receipts(path: Path) -> Iterator[dict[str, Any]]:
    """The receipts that were posted, in order: `transid`, `status`, `at`, and `taken`, whether it was answered with 200."""
    return (line["receipt"] for line in read_lines(path) if isinstance(line.get("receipt"), dict))


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                yield entry
