"""Rules 47 to 54: which receipts are requested."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

RECEIPTS = Rule(47, "requested-receipts", "`requestedReceipts` must be a list of names of receipts.")
OF_CHANNEL = Rule(
    48,
    "receipt-of-channel",
    "SMS has submitted (also: sent), delivered, undelivered, failed and clicked. Email has submitted, delivered, read, not"
    " verified, invalid, bounced (also: bounce), complaint and failed. RCS has submitted (also: sent), delivered, read and"
    " failed. Profile 6.20 adds clicked for email and RCS.",
    also=(49, 50),
)
SPELLING = Rule(
    48,
    "receipt-spelling",
    "The receipt is written in another case, or by another name, than in the API's list: SENT is submitted, bounce is bounced."
    " Profile 6.20 also accepts the spelling of its pages: SUBMITTED for SMS, Sent for RCS, bounce for email."
    " To rewrite it, run: notifyctl lint --fix.",
    W,
    also=(49, 50, 51),
)
UNDOCUMENTED = Rule(
    48,
    "receipt-undocumented",
    "The documentation of profile 6.20 does not list the receipt for this channel, so the provider may ignore it, or refuse the"
    " request.",
    W,
    profile="6.20",
)
TWICE = Rule(51, "receipt-twice", "The same receipt is requested twice, in another case or by another name.")
CLICKED = Rule(
    52,
    "clicked-receipt",
    "Only shortened links are tracked, so a clicked receipt needs `shortenLinks: true` and `trackClicks: true`.",
)
WITHOUT_URL = Rule(
    53,
    "receipts-without-url",
    "`requestedReceipts` has no effect without `notifyUrl`, which is where receipts are posted to.",
    W,
)
READ = Rule(
    54,
    "read-receipt",
    "A read receipt comes from an image in the HTML. Plain text has none, and `trackOpens: false` omits it.",
    W,
)
