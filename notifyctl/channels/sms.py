"""SMS: content, options, receipts and the rules across them."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.channel import Channel, Message, Rule
from notifyctl.channels.words import NO_UNSUBSCRIBE, http_url, unsubscribe_misplaced
from notifyctl.config.fields import Boolean, Cases, ChannelShape, Field, Record, Table, Text
from notifyctl.diagnostics import Problem
from notifyctl.model import ChannelName

TEXT = Text(
    description="The words, at most 1,024 characters after substitution (4,000 in profile 6.20).",
    examples=("Hi $(name), there is an outage in your area $(area) for the next $(value).",),
    composed=True,
    min_length=1,
    rule=62,
)


def body(kind: str, description: str) -> Record:
    return Record(
        title=f"SMS content ({kind})",
        description=description,
        fields=(
            Field(name="type", shape=Text(description=description, rule=61), required=True),
            Field(name="text", shape=TEXT, required=True),
        ),
    )


SHAPE = ChannelShape(
    name="sms",
    content=Cases(
        by="type",
        title="SMS content",
        description="An SMS: its encoding and its words.",
        rule=61,
        cases={
            "text": body("text", "GSM-7: 160 characters in one segment."),
            "unicode": body("unicode", "UCS-2: any character, 70 in one segment."),
        },
    ),
    options=Record(
        title="SMS options",
        description="What the API does to links in an SMS, and what carriers ask for.",
        rule=55,
        fields=(
            Field(
                name="shortenLinks",
                shape=Boolean(description="Shorten every https link in the text.", strings=True, rule=56),
            ),
            Field(
                name="domain",
                shape=Text(
                    description="The domain of shortened links, configured by the provider's support team.",
                    examples=("https://me.example",),
                    composed=True,
                    rule=57,
                ),
            ),
            Field(
                name="trackClicks",
                shape=Boolean(
                    description="Ask for clicked receipts; needs shortenLinks.", strings=True, rule=56
                ),
            ),
            Field(
                name="extras",
                shape=Table(
                    description="Carrier-specific values, such as dlt_templateid in India.",
                    value=Text(composed=True, description="A value as text."),
                    examples=({"dlt_templateid": "123456789"},),
                    rule=66,
                ),
            ),
        ),
    ),
    receipts=("submitted", "sent", "delivered", "undelivered", "failed", "clicked"),
)

CLICKS_NEED_SHORT_LINKS = Rule(59, "clicks-need-short-links")
DOMAIN_IS_HTTPS = Rule(57, "short-link-domain-https")


def clicks_need_short_links(message: Message) -> Iterator[Problem]:
    if message.options.get("trackClicks") is True and message.options.get("shortenLinks") is not True:
        yield CLICKS_NEED_SHORT_LINKS.broken(
            ("options", "trackClicks"),
            "trackClicks works on shortened links only",
            "add `shortenLinks: true`",
        )


def domain_is_https(message: Message) -> Iterator[Problem]:
    domain = message.options.get("domain")
    if isinstance(domain, str) and not http_url(domain, secure=True):
        yield DOMAIN_IS_HTTPS.broken(
            ("options", "domain"), "the domain of short links is an https URL", "https://…"
        )


def no_unsubscribe(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=(), rule=NO_UNSUBSCRIBE)


CHANNEL = Channel(ChannelName.SMS, SHAPE, (clicks_need_short_links, domain_is_https, no_unsubscribe))
