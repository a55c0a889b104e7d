"""Where the values of a document stand, found out only when somebody asks: of most templates nobody does.

Until then the bytes of the file are kept, which take a fifth of the memory of all its places. What stands at the top is
known at once: the place of a document and of its name are asked for often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.config.nodes import MappingNode, Node, SequenceNode, value_positions
from notifyctl.config.reader import iterate_documents
from notifyctl.diagnostics import Path

Places = Mapping[Path, tuple[int, int]]


class LazySource:
    """One file, read once more when the places in it are asked for."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self._found: list[Places] | None = None

    def places(self, number: int) -> Places:
        """Of the document with that number among those that can be read."""
        if self._found is None:
            nodes = [node for node, _ in iterate_documents(self.data, self.path) if node is not None]
            self._found = [value_positions(node) for node in nodes]
        return self._found[number]


class LazyPositions(Mapping[Path, tuple[int, int]]):
    """What `places` gives, with the same contents."""

    def __init__(self, source: LazySource, number: int, top: Places) -> None:
        self.source = source
        self.number = number
        self.top = top

    def __getitem__(self, path: Path) -> tuple[int, int]:
        return (self.top if len(path) < 2 else self.whole)[path]  # noqa: PLR2004 - the document and its keys

    def __iter__(self) -> Iterator[Path]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    @property
    def whole(self) -> Places:
        return self.source.places(self.number)


def top_level_positions(node: Node) -> Places:
    """The places of a document and of the values right below it."""
    found: dict[Path, tuple[int, int]] = {(): (node.line, node.column)}
    if isinstance(node, MappingNode):
        for key, value in node.items:
            found[(key.text,)] = (value.line, value.column)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            found[(index,)] = (item.line, item.column)
    return found
