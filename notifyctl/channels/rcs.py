"""RCS: text, media, cards, carousels and agent events; SMS fallback; and the rules across them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from msgspec.structs import replace

from notifyctl.channels.channel import Channel, Message, collect_texts, is_final
from notifyctl.channels.field_checks import is_http_url, unsubscribe_misplaced
from notifyctl.channels.limits import (
    CAROUSEL_CARDS,
    MAX_DESCRIPTION,
    MAX_FALLBACK_TEXT,
    MAX_LABEL,
    MAX_MEDIA_URL,
    MAX_TITLE,
    SUGGESTIONS_PER_CARD,
    SUGGESTIONS_PER_CAROUSEL_CARD,
    SUGGESTIONS_PER_MESSAGE,
)
from notifyctl.channels.senders import check_sender
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
from notifyctl.channels.suggestions import check_suggestion, suggestions
from notifyctl.config.fields import (
    NEWER,
    Boolean,
    Cases,
    ChannelShape,
    Choice,
    Field,
    Integer,
    Items,
    Record,
    Text,
    only_in,
)
from notifyctl.diagnostics import Path, Problem
from notifyctl.model.message import PLACEHOLDER
from notifyctl.model.project import ApiObject, ChannelName
from notifyctl.rulebook import Rule, envelope
from notifyctl.rulebook import rcs as rules
from notifyctl.rulebook.sms import BOOLEAN
from notifyctl.rulebook.substitutions import OUTSIDE_TEXT

FILE_ENDING = re.compile(r"\.[A-Za-z0-9]{2,5}$")

URL = Text(
    description="A public http(s) URL.",
    examples=("https://static.acme.example/map.png",),
    composed=True,
    min_length=1,
    max_length=MAX_MEDIA_URL,
    rule=rules.MEDIA_URL,
)
FILE_SIZE = Field(
    name="fileSize", shape=Integer(description="Size in bytes.", minimum=1, rule=rules.FILE_SIZE)
)
HEIGHT = Field(
    name="height",
    shape=Choice(description="Height on the screen.", values=("SHORT", "MEDIUM", "TALL"), rule=rules.HEIGHT),
    required=True,
)
OF_RICH_CARD = {"thumbnail": "`thumbnail` is a key of `richCard`, in profile 6.20"}
CHIPS = suggestions(SUGGESTIONS_PER_MESSAGE, rule=rules.CHIPS)

MEDIA = Record(
    title="card media",
    description="Image or video of a card.",
    rule=rules.CARD,
    fields=(
        Field(name="url", shape=URL, required=True),
        HEIGHT,
        replace(FILE_SIZE, aliases=("filesize",)),  # as a sample of 6.20 writes it
        Field(name="thumbnailUrl", shape=URL),
    ),
    unknown_key_hints=OF_RICH_CARD,
)

THUMBNAIL = Record(
    title="thumbnail",
    description="Small image that is shown until the media of the card is loaded.",
    rule=rules.CARD,
    fields=(
        Field(name="url", shape=URL, required=True),
        HEIGHT,
        FILE_SIZE,
        Field(
            name="contentType",
            shape=Text(
                description="Media type of the image.",
                examples=("image/gif",),
                pattern=r"[A-Za-z0-9.+-]+/[A-Za-z0-9.+-]+",
                pattern_description="a media type, for example image/gif",
                rule=rules.CARD,
            ),
        ),
        Field(
            name="description",
            shape=Text(description="Text of the thumbnail.", composed=True, rule=rules.CARD),
        ),
    ),
)

CARD = (
    Field(
        name="title",
        shape=Text(description="Title of the card, at most 200 characters.", composed=True, rule=rules.CARD),
    ),
    Field(
        name="description",
        shape=Text(description="Text of the card, at most 2,000 characters.", composed=True, rule=rules.CARD),
    ),
    Field(name="media", shape=MEDIA),
)

RICH_CARD = Record(
    title="rich card",
    description="A single card.",
    rule=rules.RICH_CARD,
    fields=(
        *CARD,
        Field(
            name="orientation",
            shape=Choice(
                description="Position of the image: above the text (VERTICAL) or next to it (HORIZONTAL).",
                values=("VERTICAL", "HORIZONTAL"),
                rule=rules.LAYOUT,
            ),
        ),
        Field(
            name="thumbnailAlignment",
            shape=Choice(
                description="Side of the image in a horizontal card.",
                values=("LEFT", "RIGHT"),
                rule=rules.LAYOUT,
            ),
        ),
        *only_in(NEWER, Field(name="thumbnail", shape=THUMBNAIL)),
        suggestions(SUGGESTIONS_PER_CARD, rule=rules.CARD_CHIPS),
    ),
)

CAROUSEL_CARD = Record(
    title="carousel card",
    description="One of the cards of a carousel.",
    rule=rules.CARDS,
    unknown_key_rules={"orientation": rules.LAYOUT, "thumbnailAlignment": rules.LAYOUT},
    unknown_key_hints=OF_RICH_CARD,
    fields=(*CARD, suggestions(SUGGESTIONS_PER_CAROUSEL_CARD, rule=rules.CAROUSEL_CHIPS)),
)


def content(
    kind: str,
    description: str,
    *fields: Field,
    chips: bool = True,
    unknown_key_rules: Mapping[str, Rule] = MappingProxyType({}),
) -> Record:
    return Record(
        unknown_key_rules=unknown_key_rules,
        title=f"RCS content ({kind})",
        description=description,
        fields=(
            Field(name="type", shape=Text(description=description, rule=rules.TYPE), required=True),
            *fields,
            *((CHIPS,) if chips else ()),
        ),
    )


SHAPE = ChannelShape(
    name="rcs",
    content=Cases(
        by="type",
        title="RCS content",
        description="Content of an RCS message.",
        rule=rules.TYPE,
        other_case_rule=rules.OTHER_TYPE,
        cases={
            "text": content(
                "text",
                "A text, with optional suggestions.",
                Field(
                    name="text",
                    shape=Text(
                        description="Text, at most 3,072 characters (1,024 in profile 6.20).",
                        composed=True,
                        min_length=1,
                        rule=rules.TEXT,
                    ),
                    required=True,
                ),
            ),
            "media": content(
                "media",
                "An image, a video or a document.",
                Field(name="mediaContentUrl", shape=replace(URL, rule=rules.MEDIA), required=True),
                FILE_SIZE,
            ),
            "standalone": content(
                "standalone", "A single card.", Field(name="richCard", shape=RICH_CARD, required=True)
            ),
            "carousel": content(
                "carousel",
                "Several cards side by side.",
                Field(
                    name="width",
                    shape=Choice(
                        description="Width of the cards.", values=("SMALL", "MEDIUM"), rule=rules.WIDTH
                    ),
                    required=True,
                ),
                Field(
                    name="cards",
                    shape=Items(
                        description="2 to 10 cards.",
                        item=CAROUSEL_CARD,
                        min_items=CAROUSEL_CARDS[0],
                        max_items=CAROUSEL_CARDS[1],
                        rule=rules.CARDS,
                    ),
                    required=True,
                ),
            ),
            "agentEvent": content(
                "agentEvent",
                "A typing or read event instead of a message.",
                Field(
                    name="event",
                    shape=Choice(
                        description="Event to send.", values=("IS_TYPING", "READ"), rule=rules.EVENT
                    ),
                    required=True,
                ),
                Field(
                    name="messageId",
                    shape=Text(
                        description="ID of the message that was read.",
                        composed=True,
                        min_length=1,
                        rule=rules.EVENT_MESSAGE,
                    ),
                ),
                unknown_key_rules={"suggestions": rules.EVENT_ALONE, "text": rules.EVENT_ALONE},
                chips=False,
            ),
        },
    ),
    options=Record(
        title="RCS options",
        description="Options of an RCS message: fallback SMS, carrier and shortened links.",
        unknown_key_rules={"*": envelope.OPTIONS},
        unknown_key_hints=HINTS,
        fields=(
            Field(
                name="smsFallback",
                shape=Boolean(
                    description="Send an SMS if the RCS message cannot be delivered.",
                    strings=True,
                    rule=BOOLEAN,
                ),
            ),
            Field(
                name="smsSenderId",
                shape=Text(
                    description="Sender of the fallback SMS.",
                    examples=("CNNECT",),
                    composed=True,
                    rule=rules.FALLBACK_SENDER,
                ),
            ),
            Field(
                name="text",
                shape=Text(
                    description="Text of the fallback SMS, at most 1,024 characters.",
                    composed=True,
                    max_length=MAX_FALLBACK_TEXT,
                    rule=rules.FALLBACK_LENGTH,
                ),
            ),
            Field(
                name="carrierId",
                shape=Text(
                    description="Carrier ID of the recipients, if it is known.",
                    examples=("41",),
                    pattern="[0-9]+",
                    pattern_description="digits, for example 41",
                    rule=rules.CARRIER,
                ),
            ),
            *only_in(NEWER, SHORTEN, DOMAIN, TRACK),
            *TAGS,
        ),
    ),
    receipts=("submitted", "sent", "delivered", "read", "failed", "clicked"),
)


def fallback_is_complete(message: Message) -> Iterator[Problem]:
    if message.options.get("smsFallback") is True:
        for key, what in (("smsSenderId", "a sender"), ("text", "a text")):
            if not message.options.get(key):
                yield rules.FALLBACK.broken(
                    ("options", "smsFallback"),
                    f"`smsFallback: true` needs {what} for the SMS",
                    f"add `{key}` to `options`",
                )


def events_are_complete(message: Message) -> Iterator[Problem]:
    if message.type != "agentEvent":
        return
    event, named = message.content.get("event"), "messageId" in message.content
    if event == "READ" and not named:
        yield rules.EVENT_MESSAGE.broken(
            ("content", "event"), "READ needs the `messageId` of the message that was read", "add it"
        )
    if event == "IS_TYPING" and named:
        yield rules.EVENT_MESSAGE.broken(
            ("content", "messageId"), "IS_TYPING cannot have a `messageId`", "remove it"
        )
    if message.options.get("smsFallback") is True:
        yield rules.EVENT_ALONE.broken(
            ("options", "smsFallback"), "an event cannot have a fallback SMS", "remove `smsFallback`"
        )


def cards(message: Message) -> Iterator[tuple[Path, ApiObject]]:
    if message.type == "standalone":
        yield ("content", "richCard"), message.content["richCard"]
    elif message.type == "carousel":
        for number, card in enumerate(message.content["cards"]):
            yield ("content", "cards", number), card


def cards_show_something(message: Message) -> Iterator[Problem]:
    for path, card in cards(message):
        if not any(card.get(key) for key in ("media", "title", "description")):
            yield rules.EMPTY_CARD.broken(
                path, "a card needs at least one of `media`, `title` and `description`"
            )


def carousel_heights_agree(message: Message) -> Iterator[Problem]:
    if message.type != "carousel":
        return
    heights = {card["media"]["height"] for _, card in cards(message) if card.get("media")}
    if len(heights) > 1:
        problem = " and ".join(sorted(heights))
        yield rules.HEIGHTS.broken(
            ("content", "cards"), f"the media of all cards must have the same `height`, not {problem}"
        )


def media_can_be_fetched(message: Message) -> Iterator[Problem]:
    urls: list[tuple[Path, str]] = [
        ((*path, part, "url"), card[part]["url"])
        for path, card in cards(message)
        for part in ("media", "thumbnail")
        if card.get(part)
    ]
    if message.type == "media":
        urls.append((("content", "mediaContentUrl"), message.content["mediaContentUrl"]))
    for path, url in urls:
        if is_final(url) and not is_http_url(url):
            yield rules.MEDIA_URL.broken(
                path,
                "the URL of media must be absolute, with http(s)",
                "for example https://static.acme.example/map.png",
            )


def all_suggestions(message: Message) -> Iterator[tuple[Path, ApiObject]]:
    """Those below the message and those in its cards."""
    holders: list[tuple[Path, ApiObject]] = [(("content",), message.content), *cards(message)]
    for path, holder in holders:
        for number, suggestion in enumerate(holder.get("suggestions") or ()):
            yield (*path, "suggestions", number), suggestion


def suggestions_are_right(message: Message) -> Iterator[Problem]:
    for path, suggestion in all_suggestions(message):
        yield from check_suggestion(suggestion, path)


def no_unsubscribe(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=())


def fallback_is_asked_for(message: Message) -> Iterator[Problem]:
    if message.options.get("smsFallback") is not True:
        for key in ("smsSenderId", "text"):
            if key in message.options:
                text = f"`{key}` has no effect without `smsFallback: true`"
                yield rules.FALLBACK_UNUSED.broken(("options", key), text, f"add it, or remove `{key}`")


def fallback_sender_is_one(message: Message) -> Iterator[Problem]:
    sender = message.options.get("smsSenderId")
    if isinstance(sender, str) and sender and is_final(sender):
        yield from check_sender(ChannelName.SMS, sender, ("options", "smsSenderId"))


def media_is_a_file(message: Message) -> Iterator[Problem]:
    url = str(message.content.get("mediaContentUrl", ""))
    if message.type == "media" and is_final(url) and not FILE_ENDING.search(url.partition("?")[0]):
        text = "`mediaContentUrl` must end in the type of the file"
        yield rules.MEDIA_ENDING.broken(
            ("content", "mediaContentUrl"), text, "for example https://static.acme.example/map.png"
        )


def cards_are_complete(message: Message) -> Iterator[Problem]:
    if message.profile != rules.CARD_INCOMPLETE.profile:
        return
    for path, card in cards(message):
        missing = [key for key in ("title", "media") if not card.get(key)]
        if missing:
            text = f"a card needs {' and '.join(missing)} (profile 6.20)"
            yield rules.CARD_INCOMPLETE.broken(path, text, f"add {' and '.join(missing)}")


def cards_have_a_layout(message: Message) -> Iterator[Problem]:
    if message.type != "standalone" or message.profile != rules.LAYOUT_MISSING.profile:
        return
    missing = [key for key in ("orientation", "thumbnailAlignment") if key not in message.content["richCard"]]
    if missing:
        names = " and ".join(f"`{key}`" for key in missing)
        text = f"a single card needs {names} (profile 6.20)"
        yield rules.LAYOUT_MISSING.broken(("content", "richCard"), text, f"add {names}")


def cards_are_short(message: Message) -> Iterator[Problem]:
    for path, card in cards(message):
        for key, most in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
            size = len(str(card.get(key, "")))
            if size > most:
                text = f"`{key}` has {size:,} characters; the limit is {most:,}"
                yield rules.TITLE_LONG.broken((*path, key), text, "shorten it")


def labels_are_short(message: Message) -> Iterator[Problem]:
    for path, suggestion in all_suggestions(message):
        label = suggestion["displayText"]
        size = len(label)
        if is_final(label) and size > MAX_LABEL:
            text = f"the label has {size} characters; the limit is {MAX_LABEL}"
            yield rules.LABEL_LONG.broken((*path, "displayText"), text, "shorten it")


def placeholders_stand_in_the_text(message: Message) -> Iterator[Problem]:
    if message.profile != OUTSIDE_TEXT.profile:
        return
    for path, text in collect_texts(message.content):
        if path != ("text",) and PLACEHOLDER.search(text):
            problem = "placeholders are filled in only in `text` (profile 6.20)"
            yield OUTSIDE_TEXT.broken(("content", *path), problem, "write the text without placeholders")


def places_have_coordinates(message: Message) -> Iterator[Problem]:
    """Profile 2021 also accepts an address alone."""
    if message.profile != rules.COORDINATES.profile:
        return
    for path, suggestion in all_suggestions(message):
        if suggestion["type"] == "viewLocation" and "latitude" not in suggestion:
            text = "viewLocation needs `latitude` and `longitude` (profile 6.20)"
            yield rules.COORDINATES.broken(path, text, "add them")


CHANNEL = Channel(
    ChannelName.RCS,
    SHAPE,
    rules=(
        fallback_is_complete,
        events_are_complete,
        cards_show_something,
        carousel_heights_agree,
        media_can_be_fetched,
        suggestions_are_right,
        no_unsubscribe,
        clicks_need_short_links,
        domain_is_https,
    ),
    advice=(
        fallback_is_asked_for,
        fallback_sender_is_one,
        media_is_a_file,
        cards_are_complete,
        cards_have_a_layout,
        cards_are_short,
        labels_are_short,
        placeholders_stand_in_the_text,
        places_have_coordinates,
        short_links_have_a_domain,
        has_link,
        tags_need_short_links,
    ),
)
