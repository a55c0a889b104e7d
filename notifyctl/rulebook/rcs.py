"""Rules 83 to 111: RCS."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

FALLBACK_SENDER = Rule(83, "fallback-sender", "smsSenderId is a text that is not empty.")
FALLBACK_LENGTH = Rule(
    84, "fallback-text-length", "The text of an SMS in place of RCS has at most 1,024 characters."
)
FALLBACK = Rule(85, "fallback-incomplete", "An SMS in place of RCS needs a sender and a text.")
FALLBACK_UNUSED = Rule(
    85,
    "fallback-unused",
    "smsSenderId and text are those of an SMS in place of RCS; without `smsFallback: true` none is sent.",
    W,
)
CARRIER = Rule(86, "carrier-id", "carrierId is digits, and is sent as a text.")
TYPE = Rule(87, "rcs-type", "An RCS message is of type text, media, standalone, carousel or agentEvent.")
TEXT = Rule(88, "rcs-text", "An RCS message of type text has a text, which is not empty.")
LENGTH = Rule(88, "rcs-text-length", "An RCS text has at most 3,072 characters; in release 6.20 1,024.")
MEDIA = Rule(89, "media-content-url", "An RCS message of type media has a mediaContentUrl.")
MEDIA_ENDING = Rule(
    89,
    "media-file-type",
    "mediaContentUrl is a direct public URL that ends in the type of the file, such as .jpg.",
)
RICH_CARD = Rule(90, "rich-card", "An RCS message of type standalone has a richCard.")
WIDTH = Rule(91, "carousel-width", "A carousel has a width: SMALL or MEDIUM.")
CARDS = Rule(92, "carousel-cards", "A carousel has 2 to 10 cards.")
EVENT = Rule(93, "agent-event", "An agent event is IS_TYPING or READ.")
EVENT_MESSAGE = Rule(94, "agent-event-message", "READ names the message that was read, IS_TYPING none.")
EVENT_ALONE = Rule(
    95, "agent-event-alone", "A typing or read event has no words, no chips and no SMS to fall back to."
)
OTHER_TYPE = Rule(
    96, "field-of-another-type", "The key belongs to RCS messages of another type. The message says of which."
)
CARD = Rule(97, "card", "title and description of a card are texts.")
EMPTY_CARD = Rule(97, "empty-card", "A card shows at least one of media, title and description.")
CARD_INCOMPLETE = Rule(
    97,
    "card-incomplete",
    "Release 6.20 asks for a title and media in every card.",
    profile="6.20",
)
LAYOUT = Rule(
    98,
    "card-layout",
    "orientation is VERTICAL or HORIZONTAL, thumbnailAlignment LEFT or RIGHT; cards of a carousel have neither.",
)
MEDIA_URL = Rule(
    99, "media-url", "Media have an absolute http(s) URL of at most 2,048 characters.", also=(89,)
)
HEIGHT = Rule(99, "media-height", "The height of media is SHORT, MEDIUM or TALL.")
HEIGHTS = Rule(99, "carousel-heights", "The media of all cards of a carousel have one height.")
SAMPLE = Rule(
    100,
    "sample-value",
    "The value is the list of choices that the documentation's samples print, such as VERTICAL/HORIZONTAL. Choose one.",
)
FILE_SIZE = Rule(101, "file-size", "fileSize is a whole number of bytes, at least 1.")
CHIPS = Rule(102, "suggestions-per-message", "A message has at most 10 suggestions below it.")
CARD_CHIPS = Rule(103, "suggestions-per-card", "A card that stands alone has at most 4 suggestions.")
CAROUSEL_CHIPS = Rule(104, "suggestions-per-carousel-card", "A card of a carousel has at most 2 suggestions.")
SUGGESTION = Rule(
    105,
    "suggestion-type",
    "A suggestion is a reply, viewLocation, shareLocation, openUrl, calendarEvent or dialPhone.",
)
LABEL = Rule(
    106, "suggestion-text", "Every suggestion has a displayText, which is not empty; postbackData is a text."
)
LABEL_LONG = Rule(
    106,
    "suggestion-text-long",
    "A label has at most 25 characters: phones cut it off, and release 6.20 refuses it.",
)
PLACE = Rule(
    107,
    "view-location-place",
    "viewLocation has latitude (-90 to 90) and longitude (-180 to 180), or an address to look for.",
)
OPEN_URL = Rule(108, "open-url", "openUrl has an absolute http(s) URL.")
CALENDAR = Rule(
    109,
    "calendar-event-times",
    "A calendar event has a title and ISO 8601 times, and does not end before it begins.",
)
DIAL = Rule(110, "dial-phone-number", "dialPhone has an E.164 number, such as +442079460000.")
TITLE_LONG = Rule(
    111,
    "card-text-long",
    "A card's title of more than 200, or words of more than 2,000 characters, are cut off.",
    W,
)
