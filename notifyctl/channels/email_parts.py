"""What an email carries, as parts: its heads, the words of its HTML and of its text, and its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.channels.html_words import HtmlWords, read_html
from notifyctl.channels.parts import Carried, Fields, Kind, Part, fields_of, items_of, write_value
from notifyctl.channels.request_parts import describe_request
from notifyctl.channels.sms_parts import describe_sender

WORD = re.compile(r"\w+")
TARGET = re.compile(r"<[^<>\s]*>|https?://\S+", re.IGNORECASE)
PICTURE = re.compile(r"\[image [^\]\s]*\]")
THOUSAND = 1000


def describe(carried: Carried) -> Iterator[Part]:
    content, options = fields_of(carried.content), fields_of(carried.options)
    request = fields_of(carried.request)
    name = options.text("fromName")
    yield from describe_sender(f"{name} <{carried.sender}>" if name else carried.sender)
    for key, label, holder in (
        ("replyTo", "Reply-To", content),
        ("cc", "Cc", request),
        ("bcc", "Bcc", request),
    ):
        if addresses := ", ".join(map(write_value, items_of(holder.take(key)))):
            yield Part(Kind.FIELD, key, label, addresses)
    if "subject" in content:
        yield Part(Kind.FIELD, "subject", "Subject", content.text("subject"))
    content.take("type")
    yield from describe_body(content)
    for number, attachment in enumerate(map(fields_of, items_of(content.take("attachments")))):
        size = carried.sizes[number] if number < len(carried.sizes) else None
        yield describe_attachment(attachment, size)
    yield from describe_unsubscribe(options)
    yield from content.rest()
    yield from options.rest()
    yield from describe_request(request)


def describe_unsubscribe(options: Fields) -> Iterator[Part]:
    """The header by which mail programs offer to unsubscribe."""
    url, address = options.text("listUnsubscribeUrl"), options.text("unsubscribeEmailAddress")
    subject = options.text("unsubscribeEmailSubject")
    email = f"email to {address or 'no address'}, subject {subject}" if subject else address
    if ways := [each for each in (url, email) if each]:
        yield Part(Kind.FIELD, "listUnsubscribe", "List-Unsubscribe", ", or ".join(ways))


def describe_body(content: Fields) -> Iterator[Part]:
    """The words of the HTML; and the text alternative where it says something else."""
    has_text, text = "text" in content, content.text("text")
    if "html" not in content:
        if has_text:
            yield Part(Kind.TEXT, "text", "", text)
        return
    words = read_html(content.text("html"))
    for key, label, said in (
        ("preheader", "Preview text", words.hidden),
        ("title", "Page title", words.title),
        ("base", "Links are relative to", words.base),
    ):
        if said:
            yield Part(Kind.FIELD, key, label, said)
    yield Part(Kind.TEXT, "html", "HTML", words.text)
    for key, label, said in (
        ("generated", "Texts of the style sheet", words.generated),
        ("data", "Data for mail programs", words.data),
    ):
        if said:
            yield Part(Kind.TEXT, key, label, said)
    if has_text and text.strip():
        if says_the_same(words, text):
            yield Part(Kind.FIELD, "alternative", "Text alternative", "same text as the HTML")
        else:
            yield Part(Kind.TEXT, "alternative", "Text alternative, differs from the HTML", text)


def says_the_same(words: HtmlWords, text: str) -> bool:
    """Whether a text alternative has the words and links of the HTML, in their order, and no others."""
    return said_by(f"{words.hidden} {words.text}") == said_by(text) or said_by(words.text) == said_by(text)


def said_by(text: str) -> tuple[list[str], set[str]]:
    """(words, link targets)."""
    text = PICTURE.sub(" ", text)
    targets = {target.strip("<>.,;:!?)").rstrip("/") for target in TARGET.findall(text)}
    return WORD.findall(TARGET.sub(" ", text)), targets - {""}


def describe_attachment(attachment: Fields, size: int | None) -> Part:
    name, kind, url = attachment.text("name"), attachment.text("mimeType"), attachment.text("mediaUrl")
    kind = kind or attachment.text("mimetype")  # as profile 6.20 spells it
    inline = f"shown in the HTML as cid:{cid}" if (cid := attachment.text("cid")) else ""
    facts = [kind, "" if size is None else write_size(size), inline, url]
    return Part(
        Kind.FILE,
        "attachment",
        name,
        ", ".join(each for each in facts if each),
        tuple(attachment.rest()),
    )


def write_size(count: int) -> str:
    """Bytes in the largest unit that leaves a digit before the point."""
    size, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if size < THOUSAND:
            break
        size, unit = size / THOUSAND, larger
    return f"{size:.3g} {unit}"
