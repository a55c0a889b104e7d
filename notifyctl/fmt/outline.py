"""Parses a YAML text into an outline: the lines of its lists and mappings. Lines and columns count from 0.

Only for text that `config.reader` accepts, so that depth and size are limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct, field

from notifyctl.config.reader import parse_events

HEAD = re.compile(r"[ ]*(?:-[ \t]+)*")
"""Text allowed before the key of a block mapping on its line."""
KEEPS = re.compile(r"(?:[&!]\S*\s+)*[|>][0-9]?\+")
"""The header of a block scalar that keeps its trailing blank lines."""
DASH = re.compile(r" *-(?:[ \t]|$)")


class UnsupportedLayoutError(Exception):
    """Valid YAML whose lines cannot be assigned to entries: `? key`, or a tag before a compact mapping."""


class Leaf(Struct, frozen=True):
    """A scalar, an alias, or a list or mapping in brackets. `style` is | or > for block scalars, [ for brackets."""

    line: int
    column: int
    last: int
    style: str = ""
    text: str = ""


class Entry(Struct, frozen=True, eq=False):
    """An item, or a key with its value. `column` is that of the dash or the key."""

    block: Block
    line: int
    key: str
    value: Block | Leaf

    @property
    def last(self) -> int:
        return max(self.line, self.value.last)


class Block(Struct, frozen=True, eq=False):
    """A list of dashes or a mapping of lines."""

    sequence: bool
    column: int
    parent: Block | None
    entries: list[Entry] = field(default_factory=list)

    @property
    def line(self) -> int:
        return self.entries[0].line

    @property
    def last(self) -> int:
        """The last line of its content, without trailing comments and blank lines."""
        return self.entries[-1].last

    def get(self, key: str) -> Block | Leaf | None:
        return next((entry.value for entry in self.entries if entry.key == key), None)


class Outline(Struct, frozen=True):
    documents: tuple[Block | Leaf, ...]
    """The roots, without empty documents."""
    spans: tuple[tuple[Leaf, Block | None], ...]
    """Multi-line values that are not blocks, each with the block that contains it."""
    scalars: frozenset[int]
    """Lines that start inside a scalar."""
    anchors: bool
    """Whether there are anchors or aliases, so that the order of lines matters."""
    open_ended: bool
    """Whether a block scalar keeps its trailing blank lines, or ends with the file without a line end."""
    open_end: bool
    """Whether such a scalar is last in the file, so that trailing line ends are its text."""


def parse_outline(text: str) -> Outline:
    """Parses the text. Raises UnsupportedLayoutError."""
    return OutlineReader(text).read()


class OutlineReader:
    """Builds the outline in one pass over the parser's events."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.events = parse_events(text)
        self.spans: list[tuple[Leaf, Block | None]] = []
        self.scalars: set[int] = set()
        self.anchors = False
        self.open_last = -1
        """The last line of the last open-ended block scalar."""

    def read(self) -> Outline:
        documents = [
            self.value(next(self.events), None)
            for event in self.events
            if isinstance(event, yaml.DocumentStartEvent)
        ]
        full = tuple(root for root in documents if isinstance(root, Block) or root.style or root.text)
        return Outline(
            full,
            tuple(self.spans),
            frozenset(self.scalars),
            self.anchors,
            open_ended=self.open_last >= 0,
            open_end=bool(full) and full[-1].last == self.open_last,
        )

    def value(self, event: Any, parent: Block | None) -> Block | Leaf:
        self.anchors = self.anchors or event.anchor is not None
        collection = isinstance(event, yaml.CollectionStartEvent)
        if not collection or event.flow_style:
            leaf = self.brackets(event) if collection else self.scalar(event)
            if leaf.last > leaf.line:
                self.spans.append((leaf, parent))
            return leaf
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, parent)
        return self.mapping(parent)

    def scalar(self, event: Any) -> Leaf:
        start, end = event.start_mark, event.end_mark
        style = getattr(event, "style", None) or ""
        last = self.end_of_block(start, end) if style in ("|", ">") else end.line
        self.scalars.update(range(start.line + 1, last + 1))
        is_alias = isinstance(event, yaml.AliasEvent)
        return Leaf(start.line, start.column, last, style, "*" if is_alias else event.value)

    def end_of_block(self, start: Any, end: Any) -> int:
        """Returns the last line of a block scalar. Trailing blank lines count only if the scalar keeps them."""
        last: int = end.line - 1 if end.column == 0 else end.line
        unended = last == len(self.lines) - 1
        head = "\n".join(self.lines[start.line : start.line + 3])[start.column :]
        keeps = KEEPS.match(head) is not None
        while not keeps and last > start.line and not self.lines[last]:
            last -= 1
        if keeps or unended:
            self.open_last = last
        return last

    def brackets(self, event: Any) -> Leaf:
        inner, start, depth = event, event.start_mark, 1
        while depth:
            inner = next(self.events)
            if isinstance(inner, yaml.CollectionEndEvent):
                depth -= 1
                continue
            self.anchors = self.anchors or inner.anchor is not None
            if isinstance(inner, yaml.CollectionStartEvent):
                depth += 1
            else:
                self.scalar(inner)
        return Leaf(start.line, start.column, inner.end_mark.line, "[")

    def mapping(self, parent: Block | None) -> Block:
        block: Block | None = None
        for key in self.until(yaml.MappingEndEvent):
            start = key.start_mark
            if not self.begins_line(key):
                raise UnsupportedLayoutError
            self.anchors = self.anchors or key.anchor is not None
            block = block or Block(sequence=False, column=start.column, parent=parent)
            value = self.value(next(self.events), block)
            block.entries.append(Entry(block, start.line, getattr(key, "value", "*"), value))
        if block is None:
            raise UnsupportedLayoutError
        return block

    def sequence(self, event: Any, parent: Block | None) -> Block:
        line, column = self.first_dash(event)
        block = Block(sequence=True, column=column, parent=parent)
        for item in self.until(yaml.SequenceEndEvent):
            value = self.value(item, block)
            dash = self.dash_above(value.line, column) if block.entries else line
            block.entries.append(Entry(block, dash, "", value))
        return block

    def until(self, end: type[Any]) -> Iterator[Any]:
        for event in self.events:
            if isinstance(event, end):
                return
            yield event

    def begins_line(self, key: Any) -> bool:
        """Whether only spaces and dashes precede a key on its line."""
        line, column = key.start_mark.line, key.start_mark.column
        word = isinstance(key, yaml.ScalarEvent | yaml.AliasEvent)
        return word and HEAD.fullmatch(self.lines[line][:column]) is not None

    def first_dash(self, event: Any) -> tuple[int, int]:
        """Returns line and column of a list's first dash, which may be below the list's anchor or tag."""
        line, column = event.start_mark.line, event.start_mark.column
        if event.anchor is None and event.tag is None:
            if not HEAD.fullmatch(self.lines[line][:column]):
                raise UnsupportedLayoutError
            return line, column
        below = range(line + 1, len(self.lines))
        line = next(number for number in below if DASH.match(self.lines[number]))
        return line, self.lines[line].index("-")

    def dash_above(self, line: int, column: int) -> int:
        """Returns the line of an item's dash, searching upwards from the item's value."""
        while not (DASH.match(self.lines[line]) and self.lines[line].index("-") == column):
            line -= 1
        return line
