"""Rules 47 to 54: which receipts are requested."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

RECEIPTS = Rule(47, "requested-receipts", "requestedReceipts is a list of the names of receipts.")
OF_CHANNEL = Rule(
    48,
    "receipt-of-channel",
    "SMS has submitted (also: sent), delivered, undelivered, failed and clicked; e-mail has submitted, delivered, read, not"
    " verified, invalid, bounced (also: bounce), complaint and failed; RCS has submitted (also: sent), delivered, read and"
    " failed. Release 6.20 adds clicked for e-mail and RCS.",
    also=(49, 50),
)
SPELLING = Rule(
    48,
    "receipt-spelling",
    "The receipt is written in other letters, or by another name, than in the API's list: SENT is submitted, bounce is bounced."
    " `lint --fix` writes the name of the list.",
    W,
    also=(49, 50, 51),
)
TWICE = Rule(51, "receipt-twice", "The same receipt is asked for twice, in other letters or by another name.")
CLICKED = Rule(
    52,
    "clicked-receipt",
    "Clicks are counted on links that were shortened: a clicked receipt needs `shortenLinks: true` and `trackClicks: true`.",
)
WITHOUT_URL = Rule(
    53,
    "receipts-without-url",
    "requestedReceipts chooses what is posted to notifyUrl; without notifyUrl it does nothing.",
    W,
)
READ = Rule(
    54,
    "read-receipt",
    "A read receipt comes from a picture in the HTML: plain text has none, and `trackOpens: false` leaves it out.",
    W,
)
