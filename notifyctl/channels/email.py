"""Email: content, options, receipts and the rules across them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from notifyctl.channels.channel import Channel, Message
from notifyctl.channels.field_checks import is_email_address, is_http_url, unsubscribe_misplaced
from notifyctl.channels.inline_images import (
    content_ids_are_right,
    content_ids_are_used,
    inline_images_are_attached,
)
from notifyctl.channels.short_links import (
    DOMAIN,
    HINTS,
    SHORTEN,
    TAGS,
    domain_is_https,
    has_link,
    short_links_have_a_domain,
    tags_need_short_links,
)
from notifyctl.config.fields import (
    NEWER,
    Boolean,
    Cases,
    ChannelShape,
    Field,
    Integer,
    Items,
    Record,
    Text,
    only_in,
)
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.rulebook import email as rules
from notifyctl.rulebook import envelope
from notifyctl.rulebook.sms import BOOLEAN

ATTACHMENT = Record(
    title="attachment",
    description="A file that the provider fetches and attaches. The limit is 10 MB for the whole email after encoding.",
    rule=rules.ATTACHMENTS,
    fields=(
        Field(
            name="mimeType",
            shape=Text(
                description="Media type of the file.",
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
                description="Name of the file, as recipients see it.",
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
                description="URL from which the provider fetches the file: absolute, http(s).",
                examples=("https://static.acme.example/plan.pdf",),
                composed=True,
                rule=rules.ATTACHMENTS,
            ),
            required=True,
        ),
        *only_in(
            NEWER,
            Field(
                name="cid",
                shape=Text(
                    description='Content ID. The HTML shows the file as an inline image with `<img src="cid:ID">`.',
                    examples=("orderconf",),
                    composed=True,
                    min_length=1,
                    rule=rules.ATTACHMENTS,
                ),
            ),
        ),
        Field(
            name="size",
            shape=Integer(
                description="Size in bytes. Lint adds the sizes up. It is not sent.",
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
            description="Subject line.",
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
            description="Address for replies.",
            examples=("help@acme.example",),
            composed=True,
            rule=rules.REPLY_TO,
        ),
    ),
    Field(
        name="attachments",
        shape=Items(description="Files to attach.", item=ATTACHMENT, rule=rules.ATTACHMENTS),
    ),
    *only_in(
        NEWER,
        Field(
            name="encoding",
            shape=Text(
                description="Encoding of the email. The API's documentation names the key but no values.",
                min_length=1,
            ),
        ),
    ),
)

LIST_UNSUBSCRIBE = (
    Field(
        name="listUnsubscribeUrl",
        shape=Text(
            description="https URL of your own unsubscribe page, for the email's list-unsubscribe header. The provider then no"
            " longer records those opt-outs.",
            examples=("https://www.acme.example/unsubscribe",),
            composed=True,
        ),
    ),
    Field(
        name="unsubscribeEmailAddress",
        shape=Text(
            description="Address for unsubscribe emails, for the email's list-unsubscribe header.",
            examples=("unsubscribe@acme.example",),
            composed=True,
        ),
    ),
    Field(
        name="unsubscribeEmailSubject",
        shape=Text(
            description="Subject of unsubscribe emails. Needs `unsubscribeEmailAddress`.",
            examples=("Unsubscribe",),
            composed=True,
            min_length=1,
        ),
    ),
)

SHAPE = ChannelShape(
    name="email",
    content=Cases(
        by="type",
        title="email content",
        description="An email: plain text, or HTML with an optional text alternative.",
        rule=rules.TYPE,
        other_case_rule=rules.HTML,
        cases={
            "text": Record(
                title="email content (text)",
                description="A plain text email.",
                fields=(
                    Field(name="type", shape=Text(description="text"), required=True),
                    *COMMON,
                    Field(
                        name="text",
                        shape=Text(
                            description="Text of the email.", composed=True, min_length=1, rule=rules.TEXT
                        ),
                        required=True,
                    ),
                ),
            ),
            "html": Record(
                title="email content (html)",
                description="An HTML email.",
                fields=(
                    Field(name="type", shape=Text(description="html"), required=True),
                    *COMMON,
                    Field(
                        name="text",
                        shape=Text(
                            description="Text alternative, for mail programs that do not show HTML.",
                            composed=True,
                            rule=rules.TEXT,
                        ),
                    ),
                    Field(
                        name="html",
                        shape=Text(
                            description="HTML, at most 350 kB in UTF-8 (500 kB in profile 6.20).",
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
        title="email options",
        description="Options of an email: tracking, sender name, shortened links and unsubscribe headers.",
        unknown_key_rules={"*": envelope.OPTIONS},
        unknown_key_hints=HINTS,
        fields=(
            Field(
                name="trackClicks",
                shape=Boolean(
                    description="Track links in the HTML, except those with `no-track-connect`.",
                    strings=True,
                    rule=BOOLEAN,
                ),
            ),
            Field(
                name="trackOpens",
                shape=Boolean(description="Track when the email is opened.", strings=True, rule=BOOLEAN),
            ),
            Field(
                name="fromName",
                shape=Text(
                    description="Name shown with the sender's address.",
                    examples=("Acme Power",),
                    composed=True,
                    min_length=1,
                    rule=rules.FROM_NAME,
                ),
            ),
            *only_in(NEWER, SHORTEN, DOMAIN),
            *TAGS,
            *only_in(NEWER, *LIST_UNSUBSCRIBE),
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
COMMON_NAMES = {"image/jpg": "image/jpeg"}
"""Media type as the API's samples write it → its registered name."""
HEADERS = (
    ("content", "subject"),
    ("content", "replyTo"),
    ("options", "fromName"),
    ("options", "listUnsubscribeUrl"),
    ("options", "unsubscribeEmailAddress"),
    ("options", "unsubscribeEmailSubject"),
)
"""Texts that become headers of the email."""
LINK_TAG = re.compile(r"<a\b[^<>]*>", re.IGNORECASE)


