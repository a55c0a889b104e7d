"""Formats values, names and paths for messages, so that all messages use the same wording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from notifyctl.config.fields import Integer, Number, Shape
from notifyctl.config.nodes import MappingNode, Node, SequenceNode
from notifyctl.diagnostics import Path

MAX_LISTED = 24
"""Most known names listed in a hint."""
MAX_COMPARED = 1000
"""Most known names compared with an unknown one; of more, only names with the same first letter and a similar length.
"""


def describe_path(path: Path) -> str:
    """Formats a path for a message, for example `content.cards[0].title`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return f"`{text}`" if text else "this"


def find_nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that was most likely meant, or None."""
    from difflib import get_close_matches

    folded = {each.casefold(): each for each in known}
    if len(folded) > MAX_COMPARED:
        start, sizes = name[:1].casefold(), range(len(name) - 2, len(name) + 3)
        candidates = sorted(each for each in folded if each.startswith(start) and len(each) in sizes)
        folded = {each: folded[each] for each in candidates[:MAX_COMPARED]}
    matches = get_close_matches(name.casefold(), folded, n=1)
    return folded[matches[0]] if matches else None


def suggest_name(name: str, known: Sequence[str], what: str) -> str:
    """Returns a hint for an unknown name: the nearest known name, or else the list of known names."""
    nearest = find_nearest(name, known)
    if nearest is not None:
        return f"did you mean `{nearest}`?"
    if not known:
        return "none is defined"
    return f"{what}: {', '.join(known[:MAX_LISTED])}{', …' if len(known) > MAX_LISTED else ''}"


def describe_node(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if node.value is None:
        return "empty" if node.text == "" else "null"
    if isinstance(node.value, bool | int | float):
        return node.text
    return f'text "{shorten(node.text)}"'


def shorten(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"  # noqa: PLR2004 - enough to recognise a value by


def list_choices(values: Sequence[str], quote: str = "") -> str:
    quoted = [f"{quote}{value}{quote}" for value in values]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def describe_range(shape: Integer | Number) -> str:
    if shape.minimum is not None and shape.maximum is not None:
        return f" from {shape.minimum} to {shape.maximum}"
    if shape.minimum is not None:
        return f" of at least {shape.minimum}"
    return f" of at most {shape.maximum}" if shape.maximum is not None else ""


def example_hint(shape: Shape) -> str | None:
    return (
        f"for example: {shape.examples[0]}"
        if shape.examples and not isinstance(shape.examples[0], dict)
        else None
    )
