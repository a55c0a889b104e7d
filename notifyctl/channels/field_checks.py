"""Checks that all channels share: links, `$(unsubscribe)`, addresses in fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

from notifyctl.channels.channel import collect_texts, is_final
from notifyctl.diagnostics import Problem
from notifyctl.rulebook import email

EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+")
E164 = re.compile(r"\+?[1-9][0-9]{6,14}", re.ASCII)


def is_http_url(text: str, *, secure: bool = False) -> bool:
    """Whether a text is an absolute http(s) URL. One that uses `$(name)` passes, since its value is not known here."""
    if not is_final(text):
        return True
    if any(character.isspace() for character in text):
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ({"https"} if secure else {"http", "https"}) and bool(parts.hostname)


def is_email_address(text: str) -> bool:
    return not is_final(text) or EMAIL.fullmatch(text) is not None


def is_phone_number(text: str) -> bool:
    return not is_final(text) or E164.fullmatch(re.sub(r"[\s.\-()]", "", text)) is not None


def unsubscribe_misplaced(content: Any, *, allowed: Collection[str]) -> Iterator[Problem]:
    """`$(unsubscribe)` works only in the HTML of an e-mail."""
    for path, text in collect_texts(content):
        if "$(unsubscribe)" in text and not (len(path) == 1 and path[0] in allowed):
            yield email.UNSUBSCRIBE_MISPLACED.broken(
                ("content", *path),
                "the provider fills in $(unsubscribe) in the `html` of an email only",
                "remove it here",
            )