def reply_to_is_an_address(message: Message) -> Iterator[Problem]:
    reply_to = message.content.get("replyTo")
    if isinstance(reply_to, str) and not is_email_address(reply_to):
        yield rules.REPLY_TO.broken(
            ("content", "replyTo"), "`replyTo` must be one email address", "for example help@acme.example"
        )


def attachments(message: Message) -> Iterator[tuple[Path, ApiObject]]:
    for number, attachment in enumerate(message.content.get("attachments") or ()):
        yield ("content", "attachments", number), attachment


def attachments_have_urls(message: Message) -> Iterator[Problem]:
    for path, attachment in attachments(message):
        if not is_http_url(attachment["mediaUrl"]):
            hint = "for example https://static.acme.example/plan.pdf"
            text = "`mediaUrl` must be an absolute http(s) URL"
            yield rules.MEDIA_URL.broken((*path, "mediaUrl"), text, hint)


def headers_are_one_line(message: Message) -> Iterator[Problem]:
    """A line break in a header could inject another header."""
    for where, key in HEADERS:
        text = getattr(message, where).get(key)
        if isinstance(text, str) and LINE_BREAK.search(text):
            yield rules.ONE_LINE.broken(
                (where, key), f"`{key}` must be one line", "write it in quotes on one line"
            )
    for path, attachment in attachments(message):
        if LINE_BREAK.search(attachment["name"]):
            yield rules.ONE_LINE.broken((*path, "name"), "the name of a file must be one line")


def unsubscribe_header_is_right(message: Message) -> Iterator[Problem]:
    options = message.options
    url, address = options.get("listUnsubscribeUrl"), options.get("unsubscribeEmailAddress")
    if isinstance(url, str) and not is_http_url(url, secure=True):
        text, hint = (
            "`listUnsubscribeUrl` must be an https URL",
            "for example https://www.acme.example/unsubscribe",
        )
        yield rules.LIST_UNSUBSCRIBE.broken(("options", "listUnsubscribeUrl"), text, hint)
    if isinstance(address, str) and not is_email_address(address):
        text, hint = (
            "`unsubscribeEmailAddress` must be one email address",
            "for example unsubscribe@acme.example",
        )
        yield rules.LIST_UNSUBSCRIBE.broken(("options", "unsubscribeEmailAddress"), text, hint)
    if "unsubscribeEmailSubject" in options and not address:
        text = "`unsubscribeEmailSubject` has no effect without `unsubscribeEmailAddress`"
        yield rules.LIST_UNSUBSCRIBE.broken(("options", "unsubscribeEmailSubject"), text, "add it")


def unsubscribe_in_html_only(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=("html",))


def tracking_needs_html(message: Message) -> Iterator[Problem]:
    if message.type == "text":
        for key in ("trackClicks", "trackOpens"):
            if message.options.get(key) is True:
                path, hint = ("options", key), "remove it, or set `type: html`"
                yield rules.TRACKING.broken(path, f"`{key}` has no effect in a plain text email", hint)


def attachments_are_what_they_say(message: Message) -> Iterator[Problem]:
    for path, attachment in attachments(message):
        wanted = MEDIA_TYPES.get(urlsplit(attachment["mediaUrl"]).path.rpartition(".")[2].lower())
        declared = attachment["mimeType"].partition(";")[0].strip().lower()
        if wanted is not None and COMMON_NAMES.get(declared, declared) not in {
            wanted,
            "application/octet-stream",
        }:
            text = f'the URL ends like {wanted}, but `mimeType` is "{attachment["mimeType"]}"'
            yield rules.MEDIA_TYPE.broken(
                (*path, "mimeType"), text, f"set `mimeType: {wanted}`, or use another URL"
            )


def no_track_is_an_attribute(message: Message) -> Iterator[Problem]:
    html = str(message.content.get("html", ""))
    rest = LINK_TAG.sub("", html)
    if NOT_AN_ATTRIBUTE.search(rest):
        text = "`no-track-connect` works only as an attribute of `<a>`"
        yield rules.NO_TRACK.broken(("content", "html"), text, 'write <a no-track-connect href="…">')


CHANNEL = Channel(
    ChannelName.EMAIL,
    SHAPE,
    rules=(
        headers_are_one_line,
        reply_to_is_an_address,
        attachments_have_urls,
        unsubscribe_in_html_only,
        unsubscribe_header_is_right,
        domain_is_https,
        content_ids_are_right,
    ),
    advice=(
        tracking_needs_html,
        attachments_are_what_they_say,
        no_track_is_an_attribute,
        inline_images_are_attached,
        content_ids_are_used,
        short_links_have_a_domain,
        has_link,
        tags_need_short_links,
    ),
)
