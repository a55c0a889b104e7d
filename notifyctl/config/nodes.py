"""Values with their place in a file: what the reader makes of YAML and `node_of` of JSON. Knows no shapes and no syntax.

Nodes are tuples with names, which are made in a quarter of the time that a dataclass takes: a large project has a million.
Plain scalars are resolved by the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so that `no`,
`on`, `21:00` and `2026-12-01` are text and `012` is the number twelve.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from notifyctl.diagnostics import Path

MAX_DEPTH = 64
"""How deep lists and mappings may nest, in YAML and in JSON."""


class Scalar(NamedTuple):
    """`text` are the characters of the file and `value` what they mean. Lines and columns count from 1; 0: no file.

    `plain`: written without quotes in YAML, so a field that is text takes `text` whatever `value` is. It is false for
    JSON, where a number is never text.
    """

    text: str
    value: str | int | float | bool | None
    plain: bool
    line: int = 0
    column: int = 0


class MappingNode(NamedTuple):
    """Keys in the order of the file, each once."""

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
"""Where the values of a document say it all: its nodes would take half of a project's memory."""

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
"""Digits beyond this are text: nobody means such a number, and converting it costs time that grows with its square."""


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """What a plain scalar means by the YAML 1.2 core schema."""
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
    """A JSON value (as `json.loads` gives it) as a node without places. Raises ValueError when it nests deeper than MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise ValueError(f"lists and objects may nest {MAX_DEPTH} deep, and this nests deeper")
    if isinstance(value, dict):
        pairs = [(key_node(str(key)), node_from_json(item, depth=depth + 1)) for key, item in value.items()]
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


@lru_cache(maxsize=1024)
def key_node(name: str) -> Scalar:
    """The API's objects have few keys, which come again in each message."""
    return Scalar(name, name, plain=False)


def plain_value(node: Node) -> Any:
    """The node as Python's str, int, float, bool, None, list and dict."""
    if isinstance(node, MappingNode):
        return {key.text: plain_value(value) for key, value in node.items}
    if isinstance(node, SequenceNode):
        return [plain_value(item) for item in node.items]
    return node.value


def value_positions(node: Node) -> dict[Path, tuple[int, int]]:
    """The line and column of every value, by its path: what `Marks` needs. The document itself stands at ()."""
    found: dict[Path, tuple[int, int]] = {}
    mark_places(node, (), found)
    return found


def mark_places(node: Node, path: Path, found: dict[Path, tuple[int, int]]) -> None:
    """As `walk` does, without its generators: this is done for every file."""
    found[path] = (node.line, node.column)
    if isinstance(node, MappingNode):
        for key, value in node.items:
            mark_places(value, (*path, key.text), found)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            mark_places(item, (*path, index), found)


def key_positions(node: Node) -> dict[Path, tuple[int, int]]:
    """As `places`, but a value of a mapping is found at its key, which is what an unknown key is pointed out by."""
    return {path: (key.line, key.column) for path, key, _ in walk(node)}


def walk(node: Node, path: Path = (), key: Node | None = None) -> Iterator[tuple[Path, Node, Node]]:
    """Every value below and with `node`: its path, the key it stands under (a list item: itself), and the value."""
    yield path, key or node, node
    if isinstance(node, MappingNode):
        for name, value in node.items:
            yield from walk(value, (*path, name.text), name)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.items):
            yield from walk(value, (*path, index))
