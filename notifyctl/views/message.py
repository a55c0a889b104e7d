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
        if content.get("suggestions"):
            yield "— below the cards"
    elif kind == "agentEvent":
        yield describe_event(content)
    yield from chips(content)


def describe_event(content: ApiObject) -> str:
    """With the message that a READ is about."""
    return f"({' '.join(str(content[key]) for key in ('event', 'messageId') if content.get(key))})"


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
    """On one line, or each on its own where one leads somewhere."""
    suggestions = holder.get("suggestions") or ()
    targets = [leads_to(each) for each in suggestions]
    labels = [
        f"( {each.get('displayText')} → {target} )" if target else f"( {each.get('displayText')} )"
        for each, target in zip(suggestions, targets, strict=True)
    ]
    if any(targets):
        yield from (line for label in labels for line in label.splitlines())
    elif labels:
        yield "  ".join(labels)


def leads_to(suggestion: Mapping[str, Any]) -> str | None:
    """What a tap opens, dials or saves; `None` for a reply and for a request for the reader's place."""
    match suggestion.get("type"):
        case "openUrl":
            return str(suggestion.get("url"))
        case "dialPhone":
            return str(suggestion.get("phone"))
        case "calendarEvent":
            about = [suggestion.get("meetingTitle"), suggestion.get("meetingDescription")]
            when = f"{suggestion.get('startTime')} to {suggestion.get('endTime')}"
            return ", ".join([when, *(str(each) for each in about if each)])
        case "viewLocation":
            place = [suggestion.get("latitude"), suggestion.get("longitude")]
            known = [suggestion.get("label"), suggestion.get("address"), *place]
            return ", ".join(str(each) for each in known if each is not None)
    return None


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
