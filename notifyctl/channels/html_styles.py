"""What style sheets say of words: which elements they hide, and which words they add. Enough for a review, not a browser."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

HIDING = re.compile(r"display:none|visibility:hidden|(?:max-height|opacity):0(?![.]?[1-9])", re.IGNORECASE)
"""Styles that hide an element. Layouts set `font-size:0` on what is seen, so that is none of them."""
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
SIMPLE = re.compile(r"^\s*(?:[a-z0-9]+)?([.#][\w-]+)\s*$", re.IGNORECASE)
GENERATED = re.compile(r"""content\s*:\s*(?:"([^"\n]*)"|'([^'\n]*)')""", re.IGNORECASE)
ATTRIBUTES = re.compile(r"content\s*:[^;{}]{0,200}?attr\(\s*([\w-]+)", re.IGNORECASE)
BLANKS = re.compile(r"\s+")


def hides(style: str) -> bool:
    """Whether declarations hide an element."""
    return HIDING.search(BLANKS.sub("", style)) is not None


def find_hidden_names(markup: str, ends: list[int]) -> frozenset[str]:
    """`.class` and `#id` that a style sheet hides, by rules outside of media queries. `ends`: where `</style>` is."""
    found: set[str] = set()
    read_to = 0
    for start in re.finditer(r"<style\b[^<>]*>", markup, re.IGNORECASE):
        end = next_after(ends, start.end())
        if end is None or start.start() < read_to:
            continue
        read_to = end
        for selectors, body in RULE.findall(outside_media(markup[start.end() : end])):
            if hides(body):
                found.update(match[1] for each in selectors.split(",") if (match := SIMPLE.match(each)))
    return frozenset(found)


def outside_media(sheet: str) -> str:
    """The rules of a style sheet that hold everywhere: without `@media` and its like."""
    kept, depth, start = [], 0, 0
    for brace in re.finditer(r"@[^{};]*\{|[{}]", sheet):
        if brace[0].startswith("@"):
            if not depth:
                kept.append(sheet[start : brace.start()])
            depth += 1
        elif depth:
            depth += 1 if brace[0] == "{" else -1
            start = brace.end()
    if not depth:
        kept.append(sheet[start:])
    return "".join(kept)


def find_shown_attributes(markup: str) -> frozenset[str]:
    """Names of attributes that a style sheet shows, as `content: attr(data-price)` does."""
    return frozenset(name.lower() for name in ATTRIBUTES.findall(markup))


def generated_texts(sheet: str) -> Iterator[str]:
    for double, single in GENERATED.findall(sheet):
        yield (double or single).strip()


def next_after(places: list[int], place: int) -> int | None:
    """The first of the ascending places that is not before `place`."""
    at = bisect_left(places, place)
    return places[at] if at < len(places) else None


def places_of(pattern: str, text: str) -> list[int]:
    return [found.start() for found in re.finditer(pattern, text, re.IGNORECASE)]
