"""Jinja2 comments: `{# … #}` with a blank or a line end inside both marks.

Jinja2 itself takes any `{#` for a comment. But `{#nav{…}` is a rule of a minified style sheet, and `{#var#}` a placeholder of
another system: words would vanish without a word. The former is text here, the latter an error; so is whatever Jinja2 took for
a comment and this does not, so that no note of an author is ever sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

OPEN = re.compile(r"\{[{%#]")
EXPRESSION = re.compile(r"""\{\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'])*?\}\}""", re.DOTALL)
BLOCK = re.compile(r"""\{%(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^"'])*?%\}""", re.DOTALL)
RAW = re.compile(r"\{%[-+]?\s*raw\s*-?%\}")
END_OF_RAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
COMMENT = re.compile(r"\{#[-+]?(?=\s)")
CLOSE = re.compile(r"(?<!\{)#\}")
"""The second half of `{#}` closes nothing."""
CLOSE_OF_COMMENT = re.compile(r"\s[-+]?#\}\Z")
STYLE_RULE = re.compile(r"\{#[\w\\-][^{};]*\{\s*(?:[*_]?[\w-]+\s*:|[}&@]|/\*)")
"""`{#id…{property:`: the block of a media query, whose first rule is for an element with an id."""
PLACEHOLDER = re.compile(r"\{#\w{1,40}#\}")
AS_TEXT = '{{ "{#" }}'
QUOTED = 30
"""Characters of the text in a message."""


class CommentError(Exception):
    """A `{#` that is neither a comment nor text: in the template `name`, at `lineno`. `hint` says what to write."""

    def __init__(self, message: str, *, hint: str, source: str, at: int, name: str | None) -> None:
        super().__init__(message)
        self.lineno = source.count("\n", 0, at) + 1
        self.name = name
        self.hint = hint


def mask_text(source: str, name: str | None) -> str:
    """Writes each `{#` that is text as an expression. Raises CommentError."""
    parts: list[str] = []
    kept, at = 0, 0
    while (found := OPEN.search(source, at)) is not None:
        start = found.start()
        if found[0] != "{#":
            end = end_of_tag(source, start)
            if end is None:
                break  # not closed: Jinja2 reports it
            at = end
        elif COMMENT.match(source, start):
            at = end_of_comment(source, start, name)
        else:
            check_text(source, start, name)
            parts += [source[kept:start], AS_TEXT]
            kept = at = start + len("{#")
    return "".join([*parts, source[kept:]])


def find_tags(source: str) -> Iterator[tuple[int, int]]:
    """The beginning and end of each expression and statement; comments and raw blocks left out."""
    at = 0
    while (found := OPEN.search(source, at)) is not None:
        start = found.start()
        if found[0] == "{#":
            end = source.find("#}", start) + len("#}") if COMMENT.match(source, start) else start + len("{#")
        else:
            end = end_of_tag(source, start) or len(source)
            if not RAW.match(source, start):
                yield start, end
        at = max(end, start + len("{#"))


def end_of_tag(source: str, start: int) -> int | None:
    """Where an expression, a statement or a raw block ends; None if it does not."""
    raw = RAW.match(source, start)
    if raw is not None:
        found = END_OF_RAW.search(source, raw.end())
    else:
        found = (EXPRESSION if source[start + 1] == "{" else BLOCK).match(source, start)
    return found.end() if found is not None else None


def end_of_comment(source: str, start: int, name: str | None) -> int:
    end = source.find("#}", start + len("{#"))
    if end < 0:
        message = f"the comment that starts with {quote(source, start)} is not closed"
        hint = "a comment ends with a space and #}"
        raise CommentError(message, hint=hint, source=source, at=start, name=name)
    end += len("#}")
    if not CLOSE_OF_COMMENT.search(source, start, end):
        message = f"the comment that starts with {quote(source, start)} has no space before its #}}"
        hint = "write a space before #}, or remove the #} inside the comment"
        raise CommentError(message, hint=hint, source=source, at=start, name=name)
    inner = OPEN.search(source, start + len("{#"), end)
    while inner is not None:
        if COMMENT.match(source, inner.start()):
            message = (
                f"the comment that starts with {quote(source, start)} holds another; the first #}} ends both"
            )
            hint = "close the first comment before the second one"
            raise CommentError(message, hint=hint, source=source, at=inner.start(), name=name)
        inner = OPEN.search(source, inner.end(), end)
    return end


def check_text(source: str, start: int, name: str | None) -> None:
    """Raises CommentError unless the `{#` at `start` is text."""
    close = CLOSE.search(source, start + len("{#"))
    following = source.find("{#", start + len("{#"))
    closed = close is not None and not 0 <= following < close.start()
    if not closed and (source.startswith("{#}", start) or STYLE_RULE.match(source, start)):
        return
    placeholder = PLACEHOLDER.match(source, start)
    if placeholder is not None:
        message = f"{placeholder[0]} is a placeholder of another system, and would be removed here"
        hint = (
            "for each recipient's own value write $(name); a comment has spaces inside its marks: {# note #}"
        )
    elif closed:
        message = f"{quote(source, start)} starts a comment without spaces inside its marks"
        hint = "write {# note #}; or, where it is text, put a space between { and #, or wrap it in {% raw %} … {% endraw %}"
    else:
        message = f"{quote(source, start)} starts a comment that is not closed, or is text"
        hint = "put a space between { and #, or wrap the text in {% raw %} … {% endraw %}; a comment is {# note #}"
    raise CommentError(message, hint=hint, source=source, at=start, name=name)


def quote(source: str, start: int) -> str:
    """The beginning of a comment, at most its first line, for a message."""
    line = source[start : start + QUOTED].partition("\n")[0]
    return repr(line + "…" if source[start + len(line) :].strip() else line)
