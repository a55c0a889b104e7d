"""The one way from data to HTML here: elements whose every text and attribute is escaped."""

from __future__ import annotations

import re
from html import escape

from notifyctl.views.paint import strip_controls

EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """HTML that was made here. Everything else is text, and is escaped."""

    __slots__ = ()


Child = str | Html | None


def el(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element. A trailing _ of an attribute's name is left out, another _ is a hyphen; None and False leave it out."""
    given = "".join(
        f" {attribute(key)}" if value is True else f' {attribute(key)}="{escape(strip_controls(str(value)))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    inside = "".join(render_child(child) for child in children)
    return Html(f"<{name}{given}>" if name in EMPTY else f"<{name}{given}>{inside}</{name}>")


def attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def render_child(child: Child) -> str:
    """Controls and turned characters are shown as codes, so that nobody is shown another text than is there."""
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(strip_controls(child), quote=False)


def join(*children: Child) -> Html:
    return Html("".join(render_child(child) for child in children))


REACHING = re.compile(r"<(?=(?:link|meta|base|i?frame|object|embed)\b)", re.IGNORECASE)
"""`link rel=preconnect` opens a connection that no policy forbids, and so does Chromium for a frame that it then refuses.
A start tag is always spelt so in the source.
"""


def srcdoc(markup: str) -> str:
    """A stranger's markup as the document of a frame that may run nothing and fetch nothing. The value of an attribute."""
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{policy}"><meta charset="utf-8">'
        f'<base target="_blank"><body style="margin:12px;font-family:sans-serif">{REACHING.sub("<x-", markup)}'
    )
