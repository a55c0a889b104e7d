"""E-mail: content, options, receipts and the rules across them."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.channel import Channel, Message, Rule
from notifyctl.channels.words import NO_UNSUBSCRIBE, email_address, http_url, unsubscribe_misplaced
from notifyctl.config.fields import Boolean, Cases, ChannelShape, Field, Items, Record, Text
from notifyctl.diagnostics import Problem
from notifyctl.model import ChannelName

ATTACHMENT = Record(
    title="Attachment",
    description="A file that the provider fetches and attaches; 10 MB for the whole e-mail after encoding.",
    rule=75,
    fields=(
        Field(
            name="mimeType",
            shape=Text(
                description="Its media type.",
                examples=("application/pdf",),
                composed=True,
                min_length=1,
                rule=75,
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
            ),
            required=True,
        ),
        Field(
            name="mediaUrl",
            shape=Text(
                description="Where the provider fetches it: an absolute http(s) URL.",
                examples=("https://static.acme.example/plan.pdf",),
                composed=True,
                rule=76,
            ),
            required=True,
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
            rule=70,
        ),
        required=True,
    ),
    Field(
        name="replyTo",
        shape=Text(description="Where answers go.", examples=("help@acme.example",), composed=True, rule=71),
    ),
    Field(name="attachments", shape=Items(description="Files to attach.", item=ATTACHMENT, rule=75)),
)

SHAPE = ChannelShape(
    name="email",
    content=Cases(
        by="type",
        title="E-mail content",
        description="An e-mail: plain text, or HTML with an optional text alternative.",
        rule=69,
        cases={
            "text": Record(
                title="E-mail content (text)",
                description="A plain text e-mail.",
                fields=(
                    Field(name="type", shape=Text(description="text"), required=True),
                    *COMMON,
                    Field(
                        name="text",
                        shape=Text(description="The words.", composed=True, min_length=1, rule=72),
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
                        name="text", shape=Text(description="The text alternative.", composed=True, rule=72)
                    ),
                    Field(
                        name="html",
                        shape=Text(
                            description="The markup, at most 350 kB of UTF-8 (500 kB in profile 6.20).",
                            composed=True,
                            min_length=1,
                            rule=73,
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
        rule=67,
        fields=(
            Field(
                name="trackClicks",
                shape=Boolean(
                    description="Track links in the HTML, but for those with no-track-connect.",
                    strings=True,
                    rule=67,
                ),
            ),
            Field(
                name="trackOpens",
                shape=Boolean(description="Track when the e-mail is opened.", strings=True, rule=67),
            ),
            Field(
                name="fromName",
                shape=Text(
                    description="The name beside the sender's address.",
                    examples=("Acme Power",),
                    composed=True,
                    min_length=1,
                    rule=67,
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

REPLY_TO = Rule(71, "reply-to-address")
MEDIA_URL = Rule(76, "attachment-url")
ONE_LINE = Rule(70, "header-one-line")


def reply_to_is_an_address(message: Message) -> Iterator[Problem]:
    reply_to = message.content.get("replyTo")
    if isinstance(reply_to, str) and not email_address(reply_to):
        yield REPLY_TO.broken(("content", "replyTo"), "replyTo is one e-mail address", "name@domain.example")


def attachments_have_urls(message: Message) -> Iterator[Problem]:
    for number, attachment in enumerate(message.content.get("attachments") or ()):
        if not http_url(attachment["mediaUrl"]):
            path = ("content", "attachments", number, "mediaUrl")
            yield MEDIA_URL.broken(path, "mediaUrl is an absolute http(s) URL", "https://…")


def headers_are_one_line(message: Message) -> Iterator[Problem]:
    """A line break in a header could add another header."""
    for where, key in (("content", "subject"), ("content", "replyTo"), ("options", "fromName")):
        text = getattr(message, where).get(key)
        if isinstance(text, str) and any(character in text for character in "\r\n\0"):
            yield ONE_LINE.broken((where, key), f"{key} is one line", "write it in quotes on one line")


def unsubscribe_in_html_only(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=("html",), rule=NO_UNSUBSCRIBE)


CHANNEL = Channel(
    ChannelName.EMAIL,
    SHAPE,
    (reply_to_is_an_address, attachments_have_urls, headers_are_one_line, unsubscribe_in_html_only),
)
