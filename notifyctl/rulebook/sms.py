"""Rules 55 to 66: SMS."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

BOOLEAN = Rule(
    56,
    "boolean-option",
    "The option must be true or false. In YAML 1.2, yes, no, on and off are text.",
    also=(67, 83),
)
STRING_BOOLEAN = Rule(
    56,
    "string-boolean",
    'The option is text, "true" or "false" in quotes, as in samples of the API. The API documents a boolean, and notifyctl'
    " sends one. To remove the quotes, run: notifyctl lint --fix.",
    W,
    also=(67, 83),
)
DOMAIN_URL = Rule(
    57,
    "short-link-domain-https",
    "The `domain` of shortened links must be an https URL that the provider's support team configured.",
)
DOMAIN_MISSING = Rule(
    58,
    "short-link-domain-missing",
    "`shortenLinks` needs the `domain` of the short links. If your account does not need one, set"
    " `lint: {short-link-domain-missing: warning}`.",
)
CLICKS = Rule(
    59,
    "clicks-need-short-links",
    "Only shortened links are tracked, so `trackClicks` has no effect without `shortenLinks: true`.",
)
TAGS_UNUSED = Rule(
    59,
    "short-link-option-unused",
    "`tag1`, `tag2` and `allowFallbackURL` are about shortened links. They have no effect without `shortenLinks: true`.",
    W,
    profile="6.20",
)
NOTHING_TO_SHORTEN = Rule(
    60,
    "nothing-to-shorten",
    "`shortenLinks` is on, but the text has no https link. Links with http:// are not shortened.",
    W,
)
TYPE = Rule(61, "sms-type", "The `type` of an SMS must be `text` (GSM-7) or `unicode` (UCS-2).")
TEXT = Rule(62, "sms-text", "An SMS needs a `text` that is not empty.")
LENGTH = Rule(
    63,
    "sms-text-length",
    "The limit for an SMS is 1,024 characters in profile 2021, and 4,000 in profile 6.20. The finished text counts.",
)
NEEDS_UNICODE = Rule(
    64,
    "needs-unicode",
    "A character is not in GSM-7, but the content is `type: text`: it would be replaced or lost. If the character is in the"
    " template or in `vars`, no plan is made. If it is in a recipient's value, that recipient is blocked.",
)
NEEDLESS_UNICODE = Rule(
    64,
    "needless-unicode",
    "All texts fit GSM-7, but the content is `type: unicode`. A segment then has 70 characters instead of 160, so the SMS can"
    " cost up to twice as much.",
    W,
)
SMARTLINKS = Rule(
    65,
    "smartlinks",
    "`smartlinks` must be a list of `smartlinkId` and `validity`, both positive numbers. Only SMS has them.",
)
EXTRAS = Rule(
    66, "sms-extras", "`extras` must be text values for carriers, for example `dlt_templateid` in India."
)
DLT = Rule(
    66,
    "dlt-template-missing",
    "Carriers in India (+91) accept only registered templates. `options.extras.dlt_templateid` names the template.",
    W,
)
