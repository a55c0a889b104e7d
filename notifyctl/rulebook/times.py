"""Rules 37 to 46: when a message is sent, and until when."""

from __future__ import annotations

from notifyctl.rulebook.rule import Rule, W

SEND_TIME = Rule(
    37,
    "send-time",
    "`at` must be an ISO 8601 date and time: with an offset, or local in the schedule's time zone. notifyctl sends it in UTC,"
    " because the API accepts no time without a zone. Epoch times must be in seconds.",
    also=(40, 41),
)
EPOCH = Rule(
    37,
    "epoch-time",
    "The time is in epoch seconds, which are hard to check. To write the same time in ISO 8601, run: notifyctl lint --fix.",
    W,
    also=(40, 42),
)
EXPIRY_TIME = Rule(42, "expiry-time", "`expireAt` must be an ISO 8601 date and time, like `at`.")
EXPIRY_ORDER = Rule(
    43,
    "expiry-before-send",
    "The message would expire before it is due, or before its window opens, so it would never be sent.",
)
EXPIRY_FAR = Rule(
    43,
    "expiry-too-far",
    "In profile 6.20 an SMS must expire within 7 days of `at`, and `expireAt` is later.",
    profile="6.20",
)
VALIDITY = Rule(
    44,
    "validity",
    "`expireAfter` must be a positive duration, for example 4h. The API gets it in seconds.",
)
VALIDITY_LONG = Rule(
    44,
    "validity-too-long",
    "In profile 6.20 the limit for the validity of an SMS is 72 hours.",
    profile="6.20",
)
EXPIRY_TWICE = Rule(
    45,
    "expiry-exclusive",
    "Use only one of `expireAfter` (the API's `validity`) and `expireAt`. The API refuses a request with both.",
)
