"""`lint` for people: grouped by file, the source line with a caret below it, the way out, a last line of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.views.diagnostics import count_line
from notifyctl.views.lint.surroundings import Surroundings
from notifyctl.views.paint import Paint, inert

WIDTH = 100
"""Characters of a source line that are shown, around the column that is meant."""
LONGEST = 2000
"""Characters of a message that are shown."""


def render(diagnostics: Sequence[Diagnostic], surroundings: Surroundings) -> str:
    paint = Paint(surroundings.colour)
    lines: list[str] = []
    for file, group in groupby(diagnostics, key=lambda d: d.location.file):
        lines.append(paint.bold(inert(file)))
        source = surroundings.lines(file)
        for diagnostic in group:
            lines.extend(block(diagnostic, source, paint))
        lines.append("")
    lines.append(count_line(diagnostics, paint))
    fixable = sum(diagnostic.fix is not None for diagnostic in diagnostics)
    if fixable:
        lines.append(f"{fixable:,} of them can be mended by `notifyctl lint --fix`")
    return "\n".join(lines)


def block(diagnostic: Diagnostic, source: Sequence[str], paint: Paint) -> Iterator[str]:
    shades = {Severity.ERROR: paint.red, Severity.WARNING: paint.yellow, Severity.INFO: paint.blue}
    shade, place = shades[diagnostic.severity], diagnostic.location
    where = f"{place.line}:{place.column}" if place.line else "-"
    head = f"  {where:<7} {shade(f'{diagnostic.severity.value:<7}')}"
    yield f"{head} {one_line(diagnostic.message)}  {paint.dim(diagnostic.rule)}"
    if 0 < place.line <= len(source) and diagnostic.severity is not Severity.INFO:
        yield from pointed(source[place.line - 1], place.column, paint)
    if diagnostic.hint:
        yield f"          {paint.cyan('→')} {one_line(diagnostic.hint)}"


def one_line(text: str) -> str:
    """A line break in a message could begin a line of its own, which a CI system may take for a command."""
    whole = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return inert(whole.replace("\r", "\\r").replace("\n", "\\n"))


def pointed(line: str, column: int, paint: Paint) -> Iterator[str]:
    """The line, clipped around the column, and a caret below it."""
    start = max(0, min(column - 1 - WIDTH // 2, len(line) - WIDTH))
    before = inert(line[start : column - 1].expandtabs(1))
    shown = before + inert(line[column - 1 : start + WIDTH].expandtabs(1))
    lead = "…" if start else ""
    tail = "…" if start + WIDTH < len(line) else ""
    yield f"          {paint.dim('│')} {lead}{shown}{tail}"
    yield f"          {paint.dim('│')} {' ' * (len(lead) + len(before))}{paint.bold('^')}"
