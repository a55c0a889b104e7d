"""HTML with parts of it blanked out: the same length and lines, so that places found in it are places in the HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator

WRITTEN = re.compile(r"[^\n]")
QUOTED = re.compile(r"""=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+)""")
TAG = re.compile(r"<[A-Za-z/!?][^<>]*>?")
NEVER_SHOWN = ("style", "script")


def blank(text: str) -> str:
    return WRITTEN.sub(" ", text)


def find_comments(html: str) -> Iterator[tuple[int, int]]:
    """Comments that no mail program shows. Outlook reads `<!--[if mso]> … <![endif]-->`, and others what is between two of them."""
    end = 0
    while (start := html.find("<!--", end)) >= 0:
        close = html.find("-->", start)
        end = close + 3 if close >= 0 else len(html)
        if not html.startswith("[if", start + 4):
            yield start, end


def find_unshown(html: str) -> Iterator[tuple[int, int]]:
    """What is inside of style sheets and scripts."""
    lower = html.lower()
    for tag in NEVER_SHOWN:
        end = 0
        while (start := lower.find(f"<{tag}", end)) >= 0:
            opened = lower.find(">", start)
            close = lower.find(f"</{tag}", start)
            end = close if close >= 0 else len(html)
            yield opened + 1 if 0 <= opened < end else start, end
            end += 1


def blank_spans(html: str, spans: Iterator[tuple[int, int]]) -> str:
    parts: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start < at:
            continue
        parts += [html[at:start], blank(html[start:end])]
        at = end
    return "".join([*parts, html[at:]])


def blank_comments(html: str) -> str:
    return blank_spans(html, find_comments(html))


def blank_markup(html: str) -> str:
    """Only text and the values of attributes are left."""
    return TAG.sub(keep_values, blank_spans(html, find_unshown(html)))


def keep_values(found: re.Match[str]) -> str:
    """A tag with its values of attributes, and blanks in place of all else."""
    tag = found[0]
    parts: list[str] = []
    at = 0
    for value in QUOTED.finditer(tag):
        parts += [blank(tag[at : value.start()]), value[0]]
        at = value.end()
    return "".join([*parts, blank(tag[at:])])
