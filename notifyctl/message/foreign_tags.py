"""Tags of other template languages, which Jinja2 cannot read or reads as something else: Handlebars, Mustache, Go, numbered ones.

`{{1}}`, as in templates of WhatsApp, would become the number 1, and `{#var#}`, as in Indian SMS, would vanish.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from notifyctl.message.jinja_comments import COMMENT, OPEN, PLACEHOLDER, RAW, end_of_tag

NUMBERED = re.compile(r"\{\{[~-]?\s*\d{1,3}\s*[~-]?\}\}")
NOTE = re.compile(r"\{\{[~-]?!--.*?--[~-]?\}\}|\{\{[~-]?![^{}]*\}\}", re.DOTALL)
BLOCK = re.compile(
    r"\{\{[~-]?\s*(?:[#/^]|else\b|(?:if|range|with|each|unless)\s+[^\s{}|(=])[^{}]*\}\}", re.IGNORECASE
)
PARTIAL = re.compile(r"\{\{[~-]?\s*(?:>|(?:template|define|block)\s+\")[^{}]*\}\}")
VALUE = re.compile(
    r"\{\{\{[~-]?\s*&?[A-Za-z_][\w.: |'\"-]*\}\}\}|\{\{[~-]?\s*(?:[&@$.=]|[A-Za-z_][\w.]*:)[^{}]*\}\}"
)
OWN_VALUE = "for each recipient's own value write $({})"
CONDITIONS = (
    "; a condition or loop over `vars` is written {% if … %} … {% endif %} or {% for … %} … {% endfor %}"
)
NOT_NEWLINE = re.compile(r"[^\n]")
SHOWN = 60
"""Characters of a tag in a message."""


class ForeignTag(Struct, frozen=True):
    """A tag from `start` to `end` of a template, what is wrong with it, and what to write."""

    start: int
    end: int
    message: str
    hint: str


class ForeignTagError(Exception):
    """A template that Jinja2 would render, with a tag of another language. `explain_error` finds all of them."""


def refuse_numbered(source: str) -> None:
    """Raises ForeignTagError for a numbered placeholder, which Jinja2 takes as a number."""
    if NUMBERED.search(source) and any(
        NUMBERED.match(source, tag.start) for tag in find_foreign_tags(source)
    ):
        raise ForeignTagError


def find_foreign_tags(source: str) -> Iterator[ForeignTag]:
    """In order. Comments and raw blocks are left out."""
    at = 0
    while (found := OPEN.search(source, at)) is not None:
        start = found.start()
        if COMMENT.match(source, start):
            close = source.find("#}", start)
            at = close + len("#}") if close >= 0 else len(source)
        elif (tag := classify(source, start)) is not None:
            yield tag
            at = tag.end
        elif found[0] == "{#":
            at = start + len("{#")
        else:
            end = end_of_tag(source, start)
            if end is None and RAW.match(source, start):
                return  # never closed: all that follows is raw
            at = end if end is not None else start + len("{{")


def classify(source: str, start: int) -> ForeignTag | None:
    if found := PLACEHOLDER.match(source, start):
        hint = OWN_VALUE.format("name") + "; a comment has spaces inside its marks: {# note #}"
        return tag_of(found, "is a placeholder of another system, and would vanish here", hint)
    if RAW.match(source, start):
        return None
    if found := NUMBERED.match(source, start):
        return tag_of(
            found, "is a placeholder of another system, and would become a number", OWN_VALUE.format("name")
        )
    if found := NOTE.match(source, start):
        return tag_of(found, "is a comment of Handlebars or Mustache", "write {# note #}")
    if found := BLOCK.match(source, start):
        return tag_of(
            found, "is a block of Handlebars, Mustache or Go", OWN_VALUE.format("name") + CONDITIONS
        )
    if found := PARTIAL.match(source, start):
        return tag_of(found, "is a partial of Handlebars, Mustache or Go", "write {% include 'file.html' %}")
    if found := VALUE.match(source, start):
        words = re.findall(r"[A-Za-z_]\w*", found[0])
        hint = (
            "write $(unsubscribe), which the platform fills in"
            if "unsub" in found[0].lower()
            else OWN_VALUE.format(words[-1] if words else "name")
        )
        return tag_of(found, "is a value of Handlebars, Mustache or Go", hint)
    return None


def tag_of(found: re.Match[str], what: str, hint: str) -> ForeignTag:
    text = " ".join(found[0].split())
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return ForeignTag(found.start(), found.end(), f"`{shown}` {what}", hint)


def blank_tags(source: str, tags: Iterable[ForeignTag]) -> str:
    """The template with blanks in place of tags: of the same length, with the same lines."""
    parts: list[str] = []
    at = 0
    for tag in tags:
        parts += [source[at : tag.start], NOT_NEWLINE.sub(" ", source[tag.start : tag.end])]
        at = tag.end
    return "".join([*parts, source[at:]])
