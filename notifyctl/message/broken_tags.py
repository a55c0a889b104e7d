"""Each tag of a template that Jinja2 cannot read by itself, so that all are reported at once, each at its place.

Jinja2 stops at the first. What tags are wrong together, such as a missing `{% endif %}`, is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from notifyctl.message.foreign_tags import ForeignTag, blank_tags, find_foreign_tags
from notifyctl.message.jinja_comments import find_tags
from notifyctl.message.syntax_hints import explain_syntax

STATEMENT = re.compile(r"\{%[-+]?\s*([A-Za-z_]\w*)")
STATEMENTS = frozenset(
    {"autoescape", "block", "call", "elif", "else", "extends", "filter", "for", "from", "if", "import", "include", "macro", "print", "raw", "set",
     "with"}
)  # fmt: skip
MOST_READ = 500
"""Expressions of one template that are read by themselves."""


def find_broken_tags(source: str) -> list[ForeignTag]:
    """In order: tags of other languages, expressions that cannot be read, and unknown statements."""
    foreign = list(find_foreign_tags(source))
    return sorted([*foreign, *unreadable_tags(blank_tags(source, foreign))], key=lambda tag: tag.start)


def blank_broken_tags(source: str) -> str:
    """The template with blanks in place of such tags: of the same length, with the same lines."""
    return blank_tags(source, find_broken_tags(source))


def unreadable_tags(source: str) -> Iterator[ForeignTag]:
    environment = Environment(autoescape=True)
    for count, (start, end) in enumerate(find_tags(source)):
        tag = source[start:end]
        error = unknown_statement(tag)
        if error is None and tag.startswith("{{") and tag.endswith("}}") and count < MOST_READ:
            error = read(environment, tag)
        if error is not None:
            message, hint = explain_syntax(error)
            yield ForeignTag(start, end, f"template syntax error: {message}", hint)


def unknown_statement(tag: str) -> str | None:
    found = STATEMENT.match(tag)
    if found is None or found[1] in STATEMENTS or found[1].removeprefix("end") in STATEMENTS:
        return None
    return f"Encountered unknown tag '{found[1]}'"


def read(environment: Environment, expression: str) -> str | None:
    """Jinja2's message of what is wrong with an expression by itself. Nothing is evaluated."""
    try:
        tree = environment.parse(expression)
    except TemplateSyntaxError as error:
        return error.message
    except RecursionError:
        return "an expression that is nested too deeply"
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        kind, known = ("filter", FILTERS) if isinstance(node, nodes.Filter) else ("test", TESTS)
        if node.name not in known:
            return f"No {kind} named '{node.name}'."
    return None
