"""Texts for readers that a ` #` cuts: YAML takes the rest of the line of an unquoted text for a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from notifyctl.config.messages import shorten
from notifyctl.config.nodes import Node, Scalar, walk
from notifyctl.diagnostics import Path, Problem, Severity

RULE = "comment-cuts-text"
HINT = "the rest of the line is a comment; to keep it, use quotes"
MEANT = re.compile(r"[ \t]+#\s*notifyctl:|(?: {2,}|[ \t]*\t[ \t]*)#(?:[ \t]|$)")
"""A comment as people set one apart: two blanks before the `#` and one behind it. Or one that is for notifyctl."""

STARTS: Mapping[str, tuple[Path, ...]] = {
    "Project": (("vars",), ("environments", "*", "vars")),
    "Template": (("content",), ("locales", "*", "content"), ("variables", "*", "default")),
    "Notification": (
        ("substitutions",),
        ("template", "content"),
        ("template", "locales", "*", "content"),
        ("template", "variables", "*", "default"),
        ("audience", "recipients", "*", "substitutions"),
    ),
    "Audience": (("recipients", "*", "substitutions"),),
}
"""Kind → where its documents hold what people read; * stands for any key or index."""
NOT_READ = frozenset({"type", "textFile", "htmlFile"})
"""Keys of content that no reader sees."""


def find_cut_texts(kind: str, node: Node) -> Iterator[Problem]:
    """A warning for each text that lost its end. In `vars` a number with a comment is a number with a comment."""
    starts = STARTS.get(kind, ())
    for path, _, value in walk(node) if starts else ():
        if not isinstance(value, Scalar) or value.value is None or not is_cut(value):
            continue
        start = next((each for each in starts if begins_with(path, each)), None)
        if start is None or path[-1] in NOT_READ:
            continue
        if start[-1] == "vars" and not isinstance(value.value, str | None):
            continue
        rest = value.comment.strip()
        message = f'the text ends before the #: "{shorten(rest)}" is not part of it'
        yield Problem(path, RULE, message, HINT, Severity.WARNING)


def is_cut(node: Scalar) -> bool:
    """Whether what follows the value on its line looks like a part of it."""
    return node.comment != "" and not MEANT.match(node.comment)


def begins_with(path: Path, start: Path) -> bool:
    return len(path) >= len(start) and all(
        wanted in ("*", key) for key, wanted in zip(path, start, strict=False)
    )
