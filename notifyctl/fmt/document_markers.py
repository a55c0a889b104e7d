"""Normalises document markers: one `---` between two documents, none elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from notifyctl.fmt.outline import Outline

MARKER = re.compile(r"(---|\.\.\.)(\s.*)?")
INDENTED_COMMENT = re.compile(r"[ \t]+#")


def divide_documents(lines: Sequence[str], outline: Outline) -> list[str]:
    """Returns the lines with one `---` between documents. A marker with more text on its line stays as it is."""
    result: list[str | None] = list(lines)
    for first, after, between in find_gaps(outline, len(lines)):
        markers = [
            number
            for number in range(first, after + 1)
            if MARKER.fullmatch("".join(lines[number : number + 1]))
        ]
        bare = [number for number in markers if lines[number].rstrip() in ("---", "...")]
        has_content = len(markers) > len(bare)
        # Without a marker above it, an indented comment could become part of the preceding text.
        open_above = first > 0 and (has_content or not between)
        inside = lines[first:after]
        directive = any(line.startswith("%") for line in inside)
        if directive or (open_above and any(map(INDENTED_COMMENT.match, inside))):
            continue
        for number in bare:
            result[number] = None
        if between and not has_content:
            result[bare[0]] = "---"
    return [line for line in result if line is not None]


def find_gaps(outline: Outline, end: int) -> Iterator[tuple[int, int, bool]]:
    """Yields the line ranges without content: first line, the line after the last, and whether it has documents on
    both sides.
    """
    first = 0
    for root in outline.documents:
        yield first, root.line, first > 0
        first = root.last + 1
    yield first, end, False
