"""Placeholders of other tools in a text: nothing fills them in, so people would read them as they stand."""

from __future__ import annotations

import re

FOREIGN = re.compile(
    r"""
      \$\{[^{}\s]{1,64}\}                             # ${name}
    | \{\{[^{}]{1,64}\}\}                             # {{name}} of Mustache, Handlebars, Liquid
    | (?<![{$#\w])\{[A-Za-z_][A-Za-z0-9_]{0,62}\}(?!\})  # {name} of str.format and its like
    | (?<![\w%])%[A-Za-z_][A-Za-z0-9_.-]{0,62}%(?!\w)  # %name%
    | \*\|[^|*\n]{1,64}\|\*                            # *|NAME|* of Mailchimp
    | \[\[[^\[\]\n]{1,64}\]\]                          # [[name]] of Mailjet
    | <%[-=]?[^%<>\n]{1,64}-?%>                         # <%= name %> of ERB and EJS
    | \(\([A-Za-z][\w ?.-]{0,62}\)\)                   # ((name)) of GOV.UK Notify
    """,
    re.VERBOSE,
)
FOREIGN_SIGNS = ("{", "%", "*|", "[[", "((")
"""One of these is part of every placeholder of another tool."""
NOT_A_NAME = frozenset({"data", "var", "list", "merge", "user", "contact"})
"""Words with which other tools begin a placeholder before the name: `[[data:firstname]]`."""
SMARTLINK = re.compile(r"\{\{smartlink_\d+\}\}")
"""The API's own placeholder for a short link of the platform, which `{{ smartlink(5) }}` writes."""


def has_foreign_sign(text: str) -> bool:
    return any(sign in text for sign in FOREIGN_SIGNS)


def find_foreign_placeholders(text: str) -> list[str]:
    """The placeholders of other tools in a text, each once, in order of appearance."""
    if not has_foreign_sign(text):
        return []
    found = (match[0] for match in FOREIGN.finditer(text))
    return [one for one in dict.fromkeys(found) if not SMARTLINK.fullmatch(one)]


def suggest_placeholder(foreign: str) -> str:
    """What to write in place of another tool's placeholder: a hint."""
    if "unsub" in foreign.lower():
        return "write $(unsubscribe), which the platform fills in"
    words = re.findall(r"[A-Za-z_][\w.-]*", foreign)
    names = [word for word in words if word.lower() not in NOT_A_NAME] or words
    return f"write $({names[0] if names else 'name'}), if a value is meant"
