"""RCS: text, media, cards, carousels and agent events; SMS fallback; and the rules across them."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.channels.channel import Channel, Message, Rule, filled_in
from notifyctl.channels.limits import (
    CAROUSEL_CARDS,
    MAX_FALLBACK_TEXT,
    MAX_MEDIA_URL,
    SUGGESTIONS_PER_CARD,
    SUGGESTIONS_PER_CAROUSEL_CARD,
    SUGGESTIONS_PER_MESSAGE,
)
from notifyctl.channels.suggestions import check_suggestion, suggestions
from notifyctl.channels.words import NO_UNSUBSCRIBE, http_url, unsubscribe_misplaced
from notifyctl.config.fields import (
    Boolean,
    Cases,
    ChannelShape,
    Choice,
    Field,
    Integer,
    Items,
    Record,
    Text,
)
from notifyctl.diagnostics import Path, Problem
from notifyctl.model import ApiObject, ChannelName

URL = Text(
    description="A public http(s) URL.",
    examples=("https://static.acme.example/map.png",),
    composed=True,
    min_length=1,
    max_length=MAX_MEDIA_URL,
    rule=99,
)
FILE_SIZE = Field(name="fileSize", shape=Integer(description="Its size in bytes.", minimum=1, rule=101))
CHIPS = suggestions(SUGGESTIONS_PER_MESSAGE, rule=102)

MEDIA = Record(
    title="Card media",
    description="The picture or video of a card.",
    rule=99,
    fields=(
        Field(name="url", shape=URL, required=True),
        Field(
            name="height",
            shape=Choice(description="How high it is shown.", values=("SHORT", "MEDIUM", "TALL"), rule=99),
            required=True,
        ),
        FILE_SIZE,
        Field(name="thumbnailUrl", shape=URL),
    ),
)

CARD = (
    Field(
        name="title",
        shape=Text(description="The card's title, best at most 200 characters.", composed=True, rule=97),
    ),
    Field(
        name="description",
        shape=Text(description="The card's words, best at most 2,000 characters.", composed=True, rule=97),
    ),
    Field(name="media", shape=MEDIA),
)

RICH_CARD = Record(
    title="Rich card",
    description="One card, alone.",
    rule=90,
    fields=(
        *CARD,
        Field(
            name="orientation",
            shape=Choice(description="Picture above or beside.", values=("VERTICAL", "HORIZONTAL"), rule=98),
        ),
        Field(
            name="thumbnailAlignment",
            shape=Choice(description="The side of the picture.", values=("LEFT", "RIGHT"), rule=98),
        ),
        suggestions(SUGGESTIONS_PER_CARD, rule=103),
    ),
)

CAROUSEL_CARD = Record(
    title="Carousel card",
    description="One of the cards that a reader swipes through.",
    rule=92,
    fields=(*CARD, suggestions(SUGGESTIONS_PER_CAROUSEL_CARD, rule=104)),
)


def content(kind: str, description: str, *fields: Field, chips: bool = True) -> Record:
    return Record(
        title=f"RCS content ({kind})",
        description=description,
        fields=(
            Field(name="type", shape=Text(description=description, rule=87), required=True),
            *fields,
            *((CHIPS,) if chips else ()),
        ),
    )


SHAPE = ChannelShape(
    name="rcs",
    content=Cases(
        by="type",
        title="RCS content",
        description="What an RCS message shows.",
        rule=87,
        cases={
            "text": content(
                "text",
                "Words, with chips below them.",
                Field(
                    name="text",
                    shape=Text(
                        description="The words, at most 3,072 characters (1,024 in profile 6.20).",
                        composed=True,
                        min_length=1,
                        rule=88,
                    ),
                    required=True,
                ),
            ),
            "media": content(
                "media",
                "A picture, a video or a document.",
                Field(name="mediaContentUrl", shape=URL, required=True),
                FILE_SIZE,
            ),
            "standalone": content(
                "standalone", "One card.", Field(name="richCard", shape=RICH_CARD, required=True)
            ),
            "carousel": content(
                "carousel",
                "Cards side by side.",
                Field(
                    name="width",
                    shape=Choice(description="How wide a card is.", values=("SMALL", "MEDIUM"), rule=91),
                    required=True,
                ),
                Field(
                    name="cards",
                    shape=Items(
                        description="2 to 10 cards.",
                        item=CAROUSEL_CARD,
                        min_items=CAROUSEL_CARDS[0],
                        max_items=CAROUSEL_CARDS[1],
                        rule=92,
                    ),
                    required=True,
                ),
            ),
            "agentEvent": content(
                "agentEvent",
                "A typing or read event instead of a message.",
                Field(
                    name="event",
                    shape=Choice(description="Which event.", values=("IS_TYPING", "READ"), rule=93),
                    required=True,
                ),
                Field(
                    name="messageId",
                    shape=Text(
                        description="The message that was read.", composed=True, min_length=1, rule=94
                    ),
                ),
                chips=False,
            ),
        },
    ),
    options=Record(
        title="RCS options",
        description="SMS in place of RCS where RCS fails, and the reader's carrier.",
        rule=83,
        fields=(
            Field(
                name="smsFallback",
                shape=Boolean(description="Send an SMS where RCS fails.", strings=True, rule=83),
            ),
            Field(
                name="smsSenderId",
                shape=Text(
                    description="Who the SMS comes from.", examples=("CNNECT",), composed=True, rule=83
                ),
            ),
            Field(
                name="text",
                shape=Text(
                    description="The words of the SMS, at most 1,024 characters.",
                    composed=True,
                    max_length=MAX_FALLBACK_TEXT,
                    rule=84,
                ),
            ),
            Field(
                name="carrierId",
                shape=Text(
                    description="The carrier's number, where it is known.",
                    examples=("41",),
                    pattern="[0-9]+",
                    says="digits, for example 41",
                    rule=86,
                ),
            ),
        ),
    ),
    receipts=("submitted", "sent", "delivered", "read", "failed", "clicked"),
)

FALLBACK = Rule(85, "fallback-incomplete")
EVENT = Rule(94, "agent-event-message")
QUIET_EVENT = Rule(95, "agent-event-fallback")
EMPTY_CARD = Rule(97, "empty-card")
HEIGHTS = Rule(99, "carousel-heights")
MEDIA_URL = Rule(99, "media-url")


def fallback_is_complete(message: Message) -> Iterator[Problem]:
    if message.options.get("smsFallback") is True:
        for key, what in (("smsSenderId", "a sender"), ("text", "a text")):
            if not message.options.get(key):
                yield FALLBACK.broken(
                    ("options", "smsFallback"),
                    f"smsFallback needs {what} for the SMS",
                    f"add `{key}` to the options",
                )


def events_are_complete(message: Message) -> Iterator[Problem]:
    if message.type != "agentEvent":
        return
    event, named = message.content.get("event"), "messageId" in message.content
    if event == "READ" and not named:
        yield EVENT.broken(("content", "event"), "READ says which message was read", "add `messageId`")
    if event == "IS_TYPING" and named:
        yield EVENT.broken(("content", "messageId"), "IS_TYPING is about no message", "remove `messageId`")
    if message.options.get("smsFallback") is True:
        yield QUIET_EVENT.broken(
            ("options", "smsFallback"), "an event has no SMS to fall back to", "remove it"
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
            yield EMPTY_CARD.broken(path, "a card has at least one of media, title and description")


def carousel_heights_agree(message: Message) -> Iterator[Problem]:
    if message.type != "carousel":
        return
    heights = {card["media"]["height"] for _, card in cards(message) if card.get("media")}
    if len(heights) > 1:
        said = " and ".join(sorted(heights))
        yield HEIGHTS.broken(("content", "cards"), f"the media of all cards has one height, not {said}")


def media_can_be_fetched(message: Message) -> Iterator[Problem]:
    urls: list[tuple[Path, str]] = [
        ((*path, "media", "url"), card["media"]["url"]) for path, card in cards(message) if card.get("media")
    ]
    if message.type == "media":
        urls.append((("content", "mediaContentUrl"), message.content["mediaContentUrl"]))
    for path, url in urls:
        if filled_in(url) and not http_url(url):
            yield MEDIA_URL.broken(path, "media has an absolute http(s) URL", "https://…")


def suggestions_are_right(message: Message) -> Iterator[Problem]:
    holders: list[tuple[Path, ApiObject]] = [(("content",), message.content), *cards(message)]
    for path, holder in holders:
        for number, suggestion in enumerate(holder.get("suggestions") or ()):
            yield from check_suggestion(suggestion, (*path, "suggestions", number))


def no_unsubscribe(message: Message) -> Iterator[Problem]:
    return unsubscribe_misplaced(message.content, allowed=(), rule=NO_UNSUBSCRIBE)


CHANNEL = Channel(
    ChannelName.RCS,
    SHAPE,
    (
        fallback_is_complete,
        events_are_complete,
        cards_show_something,
        carousel_heights_agree,
        media_can_be_fetched,
        suggestions_are_right,
        no_unsubscribe,
    ),
)
