"""Language tags: which are valid by BCP 47, and whose language the default text of a template is."""

from __future__ import annotations

import re
from functools import lru_cache

TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(-[a-z]{3}){0,3}(-(?P<script>[a-z]{4}))?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
"""RFC 5646, section 2.1; no language of more than three letters is registered."""

TWO_LETTERS = re.compile(
    "a[abefkmnrsvyz]|b[aeghimnors]|c[aehorsuvy]|d[aevz]|e[elnostu]|f[afijory]|g[adlnuv]|h[aeiortuyz]"
    "|i[adegiknostuw]|j[aivw]|k[agijklmnorsuvwy]|l[abginotuv]|m[ghiklnorsty]|n[abdeglnorvy]|o[cjmrs]"
    "|p[ailst]|qu|r[mnouw]|s[acdeghiklmnoqrstuvw]|t[aeghiklnorstwy]|u[gkrz]|v[eio]|w[ao]|xh|y[io]|z[ahu]"
)
"""The languages of two letters in the IANA registry of subtags: those of ISO 639-1, and older ones that stay valid."""


def fold(locale: str) -> str:
    """`en_GB` is `en-gb`, as where a variant is chosen."""
    return locale.lower().replace("_", "-")


@lru_cache(maxsize=10_000)
def is_valid(locale: str) -> bool:
    """Whether it is a language tag, and one of two letters names a language: `jp`, `cz` and `Deutsch` do not."""
    found = TAG.fullmatch(fold(locale))
    if found is None:
        return False
    language = found["language"]
    return len(language) > 2 or TWO_LETTERS.fullmatch(language) is not None  # noqa: PLR2004 - letters of ISO 639-1


def same_language(one: str, other: str) -> bool:
    """Whether two tags name one language, and not two scripts of it: fr-CA and fr, not zh-Hant and zh-Hans."""
    tags = [TAG.fullmatch(fold(each)) for each in (one, other)]
    if tags[0] is None or tags[1] is None:
        return fold(one) == fold(other)
    scripts = {each["script"] for each in tags if each is not None and each["script"] is not None}
    return tags[0]["language"] == tags[1]["language"] and len(scripts) < len(tags)
