"""Computes the positions of a document's values on first use, by parsing the file again.

Keeps the bytes of the file until then. The positions of the document and its top-level values are available at
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.config.nodes import MappingNode, Node, SequenceNode, value_positions
from notifyctl.config.reader import iterate_documents
from notifyctl.diagnostics import Path

Places = Mapping[Path, tuple[int, int]]


class LazySource:
    """A file that is parsed again when positions in it are needed."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._positions: list[Places] | None = None

    def places(self, number: int) -> Places:
        """Returns the positions of one document, by its index among the readable documents."""
        if self._positions is None:
            nodes = [node for node, _ in iterate_documents(self.data, self.path) if node is not None]
            self._positions = [value_positions(node) for node in nodes]
        return self._positions[number]


class LazyPositions(Mapping[Path, tuple[int, int]]):
    """A mapping like the result of `value_positions`, computed on first use."""

    def __init__(self, source: LazySource, number: int, top: Places) -> None:
        self.source = source
        self.number = number
        self.top = top

    def __getitem__(self, path: Path) -> tuple[int, int]:
        return (self.top if len(path) <= 1 else self.whole)[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    @property
    def whole(self) -> Places:
        return self.source.places(self.number)


def top_level_positions(node: Node) -> Places:
    """Returns the positions of a document and its top-level values."""
    positions: dict[Path, tuple[int, int]] = {(): (node.line, node.column)}
    if isinstance(node, MappingNode):
        for key, value in node.items:
            positions[(key.text,)] = (value.line, value.column)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            positions[(index,)] = (item.line, item.column)
    return positions
