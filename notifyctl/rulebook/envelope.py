"""Rules 1 to 27: channel, sender, recipients, and what goes beside the content."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

KEY_CASE = Rule(
    3,
    "key-case",
    "Keys are spelled with just these capitals: `notifyUrl`, not `notifyurl`. The API's webhooks spell some of them in"
    " small letters; requests do not, and the API does not know them so.",
)
CHANNEL = Rule(
    4, "channel", "A template says its channel: sms, email or rcs. The API takes no other through v2."
)
SENDER = Rule(
    5, "no-sender", "A message needs a sender: `from:` in the notification, or `senders:` in the environment."
)
SMS_SENDER = Rule(
    6,
    "sms-sender",
    "An SMS comes from a sender ID of letters and digits, a short code or a long code. None of them has a + before it."
    " With a letter it has at most 11 characters, without one at most 15 digits.",
)
EMAIL_SENDER = Rule(
    7, "email-sender", "An e-mail comes from one address, whose domain is registered with the account."
)
RCS_SENDER = Rule(
    8,
    "rcs-sender",
    "An RCS message comes from the app ID of a chatbot, which the console shows as a_ and digits. Another shape is most"
    " likely the ID of something else.",
    W,
)
DESTINATION = Rule(
    13,
    "destination",
    "A recipient has one address or a list of them, each a text. An empty list or a blank address would reach nobody.",
)
BAD_ADDRESS = Rule(
    14,
    "bad-address",
    "An MSISDN is 7 to 15 digits that do not begin with 0, with or without a + before them; an e-mail address has at most 64"
    " characters before the @, 255 after it, 320 in all. In YAML it is an error, because somebody wrote it. In a row of a"
    " file it is a warning: the row is left out, the others are sent to.",
    also=(15,),
)
PLUS = Rule(
    14,
    "msisdn-without-plus",
    "The account takes numbers with a + only (`limits.requirePlus` of the environment says so), and this one has none.",
)
REQUEST_SIZE = Rule(
    16,
    "destinations-per-request",
    "A request addresses at most 1,000 destinations, counted over all its `to` objects (code 7009 otherwise).",
)
SAME_ADDRESS = Rule(
    18,
    "duplicate-address",
    "Another row above has the same address. The first counts; this one is left out, so nobody gets a message twice.",
    W,
)
CORRELATION_ID = Rule(19, "correlation-id", "An author's correlation id is a text that is not empty.")
CORRELATION_TWICE = Rule(
    19,
    "correlation-id-repeated",
    "Two entries have the same correlation id. It comes back in receipts, which then cannot be told apart.",
    W,
)
CORRELATION_LONG = Rule(
    19,
    "correlation-id-long",
    "A correlation id of more than 50 bytes was cut off by the API's first version.",
    W,
)
CALLBACK_DATA = Rule(
    20, "callback-data", "callbackData is a text of at most 2,000 characters, blanks included."
)
NOTIFY_URL = Rule(
    21,
    "notify-url",
    "Receipts are posted to an https URL without blanks around it; http:// is for this machine and the sandbox.",
)
PRIORITY = Rule(22, "priority", "The priority is 1, 2 or 3; 1 is the lowest.")
CONTENT_OR_TEMPLATE = Rule(
    23,
    "content-or-template",
    "A message has its own content or names a template held by the provider: one of the two, not both, not neither.",
)
TEMPLATE_ID = Rule(
    24, "template-id", "The ID of a template held by the provider is a text, such as 5S2XXXXFNR."
)
OPTIONS = Rule(
    25,
    "channel-options",
    "Options have the keys of their channel only. SMS: shortenLinks, domain, trackClicks, extras; e-mail: trackClicks,"
    " trackOpens, fromName; RCS: smsFallback, smsSenderId, text, carrierId.",
    also=(55, 67, 83),
)
NO_CREDENTIAL = Rule(
    26,
    "no-credential",
    "An account is opened with a service key or a JWT. `auth:` of the environment names where they are; without it nothing"
    " can be sent there.",
)
TWO_CREDENTIALS = Rule(
    26,
    "two-credentials",
    "A service key and a JWT are both configured. The API uses the JWT and ignores the key, so the key is dead weight that"
    " can leak.",
    W,
)
