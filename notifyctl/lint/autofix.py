"""What `lint --fix` writes: single values replaced where they stand, in the text of their file; nothing else moves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from notifyctl.diagnostics import Diagnostic, Severity

LINE_END = re.compile(r"\r\n|\r|\n")
ANCHOR = re.compile(r"&\S+[ \t]+")
PLAIN_END = re.compile(r"(?=[\s,\]}]|$)")
QUOTES = ('"', "'", "")


def find_fixable(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those with a fix, each place once; none where an error is told as well, because then it is not known what is meant."""
    listed = list(diagnostics)
    wrong = {each.location for each in listed if each.severity is Severity.ERROR and each.fix is None}
    by_place = {each.location: each for each in listed if each.fix is not None}
    return [each for place, each in by_place.items() if place not in wrong]


def apply_fixes(text: str, diagnostics: Sequence[Diagnostic]) -> tuple[str, list[Diagnostic]]:
    """The text of one file with the fixes in it, and those that were made: one that does not match is passed over.

    Lines and columns count as in `Location`; a byte order mark counts nothing.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    starts = [0, *(end.end() for end in LINE_END.finditer(text))]
    made = []
    for diagnostic in sorted(diagnostics, key=lambda each: each.location, reverse=True):
        line, column = diagnostic.location.line, diagnostic.location.column
        if not 0 < line <= len(starts):
            continue
        place = text_at(text, starts[line - 1] + column - 1, diagnostic)
        if place is not None:
            start, end, new = place
            text = text[:start] + new + text[end:]
            made.append(diagnostic)
    return mark + text, made[::-1]


def text_at(text: str, start: int, diagnostic: Diagnostic) -> tuple[int, int, str] | None:
    """From where to where the value stands, and what to write there; None where another text stands."""
    fix = diagnostic.fix
    if fix is None:
        return None
    anchor = ANCHOR.match(text, start)
    start = anchor.end() if anchor else start
    for quote in QUOTES:
        old = f"{quote}{fix.old}{quote}"
        end = start + len(old)
        if text.startswith(old, start) and PLAIN_END.match(text, end):
            return start, end, fix.new if fix.bare else f"{quote}{fix.new}{quote}"
    return None
