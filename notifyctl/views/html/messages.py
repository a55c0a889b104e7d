"""One message as its recipient sees it: an SMS in a bubble, an e-mail in a mailbox, an RCS message on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from notifyctl.channels.html_words import text_of
from notifyctl.channels.parts import fields_of
from notifyctl.channels.rcs_parts import describe_buttons
from notifyctl.channels.segments import is_unicode, segment, segment_starts
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.html.markup import Html, el, srcdoc

WIDTHS = {"desktop": "as on a desk", "narrow": "as on a phone"}
PREHEADER = 90
"""Characters of the text that mailboxes show next to the subject."""


def message(channel: ChannelName, content: ApiObject | None, *, sender: str) -> Html:
    if content is None:
        return el("p", "The body is held by the provider and cannot be shown.", class_="opaque")
    if channel is ChannelName.SMS:
        return sms(str(content.get("text", "")), sender, unicode=is_unicode(content))
    if channel is ChannelName.EMAIL:
        return mail(content, sender)
    return rcs(content, sender)


DOT = "•"
MASKED = re.compile(rf"\+\d{{0,3}}{DOT}+\d*")
"""A number as `mask` leaves it. Its dots stand for digits but are not in GSM-7: segments are counted for the real
text.
"""


def sms(text: str, sender: str, *, unicode: bool = False) -> Html:
    true = MASKED.sub(lambda found: found[0].replace(DOT, "0"), text)
    counted = segment(true, unicode=unicode)
    parts = list(split(text, segment_starts(true, unicode=unicode)))
    inside: list[str | Html] = []
    for number, piece in enumerate(parts, start=1):
        if number > 1:
            inside.append(
                el(
                    "span",
                    f"⁝{number}",
                    class_="cut",
                    title=f"segment {number} begins",
                    aria_label=f"segment {number}",
                )
            )
        inside.append(piece)
    size = f"{counted.units} {counted.encoding} units · {pluralise(counted.segments, 'segment')}"
    return el(
        "div", head(sender), el("p", *inside, class_="bubble"), el("p", size, class_="count"), class_="phone"
    )


def split(text: str, places: Sequence[int]) -> Iterator[str]:
    for start, end in zip([0, *places], [*places, len(text)], strict=True):
        yield text[start:end]


def head(sender: str) -> Html:
    return el("p", sender, class_="sender")


def mail(content: ApiObject, sender: str) -> Html:
    markup = content.get("html")
    body = str(markup) if markup is not None else ""
    plain = str(content.get("text", ""))
    seen = text_of(body) if markup is not None else plain
    top = el(
        "header",
        el("p", sender, class_="sender"),
        el("p", str(content.get("subject", "")), class_="subject"),
        el("p", " ".join(seen.split())[:PREHEADER], class_="preheader"),
        class_="envelope",
    )
    files = [str(each.get("name")) for each in content.get("attachments") or ()]
    attached = el("p", f"Attached: {', '.join(files)}", class_="files") if files else None
    if markup is None:
        return el("div", top, el("pre", plain, class_="plain"), attached, class_="mail")
    subject = str(content.get("subject", ""))
    frames = [
        el(
            "figure",
            el(
                "iframe",
                title=f"{subject}, {WIDTHS[width]}",
                sandbox="",
                srcdoc=srcdoc(body),
                class_=width,
            ),
            el("figcaption", WIDTHS[width]),
        )
        for width in WIDTHS
    ]
    return el("div", top, el("div", *frames, class_="frames"), attached, class_="mail")


def rcs(content: ApiObject, sender: str) -> Html:
    kind = content.get("type")
    parts: list[Html] = []
    if kind == "text":
        parts.append(el("p", str(content.get("text", "")), class_="bubble"))
    elif kind == "media":
        parts.append(media(str(content.get("mediaContentUrl", "")), "MEDIUM"))
    elif kind == "standalone":
        parts.append(card(content.get("richCard") or {}))
    elif kind == "carousel":
        width = str(content.get("width", "MEDIUM")).lower()
        cards = [card(each) for each in content.get("cards") or ()]
        parts.append(
            el(
                "div",
                *cards,
                class_=f"carousel {width}",
                tabindex="0",
                role="group",
                aria_label="Cards to swipe through",
            )
        )
    elif kind == "agentEvent":
        parts.append(el("p", describe_event(content), class_="bubble event"))
    return el("div", head(sender), *parts, chips(content), class_="phone")


def describe_event(content: ApiObject) -> str:
    """With the message that a READ is about."""
    return f"({' '.join(str(content[key]) for key in ('event', 'messageId') if content.get(key))})"


def card(each: Mapping[str, Any]) -> Html:
    shown = each.get("media") or {}
    side = each.get("orientation") == "HORIZONTAL"
    return el(
        "div",
        media(str(shown["url"]), str(shown.get("height", "MEDIUM"))) if shown.get("url") else None,
        el("p", str(each["title"]), class_="title") if each.get("title") else None,
        el("p", str(each["description"])) if each.get("description") else None,
        chips(each),
        class_="card horizontal" if side else "card",
    )


def media(url: str, height: str) -> Html:
    """The file's name. Nothing is fetched: a page for review contacts no server."""
    name = url.partition("?")[0].rstrip("/").rpartition("/")[2] or url
    return el("div", f"▣ {name}", class_=f"media {height.lower()}", title=url)


def chips(holder: Mapping[str, Any]) -> Html | None:
    """Each with what a tap opens, dials or saves."""
    labels = [
        el(
            "li",
            each.label,
            el("small", f" → {each.text}"),
            title=each.key,
        )
        for each in describe_buttons(fields_of(holder))
    ]
    return el("ul", *labels, class_="chips") if labels else None


def side_by_side(before: Html | None, after: Html) -> Html:
    """Before and after, side by side."""
    if before is None:
        return after
    return el(
        "div",
        el("section", el("h4", "before"), before, class_="before"),
        el("section", el("h4", "after"), after, class_="after"),
        class_="both",
    )
