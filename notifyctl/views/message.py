"""A message as its recipient sees it, in lines of text: SMS, e-mail and RCS for the terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from notifyctl.model.project import ApiObject, ChannelName

SKIPPED = re.compile(r"<(style|script|head|title)\b|<!--", re.IGNORECASE)
LINK = re.compile(
    r"""<a(?=\s[^<>]*>)(?>[^<>]*?\shref\s*=\s*)(?>(["'])([^<>]*?)\1[^<>]*>)((?:(?!<a\b).)*?)</a\s*>""",
    re.IGNORECASE | re.DOTALL,
)
"""Linear time: unclosed links are scanned once."""
BREAK = re.compile(r"<(?:br|/p|/div|/h[1-6]|/tr|/li|/table|/section|/header|/footer)\b[^>]*>", re.IGNORECASE)
TAG = re.compile(r"<[^>]*>")


def as_lines(channel: ChannelName, content: ApiObject) -> Iterator[str]:
    """Lines without line breaks. Unknown fields are printed as JSON."""
    if channel is ChannelName.EMAIL:
        yield f"Subject: {content.get('subject', '')}"
        if content.get("replyTo"):
            yield f"Reply-To: {content['replyTo']}"
        for attachment in content.get("attachments") or ():
            yield f"Attached: {attachment.get('name')} ({attachment.get('mimeType')}) {attachment.get('mediaUrl')}"
        yield ""
        body = content.get("text") or text_of(str(content.get("html", "")))
        yield from str(body).splitlines()
        return
    if channel is ChannelName.SMS:
        yield from str(content.get("text", "")).splitlines()
        return
    yield from rcs(content)


def rcs(content: ApiObject) -> Iterator[str]:
    kind = content.get("type")
    if kind == "text":
        yield from str(content.get("text", "")).splitlines()
    elif kind == "media":
        yield f"[{content.get('mediaContentUrl')}]"
    elif kind == "standalone":
        yield from card(content.get("richCard") or {})
    elif kind == "carousel":
        cards = content.get("cards") or ()
        for number, one in enumerate(cards, start=1):
            yield f"— card {number} of {len(cards)}"
            yield from card(one)
    elif kind == "agentEvent":
        yield f"({content.get('event')})"
    yield from chips(content)


def card(card: Mapping[str, Any]) -> Iterator[str]:
    media = card.get("media") or {}
    if media.get("url"):
        yield f"[{media['url']}]"
    if card.get("title"):
        yield str(card["title"])
    if card.get("description"):
        yield from str(card["description"]).splitlines()
    yield from chips(card)


def chips(holder: Mapping[str, Any]) -> Iterator[str]:
    labels = [f"( {s.get('displayText')} )" for s in holder.get("suggestions") or ()]
    if labels:
        yield "  ".join(labels)


def strip_hidden(markup: str) -> Iterator[str]:
    """The markup without comments, styles, scripts, head and title. Linear time: a missing end tag is searched for once."""
    kept = place = 0
    open_ended: set[str] = set()
    while found := SKIPPED.search(markup, place):
        place, name = found.end(), (found[1] or "").lower()
        end = re.compile(rf"</{name}\s*>" if name else "-->", re.IGNORECASE)
        closed = None if name in open_ended else end.search(markup, place)
        if closed is None:
            open_ended.add(name)
        else:
            yield markup[kept : found.start()]
            kept = place = closed.end()
    yield markup[kept:]


def text_of(markup: str) -> str:
    """HTML as plain lines, enough to read at a terminal."""
    text = "".join(strip_hidden(markup))
    text = LINK.sub(lambda m: f"{TAG.sub('', m[3])} &lt;{m[2]}&gt;", text)
    text = TAG.sub("", BREAK.sub("\n", re.sub(r"\s+", " ", text)))
    lines = [line.strip() for line in html.unescape(text).splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
