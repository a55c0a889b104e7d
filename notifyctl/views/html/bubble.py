"""An SMS in its bubble: segments tinted, changed words marked, characters outside GSM-7 named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from notifyctl.channels.segments import (
    MULTI_GSM7,
    MULTI_UCS2,
    SINGLE_GSM7,
    SINGLE_UCS2,
    is_gsm7,
    segment,
    segment_starts,
)
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.changed_words import Run, compare_texts
from notifyctl.views.html.markup import Child, Html, el, join

DOT = "•"
JOINED = "[\\u200d\\ufe0e\\ufe0f\\U0001f3fb-\\U0001f3ff]"
"""Joiners, variation selectors and skin tones: a part of the emoji before them."""
MASKED = re.compile(rf"\+\d{{0,3}}{DOT}+\d*|\w{DOT}+@")
"""An address as `mask` leaves it. Its dots stand for characters of GSM-7 but are not in it: segments are counted for the
real text.
"""
PLAIN = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u2022": "*",
        "\u00b4": "'",
        "`": "'",
    }
)
"""Characters that word processors put in, and what GSM-7 has in their place."""
FEW = 8
"""Different characters outside GSM-7 that are named one by one; a text with more is written in another script."""


class SmsText(Struct, frozen=True):
    """`runs`: the text, with what changed; `mark`: the element of a changed run, `ins` or `del`."""

    runs: Sequence[Run]
    unicode: bool = False
    mark: str = "ins"
    lang: str | None = None

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    @property
    def counted(self) -> str:
        """The text as it is counted: same length, without the dots of masked addresses."""
        return MASKED.sub(lambda found: found[0].replace(DOT, "0"), self.text)


def sms(sender: str, shown: SmsText) -> Html:
    return el("div", sender_line(sender), bubble(shown), size_list(shown), class_="phone")


def sender_line(sender: str) -> Html:
    initial = next((letter for letter in sender if letter.isalnum()), "·").upper()
    return el(
        "p", el("span", initial, class_="avatar", aria_hidden="true"), sender or "no sender", class_="from"
    )


def bubble(shown: SmsText) -> Html:
    """The text. Segment 1 has no tint; the others alternate between two."""
    starts = segment_starts(shown.counted, unicode=shown.unicode)
    odd = odd_characters(shown)
    bounds = [0, *starts, len(shown.text)]
    inside: list[Child] = []
    for number, (start, end) in enumerate(pairwise(bounds), start=1):
        pieces = list(marked(cut(shown.runs, start, end), shown.mark, odd))
        if number == 1:
            inside += pieces
        else:
            inside.append(el("span", f" (segment {number}) ", class_="vh"))
            inside.append(el("mark", *pieces, class_=tint(number)))
    return el("p", *inside, class_="bubble", lang=shown.lang)


def tint(number: int) -> str:
    return "seg2" if number % 2 == 0 else "seg3"


def cut(runs: Sequence[Run], start: int, end: int) -> Iterator[Run]:
    """The runs between two positions of the text."""
    at = 0
    for run in runs:
        piece = run.text[max(start - at, 0) : max(end - at, 0)]
        at += len(run.text)
        if piece:
            yield Run(piece, run.changed)


def marked(runs: Iterable[Run], mark: str, odd: Sequence[str] = ()) -> Iterator[Child]:
    """Runs as markup; each changed one is an element of name `mark`, without the blanks around it."""
    for run in runs:
        core = run.text.strip() if run.changed else ""
        before, after = run.text.split(core, 1) if core else (run.text, "")
        yield from boxed(before, odd)
        if core:
            yield el(mark, *boxed(core, odd))
        yield from boxed(after, odd)


def boxed(text: str, odd: Sequence[str]) -> Iterator[Child]:
    if not odd:
        if text:
            yield text
        return
    for piece in re.split(f"([{re.escape(''.join(odd))}]{JOINED}*)", text):
        if piece and piece[0] in odd:
            yield el("mark", piece, class_="odd")
        elif piece:
            yield piece


def odd_characters(shown: SmsText) -> list[str]:
    """What forces a text out of GSM-7, at most FEW characters; none if the text is in another script."""
    found = [
        character
        for character in dict.fromkeys(shown.counted)
        if not is_gsm7(character) and not re.match(JOINED, character)
    ]
    return [] if len(found) > FEW else found


def size_list(shown: SmsText) -> Html:
    """How many segments, how full each is, and why: also the legend of the tints."""
    counted = segment(shown.counted, unicode=shown.unicode)
    starts = [0, *segment_starts(shown.counted, unicode=shown.unicode), len(shown.counted)]
    gsm = counted.encoding == "GSM-7"
    several = counted.segments > 1
    most = (MULTI_GSM7 if gsm else MULTI_UCS2) if several else (SINGLE_GSM7 if gsm else SINGLE_UCS2)
    total = f" {pluralise(counted.units, 'character')}, {counted.encoding}"
    lines = [el("li", el("b", pluralise(counted.segments, "segment")), total)]
    if several:
        used = [units(shown.counted[start:end], gsm=gsm) for start, end in pairwise(starts)]
        meters = [meter(number, count, most) for number, count in enumerate(used, start=1)]
        lines.append(el("li", el("ol", *meters, class_="meters")))
    return el("ul", *lines, *(el("li", *line) for line in explain_odd(shown)), class_="size")


def meter(number: int, used: int, most: int) -> Html:
    words = f"{used} of {most}"
    return el(
        "li",
        el("span", class_="key" if number == 1 else f"key {tint(number)}", aria_hidden="true"),
        el("span", el("span", "Segment ", class_="vh"), str(number)),
        el("meter", words, min="0", max=str(most), value=str(used), aria_label=f"Segment {number}"),
        words,
    )


def units(text: str, *, gsm: bool) -> int:
    return segment(text, unicode=not gsm).units


def explain_odd(shown: SmsText) -> Iterator[list[Child]]:
    """Which characters cost the GSM-7 alphabet, and what plain ones would make of the text."""
    counted = segment(shown.counted, unicode=shown.unicode)
    if counted.encoding == "GSM-7":
        return
    odd = odd_characters(shown)
    key = el("span", class_="key odd", aria_hidden="true")
    if not odd:
        if is_gsm7(shown.counted):
            yield [
                el(
                    "span",
                    "Sent as UCS-2 because of ",
                    el("code", "type: unicode"),
                    "; every character is in GSM-7.",
                )
            ]
        else:
            yield [el("span", "Written with characters outside GSM-7.")]
        return
    names = join(*separated([named(character) for character in odd]))
    verb = "is" if len(odd) == 1 else "are"
    sentence: list[Child] = [names, f" {verb} not in GSM-7."]
    plain = shown.counted.translate(PLAIN)
    if is_gsm7(plain):
        then = segment(plain).segments
        if then < counted.segments:
            sentence.append(f" With plain punctuation the text has {pluralise(then, 'segment')}.")
    yield [key, el("span", *sentence)]


def named(character: str) -> Html:
    name = unicodedata.name(character, "").lower()
    code = f"U+{ord(character):04X}"
    words = f"{name}, {code}" if name else code
    return join(el("b", character), el("small", f" ({words})"))


def separated(parts: Sequence[Html]) -> Iterator[Child]:
    for number, part in enumerate(parts):
        if number:
            yield ", "
        yield part


def inline_diff(before: str, after: str) -> Iterator[Child]:
    """One text with what was removed and what was added."""
    for step in compare_texts(before, after):
        if step.same:
            yield step.after
            continue
        yield from marked([Run(step.before, changed=True)], "del")
        if step.before.strip() and step.after.strip():
            yield " "
        yield from marked([Run(step.after, changed=True)], "ins")
