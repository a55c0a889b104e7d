"""Nodes: values with their position in a file, created by the YAML reader or from JSON.

Plain scalars are resolved by the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so `no`,
`on`, `21:00` and `2026-12-01` are text and `012` is twelve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from notifyctl.diagnostics import Path
from notifyctl.model.written_values import as_written

MAX_DEPTH = 64
"""Maximum nesting of lists and mappings, in YAML and in JSON."""


class Scalar(NamedTuple):
    """A scalar: `text` is its source text, `value` its resolved value. Lines and columns count from 1; 0 means no
    file.

    `plain`: unquoted in YAML, so a text field accepts `text` whatever `value` is. False for JSON, where a number is
    never text.
    """

    text: str
    value: str | int | float | bool | None
    plain: bool
    line: int = 0
    column: int = 0
    comment: str = ""
    """What follows a plain scalar on its line and YAML takes for a comment, with the blanks before it."""


class MappingNode(NamedTuple):
    """A mapping with unique keys, in file order."""

    items: tuple[tuple[Scalar, Node], ...]
    line: int = 0
    column: int = 0

    def get(self, name: str) -> Node | None:
        return next((node for key, node in self.items if key.text == name), None)


class SequenceNode(NamedTuple):
    items: tuple[Node, ...]
    line: int = 0
    column: int = 0


Node = Scalar | MappingNode | SequenceNode

EMPTY_NODE = MappingNode(())
"""Stands in for the node of a document whose node is not needed after the check, to save memory."""

CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
DECIMAL = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
MAX_DIGITS = 100
"""Longer numbers are text, because converting them takes quadratic time."""


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """Resolves a plain scalar by the YAML 1.2 core schema."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in "+-.0123456789" or len(text) > MAX_DIGITS:
        return text
    if DECIMAL.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text):
        return int(text, 0)
    if HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "", 1)) if NOT_FINITE.fullmatch(text) else text


def node_from_json(value: object, *, depth: int = 0) -> Node:
    """Converts a value of `json.loads` to a node without positions. Raises ValueError if it is nested deeper than
    MAX_DEPTH.
    """
    if depth > MAX_DEPTH:
        raise ValueError(f"lists and objects may nest {MAX_DEPTH} deep, and this nests deeper")
    if isinstance(value, dict):
        pairs = [
            (Scalar(str(key), str(key), plain=False), node_from_json(item, depth=depth + 1))
            for key, item in value.items()
        ]
        return MappingNode(tuple(pairs))
    if isinstance(value, list | tuple):
        return SequenceNode(tuple([node_from_json(item, depth=depth + 1) for item in value]))
    if isinstance(value, str):
        return Scalar(value, value, plain=False)
    if value is None or isinstance(value, bool):
        return Scalar("null" if value is None else str(value).lower(), value, plain=False)
    if isinstance(value, int | float):
        return Scalar(repr(value), value, plain=False)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def plain_value(node: Node) -> Any:
    """Converts a node to Python's str, int, float, bool, None, list and dict."""
    if isinstance(node, MappingNode):
        return {key.text: plain_value(value) for key, value in node.items}
    if isinstance(node, SequenceNode):
        return [plain_value(item) for item in node.items]
    return node.value


def written_value(node: Node) -> Any:
    """Converts a node like `plain_value`; numbers and booleans print as they are written."""
    if isinstance(node, MappingNode):
        return {key.text: written_value(value) for key, value in node.items}
    if isinstance(node, SequenceNode):
        return [written_value(item) for item in node.items]
    return as_written(node.value, node.text) if isinstance(node.value, (int, float)) else node.value


def value_positions(node: Node) -> dict[Path, tuple[int, int]]:
    """Returns path → (line, column) of each value, for `Positions`. The path of the document itself is ()."""
    return {path: (value.line, value.column) for path, _, value in walk(node)}


def key_positions(node: Node) -> dict[Path, tuple[int, int]]:
    """Returns positions as `value_positions` does, but a mapping's value has the position of its key."""
    return {path: (key.line, key.column) for path, key, _ in walk(node)}


def walk(node: Node, path: Path = (), key: Node | None = None) -> Iterator[tuple[Path, Node, Node]]:
    """Yields each value in `node`, itself included: its path, its key (a list item: the item itself) and the value."""
    yield path, key or node, node
    if isinstance(node, MappingNode):
        for name, value in node.items:
            yield from walk(value, (*path, name.text), name)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.items):
            yield from walk(value, (*path, index))
