"""Applies fixes of `lint --fix`: replaces single values in the text of a file and leaves the rest unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from notifyctl.diagnostics import Diagnostic, Severity

LINE_END = re.compile(r"\r\n|\r|\n")
ANCHOR = re.compile(r"&\S+[ \t]+")
PLAIN_END = re.compile(r"(?=[\s,\]}]|$)")
QUOTES = ('"', "'", "")


def find_fixable(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Returns diagnostics with a fix, one per location. Skips locations that also have an error without a fix."""
    listed = list(diagnostics)
    wrong = {each.location for each in listed if each.severity is Severity.ERROR and each.fix is None}
    by_place = {each.location: each for each in listed if each.fix is not None}
    return [each for place, each in by_place.items() if place not in wrong]


def apply_fixes(text: str, diagnostics: Sequence[Diagnostic]) -> tuple[str, list[Diagnostic]]:
    """Returns the fixed text of one file and the applied diagnostics. A fix that does not match is skipped.

    Lines and columns count as in `Location`, without a byte order mark.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    starts = [0, *(end.end() for end in LINE_END.finditer(text))]
    applied = []
    for diagnostic in sorted(diagnostics, key=lambda each: each.location, reverse=True):
        line, column = diagnostic.location.line, diagnostic.location.column
        if not 0 < line <= len(starts):
            continue
        place = text_at(text, starts[line - 1] + column - 1, diagnostic)
        if place is not None:
            start, end, new = place
            text = text[:start] + new + text[end:]
            applied.append(diagnostic)
    return mark + text, applied[::-1]


def text_at(text: str, start: int, diagnostic: Diagnostic) -> tuple[int, int, str] | None:
    """Returns start and end of the value and its replacement; None if the text does not match."""
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
