"""Brings the spellings of one e-mail address to one: what nobody sees goes, wide letters become plain, a domain becomes ASCII.

What may be part of another address is refused by its name. Opt-out lists and audiences are read by the same rule.
"""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""They shape letters of some scripts, so between such letters they may belong to the name."""
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Characters without a shape that Unicode does not count among the format characters."""
VARIATIONS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
DROPPED = UNSEEN | {chr(code) for code in VARIATIONS}
REFUSED = frozenset({"Cc", "Co", "Cn", "Cs", "Zs", "Zl", "Zp"})
"""Categories of characters that stand in no address: controls, blanks, and what Unicode gives no meaning."""
WIDE = ("<wide>", "<narrow>")


def clean(text: str) -> str:
    """The address without what nobody sees, in NFC. Raises ValueError with a sentence that names a character, not the address."""
    if text.isascii():
        return text.strip()
    seen = "".join([plain(each) for each in text if not is_unseen(each)]).strip()
    without = "".join([each for each in seen if each not in JOINERS])
    if without != seen and not without.isascii():
        joiner = next(each for each in seen if each in JOINERS)
        raise ValueError(f"{name_of(joiner)} stands in it: remove it, or write the address anew")
    seen = without
    for character in seen:
        if not character.isascii() and unicodedata.category(character) in REFUSED:
            raise ValueError(f"{name_of(character)} stands in it, which no address has")
    return unicodedata.normalize("NFC", seen)


def is_unseen(character: str) -> bool:
    """Whether nothing is seen of it. Joiners are judged apart."""
    return character not in JOINERS and (
        character in DROPPED or (not character.isascii() and unicodedata.category(character) == "Cf")
    )


def plain(character: str) -> str:
    """The letter that a wide or a narrow form of it stands for."""
    form, _, code = unicodedata.decomposition(character).partition(" ")
    return chr(int(code, 16)) if form in WIDE else character


def name_of(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def domain_to_ascii(domain: str) -> str:
    """A domain in A-labels (IDNA 2008, as browsers map it). Raises ValueError."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise ValueError("the part after @ cannot be written as an international domain name") from error


def pattern_to_ascii(pattern: str) -> str:
    """A pattern of a fence as addresses are compared: its domain label by label, since `*` may stand in it. A label that cannot
    be written in ASCII stays, and matches nobody.
    """
    local, at, domain = pattern.rpartition("@")
    if pattern.isascii() or not at:
        return pattern
    labels = []
    for label in domain.split("."):
        try:
            labels.append(domain_to_ascii(label))
        except ValueError:
            labels.append(label)
    return unicodedata.normalize("NFC", local) + at + ".".join(labels)
