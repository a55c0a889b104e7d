"""Renders templates that contain only plain variables (`{{ name }}`), without Jinja2 and with the same result.

Any other template, including invalid ones, is left to Jinja2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.model.written_values import WrittenBool, WrittenFloat, WrittenInt

VARIABLE = re.compile(r"\{\{[ \t\n]*([A-Za-z_][A-Za-z0-9_]*)[ \t\n]*\}\}")
SPECIAL = re.compile(r"\{[{%#]")
"""The start of a Jinja2 construct."""
ESCAPED = (".html", ".htm", "#html")
"""Suffixes of template names for which Jinja2 escapes values."""
PRINTABLE = (str, int, WrittenInt, WrittenFloat, WrittenBool)
"""Types of values that Jinja2 prints as `str` does."""
RESERVED_WORDS = frozenset(
    [
        "and",
        "as",
        "context",
        "else",
        "false",
        "False",
        "if",
        "import",
        "in",
        "is",
        "loop",
        "none",
        "None",
        "not",
        "or",
        "self",
        "super",
        "true",
        "True",
        "with",
        "without",
    ]
)
"""Reserved words of Jinja2."""


def render_fast(source: str, name: str, variables: Mapping[str, Any]) -> str | None:
    """Returns the rendered text, or None if Jinja2 has to render it."""
    if name.endswith(ESCAPED) or "\r" in source:
        return None  # Jinja2 escapes values and normalises line endings
    parts = VARIABLE.split(source)
    if source.count("{") > len(parts) - 1 and needs_jinja(
        parts[::2]
    ):  # more than the two braces of each name
        return None
    for at in range(1, len(parts), 2):
        value = variables.get(parts[at]) if parts[at] not in RESERVED_WORDS else None
        if type(value) not in PRINTABLE:
            return None
        parts[at] = str(value)
    return "".join(parts)


def needs_jinja(texts: Sequence[str]) -> bool:
    """Whether the text between variables contains Jinja2 syntax."""
    return any(SPECIAL.search(text) for text in texts) or any(text.endswith("{") for text in texts[:-1])
