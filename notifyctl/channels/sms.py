"""SMS: content, options, receipts and the rules across them."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.channel import Channel, Message
from notifyctl.channels.field_checks import unsubscribe_misplaced
from notifyctl.channels.short_links import (
    DOMAIN,
    HINTS,
    SHORTEN,
    TAGS,
    TRACK,
    clicks_need_short_links,
    domain_is_https,
    has_link,
    short_links_have_a_domain,
    tags_need_short_links,
)
from notifyctl.config.fields import Cases, ChannelShape, Field, Record, Table, Text
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
        unknown_key_hints=HINTS,
        fields=(
            SHORTEN,
            DOMAIN,
            TRACK,
            Field(
                name="extras",
                shape=Table(
                    description="Values for carriers, for example `dlt_templateid` in India.",
                    value=Text(composed=True, description="A value as text."),
                    examples=({"dlt_templateid": "123456789"},),
                    rule=rules.EXTRAS,
                ),
            ),
            *TAGS,
        ),
    ),
    receipts=("submitted", "sent", "delivered", "undelivered", "failed", "clicked"),
)


def no_unsubscribe(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=())


CHANNEL = Channel(
    ChannelName.SMS,
    SHAPE,
    rules=(clicks_need_short_links, domain_is_https, no_unsubscribe),
    advice=(short_links_have_a_domain, has_link, tags_need_short_links),
)
