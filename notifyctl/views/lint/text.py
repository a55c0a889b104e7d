"""`lint` for the terminal: grouped by file, the source line with a caret below it, the hint, and a last line of
counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from notifyctl.command_line import command_line
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.diagnostics import count_line
from notifyctl.views.lint.context import LintContext

PLACE = 7
"""Minimum width of line and column."""
WIDTH = 100
"""Characters of a source line to show around the column."""
LONGEST = 2000
"""Characters of a message to show."""


def render(diagnostics: Sequence[Diagnostic], surroundings: LintContext) -> str:
    paint = Paint(surroundings.colour)
    lines: list[str] = []
    for file, group in groupby(diagnostics, key=lambda d: d.location.file):
        lines.append(paint.bold(strip_controls(file)))
        source = surroundings.lines(file)
        found = list(group)
        width = max(PLACE, *(len(format_location(each)) for each in found))
        for diagnostic in found:
            lines.extend(block(diagnostic, source, paint, width=width))
        lines.append("")
    lines.append(count_line(diagnostics, paint))
    fixable = sum(diagnostic.fix is not None for diagnostic in diagnostics)
    if fixable:
        lines.append(f"{fixable:,} fixable with: {command_line('lint', '--fix')}")
    return "\n".join(lines)


def format_location(diagnostic: Diagnostic) -> str:
    place = diagnostic.location
    return f"{place.line}:{place.column}" if place.line else "-"


def block(diagnostic: Diagnostic, source: Sequence[str], paint: Paint, *, width: int) -> Iterator[str]:
    shades = {Severity.ERROR: paint.red, Severity.WARNING: paint.yellow, Severity.INFO: paint.blue}
    shade, place = shades[diagnostic.severity], diagnostic.location
    head = f"  {format_location(diagnostic):<{width}} {shade(f'{diagnostic.severity.value:<7}')}"
    margin = " " * (width + 3)
    yield f"{head} {one_line(diagnostic.message)}  {paint.dim(diagnostic.rule)}"
    if 0 < place.line <= len(source) and diagnostic.severity is not Severity.INFO:
        for line in point_at(source[place.line - 1], place.column):
            yield f"{margin}{paint.dim('│')} {line}"
    if diagnostic.hint:
        yield f"{margin}{paint.cyan('→')} {one_line(diagnostic.hint)}"


def one_line(text: str) -> str:
    """Joins lines: a line break in a message could start a line that a CI system takes for a command."""
    whole = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return strip_controls(whole.replace("\r", "\\r").replace("\n", "\\n"))


def point_at(line: str, column: int) -> Iterator[str]:
    """The line, clipped around the column, with a caret below it."""
    start = max(0, min(column - 1 - WIDTH // 2, len(line) - WIDTH))
    lead = "…" if start else ""
    before = lead + strip_controls(line[start : column - 1].expandtabs(1))
    shown = before + strip_controls(line[column - 1 : start + WIDTH].expandtabs(1))
    yield shown + ("…" if start + WIDTH < len(line) else "")
    yield " " * sum(map(cell_width, before)) + "^"


def cell_width(character: str) -> int:
    """Terminal cells of a character: two for Chinese and emoji, none for combining characters."""
    if character.isascii():
        return 1  # control characters are gone
    import unicodedata

    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
