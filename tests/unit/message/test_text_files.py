"""Where a line of a composed text is in the file that it was read from."""

from __future__ import annotations

from notifyctl.diagnostics import Location
from notifyctl.message.compose import TextFile

FILE = TextFile("m.html", "<p>\n{% include 'head.html' %}\n<img>\n<img>\n<hr>")


def test_lines_stay_where_rendering_keeps_their_number() -> None:
    assert FILE.location("<p>\nhead\n<img>\n<img>\n<hr>", 4) == Location("m.html", 4, 1)


def test_a_line_that_moved_is_found_by_its_text() -> None:
    assert FILE.location("<p>\nmany\nlines\n<img>\n<img>\n<hr>", 6) == Location("m.html", 5, 1)


def test_a_line_that_is_not_certain_is_reported_at_the_file() -> None:
    assert FILE.location("<p>\nmany\nlines\n<img>\n<img>\n<hr>", 4) == Location("m.html")
