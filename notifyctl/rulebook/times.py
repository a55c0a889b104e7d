"""Rules 37 to 46: when a message is sent, and until when."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

SEND_TIME = Rule(
    37,
    "send-time",
    "`at` is an ISO 8601 date and time: with an offset, or local in the schedule's time zone. The API takes no time without a"
    " zone, so a local one is resolved before it is sent. Seconds of the epoch are not milliseconds.",
    also=(40, 41),
)
EPOCH = Rule(
    37,
    "epoch-time",
    "The time is written in seconds of the epoch, which the API takes and people cannot read. `lint --fix` writes the same time"
    " in ISO 8601, with Z.",
    W,
    also=(40, 42),
)
EXPIRY_TIME = Rule(42, "expiry-time", "`expireAt` is an ISO 8601 date and time, as `at` is.")
EXPIRY_ORDER = Rule(
    43, "expiry-before-send", "A message would lapse before it is due, so nobody could get it."
)
EXPIRY_FAR = Rule(
    43,
    "expiry-too-far",
    "Release 6.20 keeps an SMS for at most 7 days: `expireAt` lies further behind `at` than that.",
    profile="6.20",
)
VALIDITY = Rule(
    44, "validity", "`expireAfter` is a duration longer than nothing, such as 4h; the API gets it in seconds."
)
VALIDITY_LONG = Rule(
    44,
    "validity-too-long",
    "Release 6.20 takes at most 259,200 seconds (72 hours) of validity for an SMS.",
    profile="6.20",
)
EXPIRY_TWICE = Rule(
    45,
    "expiry-exclusive",
    "`expireAfter` (the API's validity) and `expireAt` exclude each other; the API refuses a request with both.",
)
