"""Rules 83 to 111: RCS."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

FALLBACK_SENDER = Rule(83, "fallback-sender", "`smsSenderId` must not be empty.")
FALLBACK_LENGTH = Rule(84, "fallback-text-length", "The limit for the fallback SMS is 1,024 characters.")
FALLBACK = Rule(85, "fallback-incomplete", "`smsFallback: true` needs `smsSenderId` and `text`.")
FALLBACK_UNUSED = Rule(
    85,
    "fallback-unused",
    "`smsSenderId` and `text` have no effect without `smsFallback: true`: no fallback SMS is sent.",
    W,
)
CARRIER = Rule(86, "carrier-id", "`carrierId` must be digits. It is sent as a string.")
TYPE = Rule(
    87, "rcs-type", "The `type` of an RCS message must be text, media, standalone, carousel or agentEvent."
)
TEXT = Rule(88, "rcs-text", "An RCS message of type `text` needs a `text` that is not empty.")
LENGTH = Rule(
    88,
    "rcs-text-length",
    "The limit for an RCS text is 3,072 characters in profile 2021, and 1,024 in profile 6.20.",
)
MEDIA = Rule(89, "media-content-url", "An RCS message of type `media` needs `mediaContentUrl`.")
MEDIA_ENDING = Rule(
    89,
    "media-file-type",
    "`mediaContentUrl` must be a direct public URL that ends in the type of the file, for example .jpg.",
)
RICH_CARD = Rule(90, "rich-card", "An RCS message of type `standalone` needs `richCard`.")
WIDTH = Rule(91, "carousel-width", "The `width` of a carousel must be SMALL or MEDIUM.")
CARDS = Rule(92, "carousel-cards", "A carousel needs 2 to 10 cards.")
EVENT = Rule(93, "agent-event", "The `event` of an agent event must be IS_TYPING or READ.")
EVENT_MESSAGE = Rule(
    94, "agent-event-message", "READ needs the `messageId` of the message that was read. IS_TYPING has none."
)
EVENT_ALONE = Rule(
    95, "agent-event-alone", "A typing or read event cannot have text, suggestions or a fallback SMS."
)
OTHER_TYPE = Rule(
    96, "field-of-another-type", "The key belongs to RCS messages of another type, which the message names."
)
CARD = Rule(97, "card", "The `title` and `description` of a card must be text.")
EMPTY_CARD = Rule(97, "empty-card", "A card needs at least one of `media`, `title` and `description`.")
CARD_INCOMPLETE = Rule(
    97,
    "card-incomplete",
    "In profile 6.20 each card needs a `title` and `media`.",
    profile="6.20",
)
LAYOUT = Rule(
    98,
    "card-layout",
    "`orientation` must be VERTICAL or HORIZONTAL, and `thumbnailAlignment` LEFT or RIGHT. Cards of a carousel have neither.",
)
LAYOUT_MISSING = Rule(
    98,
    "card-layout-missing",
    "In profile 6.20 a single card needs `orientation` and `thumbnailAlignment`. Without them the provider chooses, or refuses"
    " the request.",
    W,
    profile="6.20",
)
MEDIA_URL = Rule(
    99, "media-url", "Media need an absolute http(s) URL of at most 2,048 characters.", also=(89,)
)
HEIGHT = Rule(99, "media-height", "The `height` of media must be SHORT, MEDIUM or TALL.")
HEIGHTS = Rule(99, "carousel-heights", "The media of all cards of a carousel must have the same `height`.")
SAMPLE = Rule(
    100,
    "sample-value",
    "The value is the list of choices as printed in the API's samples, for example VERTICAL/HORIZONTAL. Choose one.",
)
FILE_SIZE = Rule(101, "file-size", "`fileSize` must be a whole number of bytes, at least 1.")
CHIPS = Rule(102, "suggestions-per-message", "The limit for a message is 10 suggestions.")
CARD_CHIPS = Rule(103, "suggestions-per-card", "The limit for a single card is 4 suggestions.")
CAROUSEL_CHIPS = Rule(
    104, "suggestions-per-carousel-card", "The limit for a card of a carousel is 2 suggestions."
)
SUGGESTION = Rule(
    105,
    "suggestion-type",
    "The `type` of a suggestion must be reply, viewLocation, shareLocation, openUrl, calendarEvent or dialPhone.",
)
LABEL = Rule(106, "suggestion-text", "A suggestion needs a `displayText` that is not empty.")
LABEL_LONG = Rule(
    106,
    "suggestion-text-long",
    "The limit for the label of a suggestion is 25 characters. Phones cut a longer one, and profile 6.20 refuses it.",
)
PLACE = Rule(
    107,
    "view-location-place",
    "viewLocation needs `latitude` (-90 to 90) and `longitude` (-180 to 180), or an `address`.",
)
COORDINATES = Rule(
    107,
    "view-location-coordinates",
    "In profile 6.20 viewLocation needs `latitude` and `longitude`. An `address` alone is not enough.",
    profile="6.20",
)
OPEN_URL = Rule(108, "open-url", "openUrl needs an absolute http(s) URL.")
CALENDAR = Rule(
    109,
    "calendar-event-times",
    "A calendar event needs a `meetingTitle`, and a `startTime` and `endTime` in ISO 8601. It must not end before it starts.",
)
DIAL = Rule(110, "dial-phone-number", "dialPhone needs an E.164 number, for example +442079460000.")
TITLE_LONG = Rule(
    111,
    "card-text-long",
    "Phones cut the title of a card after 200 characters, and its description after 2,000.",
    W,
)
