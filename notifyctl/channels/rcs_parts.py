"""What an RCS message carries, as parts: texts, media, cards, what each button does, and the SMS sent when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from notifyctl.channels.parts import Carried, Fields, Kind, Part, fields_of, items_of
from notifyctl.channels.request_parts import describe_request
from notifyctl.channels.sms_parts import describe_fallback, describe_sender


def describe(carried: Carried) -> Iterator[Part]:
    content, options = fields_of(carried.content), fields_of(carried.options)
    yield from describe_sender(carried.sender)
    kind = content.take("type")
    yield from describe_media(content, "mediaContentUrl")
    if "text" in content:
        yield Part(Kind.TEXT, "text", "", content.text("text"))
    if "richCard" in content:
        yield from describe_card(fields_of(content.take("richCard")))
    cards = items_of(content.take("cards"))
    for number, card in enumerate(cards, 1):
        inside = tuple(describe_card(fields_of(card)))
        yield Part(Kind.BLOCK, "card", f"Card {number} of {len(cards)}", parts=inside)
    if kind == "agentEvent":
        yield Part(Kind.FIELD, "event", "Event", content.text("event"))
        if "messageId" in content:
            yield Part(Kind.FIELD, "messageId", "About message", content.text("messageId"))
    buttons = tuple(describe_buttons(content))
    if cards and buttons:
        yield Part(Kind.BLOCK, "below-cards", "Below the cards", parts=buttons)
    else:
        yield from buttons
    yield from describe_fallback(options)
    yield from content.rest()
    yield from options.rest()
    yield from describe_request(fields_of(carried.request))


def describe_card(card: Fields) -> Iterator[Part]:
    media = fields_of(card.take("media"))
    yield from describe_media(media, "url")
    thumbnail = fields_of(card.take("thumbnail"))
    if url := thumbnail.text("url"):
        yield Part(Kind.MEDIA, "thumbnail", "Thumbnail", url)
    if text := thumbnail.text("description"):
        yield Part(Kind.FIELD, "thumbnail-description", "Thumbnail text", text)
    settings = [*media.rest("media"), *thumbnail.rest("thumbnail")]
    for key in ("title", "description"):
        if text := card.text(key):
            yield Part(Kind.TEXT, key, "", text)
    yield from describe_buttons(card)
    yield from settings
    yield from card.rest()


def describe_media(media: Fields, key: str) -> Iterator[Part]:
    """The picture and the smaller one that stands for it until it is loaded; the rest of a card's media are settings."""
    if url := media.text(key):
        yield Part(Kind.MEDIA, "media", "Media", url)
    if url := media.text("thumbnailUrl"):
        yield Part(Kind.MEDIA, "thumbnail", "Thumbnail", url)


def describe_buttons(holder: Fields) -> Iterator[Part]:
    for suggestion in map(fields_of, items_of(holder.take("suggestions"))):
        kind = suggestion.text("type")
        label = suggestion.text("displayText")
        does = describe_tap(kind, suggestion)
        yield Part(Kind.BUTTON, kind, label, does, parts=tuple(suggestion.rest()))


def describe_tap(kind: str, button: Fields) -> str:
    """What a tap on a button does: the page it opens, the number it dials, the event it saves, the place it shows."""
    if kind == "reply":
        return "replies"
    if kind == "openUrl":
        return f"opens {button.text('url')}"
    if kind == "dialPhone":
        return f"dials {button.text('phone')}"
    if kind == "calendarEvent":
        title, about = button.text("meetingTitle"), button.text("meetingDescription")
        start, end = write_time(button.text("startTime")), write_time(button.text("endTime"))
        return ", ".join(each for each in (f'saves "{title}"', f"{start} to {end}", about) if each)
    if kind == "viewLocation":
        label, address = button.text("label"), button.text("address")
        place = [button.text("latitude"), button.text("longitude")]
        coordinates = " ".join(each for each in place if each)
        return "shows " + ", ".join(each for each in (label, address, coordinates) if each)
    if kind == "shareLocation":
        return "asks where the recipient is"
    return kind


def write_time(text: str) -> str:
    """An ISO 8601 time as `2026-12-01 09:00 UTC`; what is not one stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is None:
        return f"{moment:%Y-%m-%d %H:%M}"
    zone = "UTC" if moment.utcoffset() == UTC.utcoffset(None) else moment.isoformat()[-6:]
    return f"{moment:%Y-%m-%d %H:%M} {zone}"
