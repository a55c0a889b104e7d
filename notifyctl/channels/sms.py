"""SMS: content, options, receipts and the rules across them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.channels.channel import Channel, Message, is_final
from notifyctl.channels.field_checks import is_http_url, unsubscribe_misplaced
from notifyctl.config.fields import Boolean, Cases, ChannelShape, Field, Record, Table, Text
from notifyctl.diagnostics import Problem
from notifyctl.model.project import ChannelName
from notifyctl.rulebook import envelope
from notifyctl.rulebook import sms as rules

TEXT = Text(
    description="Text, at most 1,024 characters after substitution (4,000 in profile 6.20).",
    examples=("Hi $(name), there is an outage in your area $(area) for the next $(value).",),
    composed=True,
    min_length=1,
    rule=rules.TEXT,
)


def body(kind: str, description: str) -> Record:
    return Record(
        title=f"SMS content ({kind})",
        description=description,
        fields=(
            Field(name="type", shape=Text(description=description, rule=rules.TYPE), required=True),
            Field(name="text", shape=TEXT, required=True),
        ),
    )


SHAPE = ChannelShape(
    name="sms",
    content=Cases(
        by="type",
        title="SMS content",
        description="An SMS: encoding and text.",
        rule=rules.TYPE,
        cases={
            "text": body("text", "GSM-7: 160 characters in one segment."),
            "unicode": body("unicode", "UCS-2: any character, 70 in one segment."),
        },
    ),
    options=Record(
        title="SMS options",
        description="Options of an SMS: shortened links and values for carriers.",
        unknown_key_rules={"*": envelope.OPTIONS},
        fields=(
            Field(
                name="shortenLinks",
                shape=Boolean(
                    description="Shorten every https link in the text.", strings=True, rule=rules.BOOLEAN
                ),
            ),
            Field(
                name="domain",
                shape=Text(
                    description="Domain of shortened links, configured by the provider's support team.",
                    examples=("https://me.example",),
                    composed=True,
                    rule=rules.DOMAIN_URL,
                ),
            ),
            Field(
                name="trackClicks",
                shape=Boolean(
                    description="Track clicks on shortened links. Needs `shortenLinks: true`.",
                    strings=True,
                    rule=rules.BOOLEAN,
                ),
            ),
            Field(
                name="extras",
                shape=Table(
                    description="Values for carriers, for example `dlt_templateid` in India.",
                    value=Text(composed=True, description="A value as text."),
                    examples=({"dlt_templateid": "123456789"},),
                    rule=rules.EXTRAS,
                ),
            ),
        ),
    ),
    receipts=("submitted", "sent", "delivered", "undelivered", "failed", "clicked"),
)

LINK = re.compile(r"https://\S", re.IGNORECASE)


def clicks_need_short_links(message: Message) -> Iterator[Problem]:
    if message.options.get("trackClicks") is True and message.options.get("shortenLinks") is not True:
        path = ("options", "trackClicks")
        yield rules.CLICKS.broken(path, "`trackClicks` has no effect without `shortenLinks: true`", "add it")


def domain_is_https(message: Message) -> Iterator[Problem]:
    domain = message.options.get("domain")
    if isinstance(domain, str) and not is_http_url(domain, secure=True):
        path = ("options", "domain")
        yield rules.DOMAIN_URL.broken(path, "`domain` must be an https URL", "for example https://me.example")


def no_unsubscribe(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=())


def short_links_have_a_domain(message: Message) -> Iterator[Problem]:
    if message.options.get("shortenLinks") is True and not message.options.get("domain"):
        path, hint = (
            ("options", "shortenLinks"),
            "add `domain: https://…` with the domain that the provider configured",
        )
        yield rules.DOMAIN_MISSING.broken(path, "`shortenLinks` needs `domain`", hint)


def has_link(message: Message) -> Iterator[Problem]:
    """A text that uses `$(name)` passes: a value may contain the link."""
    text = str(message.content.get("text", ""))
    if message.options.get("shortenLinks") is True and is_final(text) and not LINK.search(text):
        path, hint = ("options", "shortenLinks"), "remove it, or write the link with https://"
        yield rules.NOTHING_TO_SHORTEN.broken(
            path, "`shortenLinks` has no effect: the text has no https link", hint
        )


CHANNEL = Channel(
    ChannelName.SMS,
    SHAPE,
    rules=(clicks_need_short_links, domain_is_https, no_unsubscribe),
    advice=(short_links_have_a_domain, has_link),
)
