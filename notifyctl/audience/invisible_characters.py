"""Characters that nobody sees, or sees in an unusual width: what an address is read without. One rule for e-mail addresses and
phone numbers, in audiences and opt-out lists alike.
"""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""They shape letters of some scripts, so between such letters they may belong to the name."""
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Characters without a shape that Unicode does not count among the format characters."""
VARIATIONS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
DROPPED = UNSEEN | {chr(code) for code in VARIATIONS}
WIDE = ("<wide>", "<narrow>")


def is_invisible(character: str) -> bool:
    """Whether nobody sees the character. Joiners are left to the caller."""
    return character not in JOINERS and (
        character in DROPPED or (not character.isascii() and unicodedata.category(character) == "Cf")
    )


def to_usual_width(character: str) -> str:
    """The character whose full-width or half-width form this is, or the character itself."""
    form, _, code = unicodedata.decomposition(character).partition(" ")
    return chr(int(code, 16)) if form in WIDE else character


def name_of(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
