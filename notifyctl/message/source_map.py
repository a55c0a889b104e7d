"""Where a character of a composed text is written: in a YAML file, a text file, or a file that one of them includes.

A text that Jinja2 changed is rendered once more with marks between its parts. That happens only for a text with a problem.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from notifyctl.diagnostics import Location
from notifyctl.ports import FileTree

if TYPE_CHECKING:
    from notifyctl.message.jinja_trace import TracedText

WORD = re.compile(r"\S{1,40}")


class TextSource(Struct, frozen=True):
    """A text before rendering. `name` is its template's: a path in the project, with `#field` behind it for a string of a YAML file.
    `place` is the value in YAML, or the beginning of the file.
    """

    place: Location
    name: str
    text: str


class Locator:
    """Finds where the characters of one composed text are written. The text is rendered again at most once."""

    def __init__(
        self, source: TextSource, composed: str, *, files: FileTree, variables: Mapping[str, Any]
    ) -> None:
        self.source = source
        self.composed = composed
        self.files = files
        self.variables = variables

    def locate(self, line: int, column: int) -> Location:
        """Where the character at `line` and `column` of the composed text is written; the whole text where that is not certain."""
        source = self.source
        if source.text == self.composed:
            return locate_in_source(source, source.name, line, column, files=self.files)
        if self.traced is None or self.traced.text != self.composed:
            return source.place if "#" in source.name else Location(source.place.file)
        place = self.traced.find(offset_of(self.composed, line, column))
        return locate_in_source(source, *place, files=self.files)

    @cached_property
    def traced(self) -> TracedText | None:
        from notifyctl.message.jinja_trace import trace

        return trace(self.source.text, self.source.name, self.variables, files=self.files)


def locate_in_source(
    source: TextSource, template: str, line: int, column: int, *, files: FileTree
) -> Location:
    """Where a character of a template is: of `source` itself, or of a file that it includes."""
    if "#" not in template:
        return Location(template, line, column)
    try:
        lines = files.read(source.place.file).decode("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return source.place
    return find_in_yaml(lines, source.place, source.text, line, column)


def find_in_yaml(lines: Sequence[str], place: Location, text: str, line: int, column: int) -> Location:
    """Finds a character of a string in the lines of its YAML file, by the word that begins there; `place` if it is not found.

    So it does without the rules of each of YAML's styles.
    """
    offset = offset_of(text, line, column)
    match = WORD.match(text, offset)
    word = match[0] if match else text[offset : offset + 1]
    if not word.strip("\n") or not 0 < place.line <= len(lines):
        return place
    before = text.count(word, 0, offset)
    indent = indent_of(lines[place.line - 1])
    for number in range(place.line, len(lines) + 1):
        row = lines[number - 1]
        if number > place.line and row.strip() and indent_of(row) <= indent:
            break
        at = row.find(word, place.column - 1 if number == place.line else 0)
        while at >= 0:
            if not before:
                return Location(place.file, number, at + 1)
            before -= 1
            at = row.find(word, at + len(word))
    return place


def indent_of(row: str) -> int:
    return len(row) - len(row.lstrip())


def offset_of(text: str, line: int, column: int) -> int:
    """The offset of a line and column, both from 1."""
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start + column - 1


def position_of(text: str, offset: int) -> tuple[int, int]:
    """The line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
