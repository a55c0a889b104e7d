"""Renders a template with a mark in front of each part of its text, and reads from the marks where the parts come from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from msgspec import Struct

from notifyctl.message.jinja import Sandbox, render
from notifyctl.ports import FileTree

DIGITS, END = "".join(map(chr, range(0xFDD0, 0xFDDA))), chr(0xFDDA)
"""Noncharacters of Unicode: no text has them, and no filter changes them."""
MARK = re.compile(f"([{DIGITS}]+){END}")
FROM_DIGITS = str.maketrans(DIGITS, "0123456789")
TO_DIGITS = str.maketrans("0123456789", DIGITS)


class Origin(Struct, frozen=True):
    """The beginning of a part: its template, line and column. A value is all at the place of its expression."""

    template: str
    line: int
    column: int
    is_value: bool


class TracedText(Struct, frozen=True):
    """A rendered text and the origins of its parts, by the offsets at which they begin."""

    text: str
    starts: list[int]
    origins: list[Origin]

    def find(self, offset: int) -> tuple[str, int, int]:
        """The template, line and column of a character."""
        number = max(bisect_right(self.starts, offset) - 1, 0)
        origin = self.origins[number]
        into = 0 if origin.is_value else offset - self.starts[number]
        return origin.template, origin.line, origin.column + into


class Marks(Extension):
    """Puts a mark in front of each line of a template's text, and of each expression."""

    priority = 200
    """After the other extensions."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.origins: list[Origin] = []
        self.sources: dict[str, list[str]] = {}

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        self.sources[str(name)] = source.split("\n")
        return source

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        name = str(stream.name)
        rows = self.sources[name]
        last = after = 0
        """The line looked at last, and the column behind what was seen in it."""
        for token in stream:
            if token.lineno != last:
                last, after = token.lineno, 0
            if token.type == "data":
                parts = token.value.split("\n")
                marked = []
                for number, part in enumerate(parts):
                    line = token.lineno + number
                    after = max(rows[line - 1].find(part, after), 0) if not number else 0
                    marked.append((self.mark(name, line, after + 1, is_value=False) if part else "") + part)
                    after += len(part)
                last = token.lineno + len(parts) - 1
                yield Token(token.lineno, "data", "\n".join(marked))
            elif token.type == "variable_begin":
                after = max(rows[token.lineno - 1].find("{{", after), 0)
                yield Token(token.lineno, "data", self.mark(name, token.lineno, after + 1, is_value=True))
                after += len("{{")
                yield token
            else:
                yield token

    def mark(self, template: str, line: int, column: int, *, is_value: bool) -> str:
        self.origins.append(Origin(template, line, column, is_value))
        return str(len(self.origins) - 1).translate(TO_DIGITS) + END


def trace(source: str, name: str, variables: Mapping[str, Any], *, files: FileTree) -> TracedText | None:
    """Renders the template `name` with the origins of its text. None if that fails, or if there are none."""
    sandbox = Sandbox(files, extensions=(Marks,))
    try:
        marked = render(sandbox, source, name, variables)
    except Exception:  # noqa: BLE001 - the marks can make a template fail that is right without them
        return None
    origins = sandbox.extensions[Marks.identifier].origins  # type: ignore[attr-defined]  # it is one of these
    starts: list[int] = []
    found: list[Origin] = []
    parts: list[str] = []
    size = at = 0
    for mark in MARK.finditer(marked):
        parts.append(marked[at : mark.start()])
        size += mark.start() - at
        at = mark.end()
        starts.append(size)
        found.append(origins[int(mark[1].translate(FROM_DIGITS))])
    parts.append(marked[at:])
    return TracedText("".join(parts), starts, found) if found else None
