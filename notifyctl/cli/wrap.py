"""Wraps the lines of a text at the width of a terminal: between words, with a hanging indent, colours kept.

A word that is longer than a line stays whole. A command to paste that is broken gets a backslash at the end of the line, so that it
can still be pasted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
WORD = re.compile(r"\S+")
COMMAND = re.compile(r"(?:run|with): ((?:cd \S+ && )?notifyctl .*?)(?=\.\s|\s\(|;\s|$)", re.IGNORECASE)
"""A command in a sentence: up to the end of the line, of the sentence, or a bracket."""
BAR = re.compile(r"^\s*│ ?")
LABEL = re.compile(r"^\s*(?:[→┌⚠•] |- )?")
COLUMN = re.compile(r"(?<=\S) {2,}(?=\S)")
DEEPEST = 0.5
"""How far to the right a hanging indent may be, as a part of the width."""
STEP = 2
"""How much further in a line without columns continues."""


def wrap_text(text: str, width: int) -> str:
    """The text with each line of at most `width` columns, as far as its words allow."""
    if width < 1:
        return text
    return "\n".join(part for line in text.split("\n") for part in wrap_line(line, width))


def wrap_line(line: str, width: int) -> Iterator[str]:
    plain = ESCAPE.sub("", line)
    if columns(plain) <= width:
        yield line
        return
    bar = BAR.match(plain)
    indent = bar[0] if bar else " " * hanging_indent(plain, width)
    commands = [found.span(1) for found in COMMAND.finditer(plain)]
    written, used = "", 0
    for gap, word, end in split_words(line):
        start = end - len(ESCAPE.sub("", word))
        size = columns(ESCAPE.sub("", word))
        room = columns(gap) if used else 0
        pasted = any(first < start < last for first, last in commands)
        continues = any(first < end < last for first, last in commands)
        if written and used + room + size + (2 if continues else 0) > width and used > columns(indent):
            yield written + (" \\" if pasted else "")
            written, used = indent + word, columns(indent) + size
        else:
            written += gap + word
            used += columns(gap) + size
    yield written


def split_words(line: str) -> Iterator[tuple[str, str, int]]:
    """(blanks before, word with its colours, where it ends in the line without colours). Wide letters are words by themselves."""
    place = 0
    for found in re.finditer(r"( *)((?:\x1b\[[0-9;]*m|[^ ])*)", line):
        gap, chunk = found[1], found[2]
        place += len(gap)
        if not gap and not chunk:
            continue
        for piece in pieces(chunk):
            place += len(ESCAPE.sub("", piece))
            yield gap, piece, place
            gap = ""


def pieces(chunk: str) -> list[str]:
    """A chunk without blanks, divided where its script allows a break without one: beside wide letters."""
    if chunk.isascii() or not any(is_wide(letter) for letter in chunk):
        return [chunk]
    found = [""]
    for letter in chunk:
        breaks = found[-1] and (is_wide(letter) or is_wide(found[-1][-1])) and letter not in CLOSING
        if breaks and "\x1b" not in found[-1]:
            found.append("")
        found[-1] += letter
    return found


CLOSING = frozenset("\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff01\uff1f\uff09\u300d\u300f\u3011\u200d\ufe0f")
"""Does not begin a line."""


def is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"


def columns(text: str) -> int:
    """How many columns of a terminal a text without colours takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(each) or unicodedata.category(each) in {"Cf", "Mn", "Me"}
        else 2
        if is_wide(each)
        else 1
        for each in text
    )


def hanging_indent(plain: str, width: int) -> int:
    """Where a line continues: below its last column in the left half, else a step further in than it begins."""
    stops = [
        found.end() for found in COLUMN.finditer(plain) if columns(plain[: found.end()]) <= width * DEEPEST
    ]
    if stops:
        column = columns(plain[: stops[-1]])
        longest = max(map(columns, WORD.findall(plain[stops[-1] :])), default=0)
        if column + longest <= width:
            return column
    label = LABEL.match(plain)
    return min((len(label[0]) if label else 0) + STEP, width // 3)
