"""Which words of two texts differ. Pure; bounded for long texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

WORD = re.compile(
    r"https?://\S+"
    r"|\s+"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"  # scripts that put no blank between words: by character
    r"|\+?[\w$]+(?:['\u2019.,:/@-]\w+)*"
    r"|.",
    re.DOTALL,
)
"""A link, blanks, a word (also `o'clock`, `10:30`, `a@b.example`), or any other character."""
LINE = re.compile(r"[^\n]*\n|[^\n]+")
MOST_PAIRS = 4_000_000
"""Pairs of words that are compared with each other; longer texts are compared by line first."""


class Run(NamedTuple):
    """A piece of a text, and whether it differs from the other text."""

    text: str
    changed: bool


class Step(NamedTuple):
    """A piece of both texts: the same in both, or removed and added."""

    before: str
    after: str
    same: bool


def compare_words(before: str, after: str) -> tuple[list[Run], list[Run]]:
    """The two texts in runs, of which the changed ones are whole words."""
    steps = list(compare_texts(before, after))
    old = [Run(step.before, changed=not step.same) for step in steps if step.before]
    new = [Run(step.after, changed=not step.same) for step in steps if step.after]
    return old, new


def compare_texts(before: str, after: str) -> Iterator[Step]:
    """Both texts from start to end. Changes with nothing but blanks between them are one."""
    was = now = ""
    steps = list(steps_of(before, after))
    for number, step in enumerate(steps):
        between = (was or now) and number + 1 < len(steps) and not step.before.strip()
        if not step.same or between:
            was, now = was + step.before, now + step.after
            continue
        if was or now:
            yield Step(was, now, same=False)
        was = now = ""
        yield step
    if was or now:
        yield Step(was, now, same=False)


def steps_of(before: str, after: str) -> Iterator[Step]:
    old, new = WORD.findall(before), WORD.findall(after)
    start = same_length(old, new)
    end = same_length(old[start:][::-1], new[start:][::-1])
    yield from unchanged(old[:start])
    yield from steps_between(old[start : len(old) - end], new[start : len(new) - end])
    yield from unchanged(old[len(old) - end :])


def same_length(old: Sequence[str], new: Sequence[str]) -> int:
    """How many words both begin with."""
    pairs = zip(old, new, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))


def unchanged(words: Sequence[str]) -> Iterator[Step]:
    text = "".join(words)
    if text:
        yield Step(text, text, same=True)


def steps_between(old: Sequence[str], new: Sequence[str]) -> Iterator[Step]:
    if len(old) * len(new) <= MOST_PAIRS:
        yield from match(old, new)
        return
    # Lines that occur very often are no anchors: with them the comparison takes quadratic time.
    for step in match(LINE.findall("".join(old)), LINE.findall("".join(new)), rare_only=True):
        was, now = WORD.findall(step.before), WORD.findall(step.after)
        if step.same or len(was) * len(now) > MOST_PAIRS:
            yield step
        else:
            yield from match(was, now)


def match(old: Sequence[str], new: Sequence[str], *, rare_only: bool = False) -> Iterator[Step]:
    codes = SequenceMatcher(None, old, new, autojunk=rare_only).get_opcodes()
    moved = 0  # by how many words the last change was moved to the right: they are the first of what follows
    for number, (kind, i, j, k, m) in enumerate(codes):
        if kind == "equal":
            yield Step("".join(old[i + moved : j]), "".join(new[k + moved : m]), same=True)
            moved = 0
            continue
        following = codes[number + 1] if number + 1 < len(codes) else (kind, j, j, m, m)
        words = {"delete": old[i:j], "insert": new[k:m]}.get(kind, ())
        moved = slide(words, new[m : following[4]])
        yield from unchanged(new[m : m + moved])
        yield Step(rotate(old[i:j], moved), rotate(new[k:m], moved), same=False)


def rotate(words: Sequence[str], by: int) -> str:
    return "".join([*words[by:], *words[:by]])


def slide(words: Sequence[str], behind: Sequence[str]) -> int:
    """By how many words a change can begin later, where it begins with the stops and blanks that also follow it: so that a new
    sentence is marked, and not the stop before it with the new sentence but for its own.
    """
    found = 0
    while (
        found < min(len(words), len(behind))
        and words[found] == behind[found]
        and not words[found][0].isalnum()
    ):
        found += 1
    return found if found < len(words) else 0
