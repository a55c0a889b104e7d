"""Which `$(name)` are part of a link, and of which part of it."""

from __future__ import annotations

import re

from msgspec import Struct

from notifyctl.model.message import PLACEHOLDER

WEB = re.compile(r"\s*https?://", re.IGNORECASE)
LINK = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
"""A link among words, placeholders included."""


class LinkNames(Struct):
    """Names whose values become part of a link behind its beginning, by the part."""

    path: set[str]
    query: set[str]
    start: set[str]
    """Names in the attribute of a link before anything says where it leads."""

    def add(self, url: str) -> None:
        """`url`: as the template has it."""
        for found in PLACEHOLDER.finditer(url):
            before = url[: found.start()]
            if "?" in before or "#" in before:
                self.query.add(found[1])
            elif WEB.match(before):
                self.path.add(found[1])
            else:
                self.start.add(found[1])

    def add_from(self, text: str) -> None:
        """Every link among words."""
        for found in LINK.finditer(text):
            self.add(found[0])
