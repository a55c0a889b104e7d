"""Formats the bytes of a file, or reports why it was left unchanged. Idempotent; parsed values never change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from notifyctl.config.fields import Shape
from notifyctl.config.load import api_version_problem
from notifyctl.config.nodes import MappingNode, Node, Scalar, SequenceNode, walk
from notifyctl.config.reader import read_documents
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.fmt.document_markers import divide_documents
from notifyctl.fmt.indent import indent
from notifyctl.fmt.key_order import order_keys
from notifyctl.fmt.outline import UnsupportedLayoutError, parse_outline


def format_bytes(data: bytes, file: str, kinds: Mapping[str, Shape]) -> bytes | Diagnostic:
    """Returns the formatted file. A file with a document of another tool is returned unchanged. `kinds`: kind → shape.

    Returns a Diagnostic if the file is not valid YAML, or if formatting would change a value.
    """
    before, problems = read_documents(data, file)
    if problems:
        return problems[0]
    if not before or any(api_version_problem(node) for node in before):
        return data
    formatted = format_text(data.decode("utf-8-sig"), kinds).encode()
    after, problems = read_documents(formatted, file)
    changed = next(diff_values(before, after), None)
    if problems or changed is not None:
        location = Location(file, changed.line, changed.column) if changed else Location(file)
        message = "formatting would change the meaning here, so the file is skipped"
        return Diagnostic("not-formatted", Severity.ERROR, message, location, "format this part by hand")
    return formatted


def format_text(text: str, kinds: Mapping[str, Shape]) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        lines = divide_documents(text.split("\n"), parse_outline(text))
        lines = indent(lines, parse_outline("\n".join(lines)))
        text = trim_blank_ends("\n".join(lines))
        return "\n".join(order_keys(text.split("\n"), parse_outline(text), kinds))
    except UnsupportedLayoutError:
        return text


def trim_blank_ends(text: str) -> str:
    """Removes blank lines at the start and extra line ends at the end, unless they belong to a block scalar."""
    text = text.lstrip("\n")
    return text if parse_outline(text).open_end else text.rstrip("\n") + "\n"


def diff_values(before: list[Node], after: list[Node]) -> Iterator[Node]:
    """Yields the values of `before` that are missing or different in `after` at the same path."""
    for old, new in zip_longest(before, after):
        if old is None or new is None:
            yield old or new
            continue
        values = {path: scalar_meaning(node) for path, _, node in walk(new)}
        for path, _, node in walk(old):
            if values.pop(path, None) != scalar_meaning(node):
                yield node
        if values:
            yield old


def scalar_meaning(node: Node) -> Any:
    """Returns a value without its children, for comparison."""
    if isinstance(node, Scalar):
        return node.text, repr(node.value), node.plain  # a NaN is not equal to itself
    return MappingNode if isinstance(node, MappingNode) else SequenceNode
