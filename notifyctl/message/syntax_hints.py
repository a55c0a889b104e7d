"""Jinja2's syntax errors in plain words, with what to write instead."""

from __future__ import annotations

import re

RAW = "to keep braces as text, wrap them in {% raw %} … {% endraw %}"
OF_OTHER_LANGUAGES = {
    "assign": "write {% set name = value %}",
    "capture": "write {% set name %} … {% endset %}",
    "elsif": "write {% elif … %}",
    "elseif": "write {% elif … %}",
    "unless": "write {% if not … %} … {% endif %}",
    "endunless": "write {% endif %}",
    "case": "write {% if … %} … {% elif … %} … {% endif %}",
    "when": "write {% elif … %}",
    "comment": "write {# note #}",
    "empty": "write {% else %}",
    "ifequal": "write {% if a == b %}",
    "end": "write {% endif %} or {% endfor %}",
}
"""Tags of Liquid, Twig and Django, and what they are in Jinja2."""
TAG = re.compile(r"Encountered unknown tag '([^']*)'")
NAMED = re.compile(r"No (filter|test) named '([^']*)'")
CHARACTER = re.compile(r"unexpected char (?:'(.+)'|\"(.+)\") at \d+")


def explain_syntax(message: str) -> tuple[str, str]:
    """(message, hint) of an error, by Jinja2's message of it."""
    if found := TAG.match(message):
        return f"unknown tag `{found[1]}`", OF_OTHER_LANGUAGES.get(found[1], RAW)
    if found := NAMED.match(message):
        return f"unknown {found[1]} `{found[2]}`", nearest(found[1], found[2])
    if found := CHARACTER.match(message):
        return f'unexpected character "{found[1] or found[2]}" in a tag', RAW
    if message.startswith("expected token 'end of print statement', got ':'"):
        return message, 'write the argument of a filter in parentheses, for example {{ city | default("…") }}'
    if message.startswith("expected token 'end of print statement'"):
        return message, f"for each recipient's own value write $(name); {RAW}"
    return message, RAW


def nearest(kind: str, name: str) -> str:
    from difflib import get_close_matches

    from jinja2.filters import FILTERS
    from jinja2.tests import TESTS

    near = get_close_matches(name, FILTERS if kind == "filter" else TESTS, n=1)
    return (
        f"did you mean `{near[0]}`?"
        if near
        else f"Jinja2 has no such {kind}; put the finished value into `vars`"
    )
