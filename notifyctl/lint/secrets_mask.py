"""Masks what lint found to be a secret, or what looks like one, wherever a problem is shown: in messages, hints and lines of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec.structs import replace

from notifyctl.diagnostics import Diagnostic
from notifyctl.lint.secrets_scan import ANY, looks_random

MASK = "•"
KEY_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
CREDENTIALS = re.compile(r"(?<=://)[^\s/@\"']+(?=@)")
"""User name and password in a URL."""
SHORTEST = 8
"""Characters of a value that is masked elsewhere too. A shorter one may be part of any word."""

Lines = Callable[[str], Sequence[str]]


def mask_diagnostics(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same problems without a secret, or a part of one, in message or hint."""
    listed = list(diagnostics)
    secrets = secrets_of(listed)
    parts = {
        secret[at : at + SHORTEST]
        for secret in secrets
        if ANY.fullmatch(secret)
        for at in range(len(secret) - SHORTEST + 1)
    }

    def mask(text: str) -> str:
        return cover_parts(mask_text(text, secrets), parts)

    return [
        replace(each, message=mask(each.message), hint=None if each.hint is None else mask(each.hint))
        for each in listed
    ]


def mask_lines(lines: Lines, diagnostics: Sequence[Diagnostic]) -> Lines:
    """A function like `lines` without secrets. Characters keep their columns; of a line with a finding, the rest is masked."""
    secrets = secrets_of(diagnostics)
    places: dict[tuple[str, int], int] = {}
    for each in diagnostics:
        if each.secrets:
            place = (each.location.file, each.location.line)
            places[place] = min(each.location.column, places.get(place, each.location.column))

    def masked(file: str) -> Sequence[str]:
        found = mask_text("\n".join(lines(file)), secrets).split("\n")
        for (where, line), column in places.items():
            if where == file and 0 < line <= len(found):
                text, start = found[line - 1], max(column - 1, 0)
                found[line - 1] = text[:start] + cover(text[start:])
        return found if found != [""] else ()

    return masked


def secrets_of(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """The lines of all secrets that were found, the longest first."""
    found = {line.strip() for each in diagnostics for secret in each.secrets for line in secret.splitlines()}
    return sorted((line for line in found if len(line) >= SHORTEST), key=len, reverse=True)


def mask_text(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with `secrets`, and with all that looks like one, covered."""
    for secret in secrets:
        text = text.replace(secret, cover(secret))
    if looks_random(text):
        text = KEY_BLOCK.sub(lambda found: cover(found[0]), text)
        text = ANY.sub(lambda found: cover(found[0]), text)
    if "://" in text and "@" in text:
        text = CREDENTIALS.sub(lambda found: cover(found[0]), text)
    return text


def cover_parts(text: str, parts: Collection[str]) -> str:
    """Covers what a message cut out of a token: `parts` are all pieces of SHORTEST characters."""
    covered = list(text)
    for at in range(len(text) - SHORTEST + 1) if parts else ():
        if text[at : at + SHORTEST] in parts:
            covered[at : at + SHORTEST] = MASK * SHORTEST
    return "".join(covered)


def cover(text: str) -> str:
    """As many dots as there are characters; line ends stay."""
    return re.sub(r"[^\n]", MASK, text)
