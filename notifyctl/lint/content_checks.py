"""The text itself: what would confuse or deceive recipients, or must not be shown to them. Over composed texts, any channel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec.structs import replace

from notifyctl.channels.channel import collect_texts
from notifyctl.diagnostics import Path, Problem, Severity
from notifyctl.lint.foreign_placeholders import (
    NO_NAMES,
    KnownNames,
    find_foreign,
    has_foreign_sign,
    suggest_placeholder,
)
from notifyctl.lint.links import find_insecure_links, insecure_link
from notifyctl.lint.secrets_scan import RULE, describe_secret, find_secret, find_secrets
from notifyctl.message.source_map import position_of
from notifyctl.model.message import PLACEHOLDER, Message
from notifyctl.rulebook.substitutions import FOREIGN_PLACEHOLDER, PLACEHOLDER_FORM

HIDDEN = re.compile("[\u200b\u2060\ufeff\u00ad\u180e]+")
"""Zero-width characters that are of no use in a message; the joiners of scripts and emoji are."""
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
OPENED = re.compile(r"\$\(")

MAX_PLACES = 50
"""Places of one problem in one text that are reported."""
MAX_FOREIGN = 500
"""The same for placeholders of other tools, of which there are many different ones."""


def check_words(message: Message, known: KnownNames = NO_NAMES) -> Iterator[Problem]:
    """Every string of content and options, with its path in the message. `known`: the columns and variables of the message."""
    for path, text in collect_texts({"content": message.content or {}, "options": message.options}):
        if path[-1] == "html":
            yield from check_html(path, text, known)
        elif not is_harmless(text, known):
            yield from check_text(path, text, known)
    if "html" in (message.content or {}):
        from notifyctl.lint.text_alternative import check_alternative

        yield from check_alternative(message)


def check_text(path: Path, text: str, known: KnownNames = NO_NAMES) -> Iterator[Problem]:
    yield from invisible_characters(path, text)
    yield from insecure_links(path, text)
    yield from secrets(path, text)
    yield from malformed_placeholders(path, text)
    yield from foreign_placeholders(path, text, known)


def check_html(path: Path, html: str, known: KnownNames = NO_NAMES) -> Iterator[Problem]:
    """Links without TLS are found tag by tag: a namespace or document type looks like one."""
    from notifyctl.lint.html_masks import blank_comments, blank_markup
    from notifyctl.lint.markup import check_markup

    yield from invisible_characters(path, html)
    yield from secrets(path, html)
    shown = blank_comments(html)
    yield from malformed_placeholders(path, shown)
    yield from foreign_placeholders(path, shown, known, prose=blank_markup(shown))
    yield from check_markup(path, html, known)


def is_clean(messages: Iterable[Message], known: KnownNames = NO_NAMES) -> bool:
    """Whether no check can find anything in any of the messages: all their texts, at one look."""
    found: list[str] = []
    return all(
        gather_texts(m.content, found) and gather_texts(m.options, found) for m in messages
    ) and is_harmless(
        " ".join(found),  # no sign has a blank in it, so that no two texts make one together
        known,
    )


def gather_texts(value: Any, found: list[str]) -> bool:
    """The strings in a nested value; False where markup is among them, for which a look is not enough."""
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, (dict, Mapping)):
        if "html" in value:
            return False
        for item in value.values():
            if type(item) is str:  # the usual leaf, without a call of its own
                found.append(item)
            elif type(item) is not bool and not gather_texts(item, found):
                return False
    elif isinstance(value, (list, tuple)):
        return all(gather_texts(item, found) for item in value)
    return True


def is_harmless(text: str, known: KnownNames = NO_NAMES) -> bool:
    """Whether no check of a text can find anything: a few looks in place of all of them, for most texts of most projects."""
    return (
        is_visible(text)
        and "://" not in text
        and not has_foreign_sign(text, known)
        and text.count("$(") == len(PLACEHOLDER.findall(text))
        and find_secret(text) is None
    )


def is_visible(text: str) -> bool:
    """Whether `invisible` surely finds nothing: what it looks for Python does not call printable."""
    return text.isprintable() or text.replace("\n", "").isprintable()


def invisible_characters(path: Path, text: str) -> Iterator[Problem]:
    if is_visible(text):
        return
    for wrong, what in (
        (CONTROL, "a control character"),
        (TURNED, "a character that changes the reading direction"),
        (HIDDEN, "a character without width"),
    ):
        for found in islice(wrong.finditer(text), MAX_PLACES):
            code = f"U+{ord(found[0][0]):04X}"
            import unicodedata

            name = unicodedata.name(found[0][0], "unnamed")
            message = f"{what}: {code} {name}, after {text[max(0, found.start() - 12) : found.start()]!r}"
            problem = Problem(path, "invisible-character", message, "remove it", Severity.WARNING)
            yield at_offset(problem, text, found.start())


def insecure_links(path: Path, text: str) -> Iterator[Problem]:
    after = 0
    for link in islice(find_insecure_links(text), MAX_PLACES):
        after = text.index(link, after)
        yield at_offset(insecure_link(path, link), text, after)
        after += len(link)


def secrets(path: Path, text: str) -> Iterator[Problem]:
    """The secret itself is not repeated."""
    what = find_secret(text)
    if what is not None:
        yield Problem(path, RULE, *describe_secret(what), secrets=tuple(find_secrets(text)))


def malformed_placeholders(path: Path, text: str) -> Iterator[Problem]:
    """Ours that are not well formed."""
    for found in islice(OPENED.finditer(text), MAX_PLACES):
        if not PLACEHOLDER.match(text, found.start()):
            message = f"not a valid placeholder: {text[found.start() : found.start() + 24]!r}"
            hint = "write $(name), without spaces or brackets in the name"
            yield at_offset(PLACEHOLDER_FORM.broken(path, message, hint), text, found.start())


def foreign_placeholders(
    path: Path, text: str, known: KnownNames, *, prose: str | None = None
) -> Iterator[Problem]:
    """Those of other tools, at each place. `prose`: where weak ones are looked for, if not in all of the text."""
    for foreign in islice(find_foreign(text, known, prose=prose), MAX_FOREIGN):
        message = f"`{foreign.text}` looks like a placeholder of {foreign.tool} and would be sent unchanged"
        hint = suggest_placeholder(foreign.text, known)
        yield at_offset(FOREIGN_PLACEHOLDER.broken(path, message, hint), text, foreign.start)


def at_offset(problem: Problem, text: str, offset: int) -> Problem:
    line, column = position_of(text, offset)
    return replace(problem, line=line, column=column)
