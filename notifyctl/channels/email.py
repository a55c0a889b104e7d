"""E-mail: content, options, receipts and the rules across them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from notifyctl.channels.channel import Channel, Message
from notifyctl.channels.field_checks import is_email_address, is_http_url, unsubscribe_misplaced
from notifyctl.config.fields import Boolean, Cases, ChannelShape, Field, Integer, Items, Record, Text
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.rulebook import email as rules
from notifyctl.rulebook import envelope
from notifyctl.rulebook.sms import BOOLEAN

ATTACHMENT = Record(
    title="Attachment",
    description="A file that the provider fetches and attaches; 10 MB for the whole e-mail after encoding.",
    rule=rules.ATTACHMENTS,
    fields=(
        Field(
            name="mimeType",
            shape=Text(
                description="Its media type.",
                examples=("application/pdf",),
                composed=True,
                min_length=1,
                rule=rules.ATTACHMENTS,
            ),
            required=True,
            aliases=("mimetype",),
        ),
        Field(
            name="name",
            shape=Text(
                description="The file name that readers see.",
                examples=("plan.pdf",),
                composed=True,
                min_length=1,
                rule=rules.ATTACHMENTS,
            ),
            required=True,
        ),
        Field(
            name="mediaUrl",
            shape=Text(
                description="Where the provider fetches it: an absolute http(s) URL.",
                examples=("https://static.acme.example/plan.pdf",),
                composed=True,
                rule=rules.ATTACHMENTS,
            ),
            required=True,
        ),
        Field(
            name="size",
            shape=Integer(
                description="Its size in bytes, for lint to add up; it is not sent.",
                minimum=0,
                rule=rules.ATTACHMENTS,
            ),
        ),
    ),
)

COMMON = (
    Field(
        name="subject",
        shape=Text(
            description="The subject line.",
            examples=("Planned outage in $(area)",),
            composed=True,
            min_length=1,
            rule=rules.SUBJECT,
        ),
        required=True,
    ),
    Field(
        name="replyTo",
        shape=Text(
            description="Where answers go.",
            examples=("help@acme.example",),
            composed=True,
            rule=rules.REPLY_TO,
        ),
    ),
    Field(
        name="attachments",
        shape=Items(description="Files to attach.", item=ATTACHMENT, rule=rules.ATTACHMENTS),
    ),
)

SHAPE = ChannelShape(
    name="email",
    content=Cases(
        by="type",
        title="E-mail content",
        description="An e-mail: plain text, or HTML with an optional text alternative.",
        rule=rules.TYPE,
        other_case_rule=rules.HTML,
        cases={
            "text": Record(
                title="E-mail content (text)",
                description="A plain text e-mail.",
                fields=(
                    Field(name="type", shape=Text(description="text"), required=True),
                    *COMMON,
                    Field(
                        name="text",
                        shape=Text(description="The words.", composed=True, min_length=1, rule=rules.TEXT),
                        required=True,
                    ),
                ),
            ),
            "html": Record(
                title="E-mail content (html)",
                description="An HTML e-mail.",
                fields=(
                    Field(name="type", shape=Text(description="html"), required=True),
                    *COMMON,
                    Field(
                        name="text",
                        shape=Text(description="The text alternative.", composed=True, rule=rules.TEXT),
                    ),
                    Field(
                        name="html",
                        shape=Text(
                            description="The markup, at most 350 kB of UTF-8 (500 kB in profile 6.20).",
                            composed=True,
                            min_length=1,
                            rule=rules.HTML,
                        ),
                        required=True,
                    ),
                ),
            ),
        },
    ),
    options=Record(
        title="E-mail options",
        description="Tracking, and the name beside the sender's address.",
        unknown_key_rules={"*": envelope.OPTIONS},
        fields=(
            Field(
                name="trackClicks",
                shape=Boolean(
                    description="Track links in the HTML, but for those with no-track-connect.",
                    strings=True,
                    rule=BOOLEAN,
                ),
            ),
            Field(
                name="trackOpens",
                shape=Boolean(description="Track when the e-mail is opened.", strings=True, rule=BOOLEAN),
            ),
            Field(
                name="fromName",
                shape=Text(
                    description="The name beside the sender's address.",
                    examples=("Acme Power",),
                    composed=True,
                    min_length=1,
                    rule=rules.FROM_NAME,
                ),
            ),
        ),
    ),
    receipts=(
        "submitted",
        "delivered",
        "not verified",
        "invalid",
        "bounced",
        "bounce",
        "complaint",
        "read",
        "failed",
        "clicked",
    ),
)

LINE_BREAK = re.compile("[\r\n\0\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""What one program or another takes for the end of a line, or of a text."""
NOT_AN_ATTRIBUTE = re.compile(r"no-track-connect", re.IGNORECASE)
MEDIA_TYPES = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "gif": "image/gif",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "png": "image/png",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "webp": "image/webp",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""Media types of common file endings. Python's own table differs between machines."""
LINK_TAG = re.compile(r"<a\b[^<>]*>", re.IGNORECASE)


