"""Brings the spellings of one e-mail address to one: what nobody sees goes, wide letters become plain, a domain becomes ASCII.

What may be part of another address is refused by its name. Opt-out lists and audiences are read by the same rule.
"""

from __future__ import annotations

import unicodedata

from notifyctl.audience.invisible_characters import JOINERS, is_invisible, name_of, to_usual_width

REFUSED = frozenset({"Cc", "Co", "Cn", "Cs", "Zs", "Zl", "Zp"})
"""Categories of characters that stand in no address: controls, blanks, and what Unicode gives no meaning."""


def clean(text: str) -> str:
    """The address without what nobody sees, in NFC. Raises ValueError with a sentence that names a character, not the address."""
    if text.isascii():
        return text.strip()
    seen = "".join([to_usual_width(each) for each in text if not is_invisible(each)]).strip()
    without = "".join([each for each in seen if each not in JOINERS])
    if without != seen and not without.isascii():
        joiner = next(each for each in seen if each in JOINERS)
        raise ValueError(f"the address contains {name_of(joiner)}: remove it, or type the address again")
    seen = without
    for character in seen:
        if not character.isascii() and unicodedata.category(character) in REFUSED:
            raise ValueError(f"the address contains {name_of(character)}, which is not allowed in addresses")
    return unicodedata.normalize("NFC", seen)


def domain_to_ascii(domain: str) -> str:
    """A domain in A-labels (IDNA 2008, as browsers map it). Raises ValueError."""
    if domain.isascii():
        return domain
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise ValueError("invalid email address: the part after @ is not a valid domain name") from error


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
