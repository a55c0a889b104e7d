"""Rules 55 to 66: SMS."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

BOOLEAN = Rule(
    56,
    "boolean-option",
    "The option is true or false. In YAML 1.2 yes, no, on and off are words.",
    also=(67, 83),
)
STRING_BOOLEAN = Rule(
    56,
    "string-boolean",
    'The option is written as a text, "true" or "false" in quotes, as samples of the API do. The API takes a boolean, and'
    " notifyctl sends one. `lint --fix` takes the quotes away.",
    W,
    also=(67, 83),
)
DOMAIN_URL = Rule(
    57,
    "short-link-domain-https",
    "The domain of shortened links is an https URL that the provider's support configured.",
)
DOMAIN_MISSING = Rule(
    58,
    "short-link-domain-missing",
    "Short links need a domain to be short on. Newer pages of the API ask for it in some accounts only:"
    " `lint: {short-link-domain-missing: warning}` lets a project do without.",
)
CLICKS = Rule(
    59,
    "clicks-need-short-links",
    "Clicks are counted on shortened links only: trackClicks needs shortenLinks.",
)
NOTHING_TO_SHORTEN = Rule(
    60,
    "nothing-to-shorten",
    "shortenLinks is on and the text has no https link. Links over http are not shortened.",
    W,
)
TYPE = Rule(61, "sms-type", "An SMS is `type: text` (GSM-7) or `type: unicode` (UCS-2).")
TEXT = Rule(62, "sms-text", "An SMS has a text, which is not empty.")
LENGTH = Rule(
    63,
    "sms-text-length",
    "An SMS has at most 1,024 characters; in release 6.20 4,000. The finished text counts.",
)
NEEDS_UNICODE = Rule(
    64,
    "needs-unicode",
    "A character is not in GSM-7, and the content is `type: text`: it would arrive as another one, or not at all. Lint says"
    " so where the template's own words or `vars` have it, and for each reader whose value has it; a plan refuses the former and"
    " blocks the latter.",
)
NEEDLESS_UNICODE = Rule(
    64,
    "needless-unicode",
    "Every reader's text is in GSM-7, and the content is `type: unicode`: a segment then holds 70 characters in place of 160,"
    " so it costs up to twice as much.",
    W,
)
SMARTLINKS = Rule(
    65,
    "smartlinks",
    "smartlinks is a list of {smartlinkId, validity}, both positive numbers; they are for SMS only.",
)
EXTRAS = Rule(66, "sms-extras", "extras holds texts for carriers, such as dlt_templateid in India.")
DLT = Rule(
    66,
    "dlt-template-missing",
    "Carriers in India (+91) take messages of registered templates only: `options.extras.dlt_templateid` names it.",
    W,
)