def reply_to_is_an_address(message: Message) -> Iterator[Problem]:
    reply_to = message.content.get("replyTo")
    if isinstance(reply_to, str) and not is_email_address(reply_to):
        yield rules.REPLY_TO.broken(
            ("content", "replyTo"), "replyTo is one e-mail address", "name@domain.example"
        )


def attachments(message: Message) -> Iterator[tuple[Path, ApiObject]]:
    for number, attachment in enumerate(message.content.get("attachments") or ()):
        yield ("content", "attachments", number), attachment


def attachments_have_urls(message: Message) -> Iterator[Problem]:
    for path, attachment in attachments(message):
        if not is_http_url(attachment["mediaUrl"]):
            hint = "https://…"
            yield rules.MEDIA_URL.broken((*path, "mediaUrl"), "mediaUrl is an absolute http(s) URL", hint)


def headers_are_one_line(message: Message) -> Iterator[Problem]:
    """A line break in a header could inject another header."""
    for where, key in (("content", "subject"), ("content", "replyTo"), ("options", "fromName")):
        text = getattr(message, where).get(key)
        if isinstance(text, str) and LINE_BREAK.search(text):
            yield rules.ONE_LINE.broken((where, key), f"{key} is one line", "write it in quotes on one line")
    for path, attachment in attachments(message):
        if LINE_BREAK.search(attachment["name"]):
            yield rules.ONE_LINE.broken((*path, "name"), "the name of a file is one line")


def unsubscribe_in_html_only(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=("html",))


def tracking_needs_html(message: Message) -> Iterator[Problem]:
    if message.type == "text":
        for key in ("trackClicks", "trackOpens"):
            if message.options.get(key) is True:
                path, hint = ("options", key), "leave it out, or write `type: html`"
                yield rules.TRACKING.broken(path, f"{key} does nothing in a plain text e-mail", hint)


def attachments_are_what_they_say(message: Message) -> Iterator[Problem]:
    for path, attachment in attachments(message):
        wanted = MEDIA_TYPES.get(urlsplit(attachment["mediaUrl"]).path.rpartition(".")[2].lower())
        declared = attachment["mimeType"].partition(";")[0].strip().lower()
        if wanted is not None and declared not in {wanted, "application/octet-stream"}:
            text = f"the URL ends like {wanted}, and mimeType says {attachment['mimeType']}"
            yield rules.MEDIA_TYPE.broken((*path, "mimeType"), text, f"write {wanted}, or another URL")


def no_track_is_an_attribute(message: Message) -> Iterator[Problem]:
    html = str(message.content.get("html", ""))
    rest = LINK_TAG.sub("", html)
    if NOT_AN_ATTRIBUTE.search(rest):
        text = "no-track-connect works as an attribute of <a> only"
        yield rules.NO_TRACK.broken(("content", "html"), text, '<a no-track-connect href="…">')


CHANNEL = Channel(
    ChannelName.EMAIL,
    SHAPE,
    rules=(headers_are_one_line, reply_to_is_an_address, attachments_have_urls, unsubscribe_in_html_only),
    advice=(tracking_needs_html, attachments_are_what_they_say, no_track_is_an_attribute),
)
