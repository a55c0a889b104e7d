"""What a style sheet, or the `style` of a tag, loads."""

from __future__ import annotations

import re
from collections.abc import Iterator

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
NAMESPACE = re.compile(r"@namespace[^;{}]*", re.IGNORECASE)
NOT_NEWLINE = re.compile(r"[^\n]")
LOADED = re.compile(
    r"""@import\s+(?:"([^"\n]*)"|'([^'\n]*)')"""
    r"""|\burl\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'()]*))\s*\)""",
    re.IGNORECASE,
)


def find_loaded(css: str) -> Iterator[tuple[int, str]]:
    """(offset, URL) of all that is loaded, comments left out. `#…` names what is in the mail itself or in the program."""
    if "url(" not in css.lower() and "@import" not in css.lower():
        return
    css = NAMESPACE.sub(blank, COMMENT.sub(blank, css))
    for found in LOADED.finditer(css):
        url = next((group for group in found.groups() if group), "").strip()
        if url and not url.startswith("#"):
            yield found.start(), url


def blank(found: re.Match[str]) -> str:
    """Blanks as long as what was found, with its line ends, so that later places stay right."""
    return NOT_NEWLINE.sub(" ", found[0])
