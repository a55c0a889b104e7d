"""Shortened links: the options of SMS in both profiles, of email and RCS in 6.20, and the rules across them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notifyctl.channels.channel import Message, collect_texts, is_final
from notifyctl.channels.field_checks import is_http_url
from notifyctl.config.fields import NEWER, Boolean, Choice, Field, Text, only_in
from notifyctl.diagnostics import Problem
from notifyctl.rulebook import sms as rules

SHORTEN = Field(
    name="shortenLinks",
    shape=Boolean(description="Shorten every https link in the text.", strings=True, rule=rules.BOOLEAN),
)
DOMAIN = Field(
    name="domain",
    shape=Text(
        description="Domain of shortened links, configured by the provider's support team.",
        examples=("https://me.example",),
        composed=True,
        rule=rules.DOMAIN_URL,
    ),
)
TRACK = Field(
    name="trackClicks",
    shape=Boolean(
        description="Track clicks on shortened links. Needs `shortenLinks: true`.",
        strings=True,
        rule=rules.BOOLEAN,
    ),
)
TAGS = only_in(
    NEWER,
    *(
        Field(
            name=name,
            shape=Text(
                description="Tag of the shortened links in the provider's reports. Recipients do not see it.",
                examples=(example,),
                min_length=1,
            ),
        )
        for name, example in (("tag1", "december"), ("tag2", "outage"))
    ),
    Field(
        name="allowFallbackURL",
        shape=Choice(
            description="If a link cannot be shortened: send the long link (true), or fail (false). Sent as a string.",
            values=("true", "false"),
            rule=rules.BOOLEAN,
        ),
    ),
)
REPORTING_TAGS = frozenset({"tag1", "tag2"})
"""Options that recipients cannot notice."""
HINTS = {"tags": "the keys are `tag1` and `tag2`"}
"""The table of the documentation calls them tags; its samples have these two keys."""

LINK = re.compile(r"https://\S", re.IGNORECASE)


def is_on(message: Message) -> bool:
    return message.options.get("shortenLinks") is True


def clicks_need_short_links(message: Message) -> Iterator[Problem]:
    if message.options.get("trackClicks") is True and not is_on(message):
        text = "`trackClicks` has no effect without `shortenLinks: true`"
        yield rules.CLICKS.broken(("options", "trackClicks"), text, "add it")


def domain_is_https(message: Message) -> Iterator[Problem]:
    domain = message.options.get("domain")
    if isinstance(domain, str) and not is_http_url(domain, secure=True):
        hint = "for example https://me.example"
        yield rules.DOMAIN_URL.broken(("options", "domain"), "`domain` must be an https URL", hint)


def short_links_have_a_domain(message: Message) -> Iterator[Problem]:
    if is_on(message) and not message.options.get("domain"):
        path, hint = (
            ("options", "shortenLinks"),
            "add `domain: https://…` with the domain that the provider configured",
        )
        yield rules.DOMAIN_MISSING.broken(path, "`shortenLinks` needs `domain`", hint)


def tags_need_short_links(message: Message) -> Iterator[Problem]:
    for field in TAGS if message.profile == rules.TAGS_UNUSED.profile else ():
        if field.name in message.options and not is_on(message):
            text = f"`{field.name}` has no effect without `shortenLinks: true`"
            hint = f"add it, or remove `{field.name}`"
            yield rules.TAGS_UNUSED.broken(("options", field.name), text, hint)


def has_link(message: Message) -> Iterator[Problem]:
    """A text that uses `$(name)` passes: a value may contain the link."""
    texts = [text for _, text in collect_texts(message.content)]
    if is_on(message) and all(is_final(text) and not LINK.search(text) for text in texts):
        hint = "remove it, or write the link with https://"
        text = "`shortenLinks` has no effect: the text has no https link"
        yield rules.NOTHING_TO_SHORTEN.broken(("options", "shortenLinks"), text, hint)
