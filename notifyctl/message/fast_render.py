"""The most common templates without Jinja2: text in which every `{{ name }}` is a plain variable. To the letter what it makes.

Whatever is not surely that plain is left to Jinja2, mistakes included, so that each thing is said once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from notifyctl.patterns import pattern

PLAIN = pattern(r"\{\{[ \t\n]*([A-Za-z_][A-Za-z0-9_]*)[ \t\n]*\}\}")
SPECIAL = pattern(r"\{[{%#]")
"""What begins anything in Jinja2."""
ESCAPED = (".html", ".htm", "#html")
"""How the name of a text ends in which values are escaped."""
WORDS = frozenset(
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
"""Names that mean something to Jinja2 wherever they stand."""


def render_fast(source: str, name: str, variables: Mapping[str, Any]) -> str | None:
    """The finished text, or None where Jinja2 has to look."""
    if name.endswith(ESCAPED) or "\r" in source:
        return None  # Jinja2 escapes values, and makes line ends alike
    parts = PLAIN.split(source)
    if source.count("{") > len(parts) - 1 and needs_jinja(
        parts[::2]
    ):  # more than the two braces of each name
        return None
    for at in range(1, len(parts), 2):
        value = variables.get(parts[at]) if parts[at] not in WORDS else None
        if type(value) is not str and type(value) is not int:
            return None
        parts[at] = str(value)
    return "".join(parts)


def needs_jinja(texts: Sequence[str]) -> bool:
    """Whether the braces in what stands between the names may mean something to Jinja2."""
    return any(SPECIAL.search(text) for text in texts) or any(text.endswith("{") for text in texts[:-1])
