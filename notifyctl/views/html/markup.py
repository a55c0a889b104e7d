"""Builds HTML from data: elements whose text and attributes are always escaped."""

from __future__ import annotations

from html import escape

from notifyctl.views.colours import strip_controls

EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """HTML built by this module. Anything else is text and is escaped."""

    __slots__ = ()


Child = str | Html | None


def el(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """Builds an element. In an attribute's name a trailing _ is dropped and any other _ becomes a hyphen; None and
    False omit it.
    """
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
    """Escapes a child. Control characters and bidirectional overrides are shown as codes, so that text cannot disguise
    itself.
    """
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(strip_controls(child), quote=False)


def join(*children: Child) -> Html:
    return Html("".join(render_child(child) for child in children))
