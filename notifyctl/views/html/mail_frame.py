"""An HTML e-mail as the document of a frame that can run nothing and fetch nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape, unescape
from urllib.parse import quote

from notifyctl.views.colours import strip_controls
from notifyctl.views.html.markup import Html, el

WIDTHS = {"large": 640, "small": 375}
"""CSS pixels of the reading pane of a desktop, and of a phone."""
SIZES = {"large": "on a desktop", "small": "on a phone"}
REACHING = re.compile(r"<(?=(?:link|meta|base|i?frame|object|embed)\b)", re.IGNORECASE)
"""`link rel=preconnect` opens a connection that no policy prevents; Chromium does so even for a frame that it then
blocks. A start tag always begins with a literal `<`, so it suffices to replace that.
"""
STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.IGNORECASE | re.DOTALL)
SCHEME = re.compile(r"<meta\b[^>]*\bcolor-scheme\b[^>]*>", re.IGNORECASE)
REMOTE_PICTURE = re.compile(r"<img\b[^>]*\ssrc\s*=\s*[\"']?\s*(?!data:)[^\s\"'>]", re.IGNORECASE)
PICTURE = re.compile(r"<img\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
VALUE = r"(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
SOURCE = re.compile(rf"(\ssrc\s*=\s*){VALUE}", re.IGNORECASE)
ALTERNATIVE = re.compile(rf"(\salt\s*=\s*){VALUE}", re.IGNORECASE)
SRCSET = re.compile(rf"\ssrcset\s*=\s*{VALUE}", re.IGNORECASE)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
DEFAULTS = (
    ":where(body){margin:8px;font:14px/1.5 Arial,Helvetica,sans-serif}"
    ":where(img){outline:1px dashed #8a94a6;outline-offset:-1px}"
    ":where(img[src^='data:image/']:not([src^='data:image/svg+xml,%3Csvg%20xmlns'])){outline:0}"
)
"""What mailboxes set where a mail does not, and a line around each picture that is not loaded."""
MOST_STYLES = 20
"""Style elements that are allowed for one mail. Real ones have one to five."""


def frame(markup: str, size: str, *, title: str) -> Html:
    """The frame, for screens of a key of WIDTHS. `title` names it for screen readers and must be unique on the page."""
    return el(
        "iframe",
        title=title,
        # Its own scripts never run; ours measures its height.
        sandbox="allow-same-origin",
        data_width=str(WIDTHS[size]),
        srcdoc=srcdoc(markup),
    )


def srcdoc(markup: str) -> str:
    """Untrusted markup as an attribute value: the document of a frame that can run and fetch nothing."""
    scheme = '<meta name="color-scheme" content="light dark">' if SCHEME.search(markup) else ""
    return (
        f'<!doctype html><meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta charset="utf-8">'
        f'{scheme}<base target="_blank"><style>{DEFAULTS}</style>{neutral(markup)}'
    )


def neutral(markup: str) -> str:
    return PICTURE.sub(placeholder, REACHING.sub("<x-", unify(markup)))


def placeholder(found: re.Match[str]) -> str:
    """A picture that is not loaded, as a box of its size with its alternative text. What is not understood stays: it is blocked."""
    tag = found[0]
    source = SOURCE.search(tag)
    url = unescape(source[2] or source[3] or source[4] or "").strip() if source else ""
    if source is None or url.lower().startswith("data:"):
        return tag
    said = ALTERNATIVE.search(tag)
    words = (
        unescape(said[2] or said[3] or said[4] or "") if said else url.partition("?")[0].rpartition("/")[2]
    )
    box = (
        '<svg xmlns="http://www.w3.org/2000/svg"><rect width="100%" height="100%" fill="#e8ebf1"/>'
        f'<text x="10" y="22" font-family="Arial,Helvetica,sans-serif" font-size="13" fill="#3b4453">{escape(words[:80])}</text></svg>'
    )
    drawn = f'{source[1]}"data:image/svg+xml,{quote(box)}"'
    return SRCSET.sub(" ", f"{tag[: source.start()]}{drawn}{tag[source.end() :]}")


def unify(markup: str) -> str:
    """As a browser's parser has it, so that the hash of a style is the one that it computes."""
    return strip_controls(markup.replace("\r\n", "\n").replace("\r", "\n"))


def style_hashes(markup: str) -> Iterator[str]:
    """What the page's policy must allow for the styles of a mail: frames inherit it. A style that is not found stays off."""
    yield style_hash(DEFAULTS)
    for found in list(STYLE.finditer(neutral(markup)))[:MOST_STYLES]:
        yield style_hash(found[1])


def style_hash(style: str) -> str:
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def has_dark_style(markup: str) -> bool:
    """Whether it brings its own colours for dark mailboxes."""
    return "prefers-color-scheme" in markup


def remote_pictures(markup: str) -> int:
    return len(REMOTE_PICTURE.findall(markup))
