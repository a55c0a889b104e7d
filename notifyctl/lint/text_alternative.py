"""Whether the text alternative of an HTML email says something else: most recipients see the one, some the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from notifyctl.channels.html_words import read_html
from notifyctl.diagnostics import Problem, Severity
from notifyctl.model.message import Message

RULE = "text-alternative-differs"
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
TARGET = re.compile(
    r"<[^<>\s]*>|https?://\S+|\[image [^\]\s]*\]|\[(?:image|hidden|Outlook[^:\]]*):", re.IGNORECASE
)
"""Links, which are written out in one and behind a word in the other; and what `html_words` adds itself."""
SHARED = 0.5
"""Of the words of either, at least this share is expected in the other."""


def check_alternative(message: Message) -> Iterator[Problem]:
    content = message.content or {}
    markup, text = content.get("html"), content.get("text")
    if not isinstance(markup, str) or not isinstance(text, str):
        return
    words = read_html(markup)
    shown, alternative = count_words(f"{words.hidden} {words.text}"), count_words(text)
    if not shown or not alternative:
        return  # a picture alone, or no alternative
    common = (shown & alternative).total()
    if common < SHARED * max(shown.total(), alternative.total()):
        problem = (
            f"the text alternative differs from the HTML: {shown.total():,} words in the HTML, {alternative.total():,} in the"
            f" text, {common:,} in both"
        )
        hint = "write the same in both, or remove `text`"
        yield Problem(("content", "text"), RULE, problem, hint, Severity.WARNING)


def count_words(text: str) -> Counter[str]:
    return Counter(WORD.findall(TARGET.sub(" ", text).casefold().replace("\u2019", "'")))
