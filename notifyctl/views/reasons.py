"""The reasons of a plan's actions as phrases: JSON and digest have codes, text and Markdown show English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime

from notifyctl.command_line import command_line
from notifyctl.lint.rule_pages import PAGES
from notifyctl.plan.actions import BASELINE_REASON, Action
from notifyctl.plan.series import (
    ABOVE,
    CHANGED,
    ENDS,
    LOOSER,
    NOT_ACCEPTED,
    NOT_RECURRING,
    PAST,
    REVOKED,
    SERIES_PREFIX,
    UNKNOWN,
)
from notifyctl.schedule.moments import format_time
from notifyctl.schedule.opening import HOLIDAY, OF_PROJECT, QUIET_HOURS
from notifyctl.views.colours import strip_controls

RENAME = "suspected-rename of "
GONE = "definition-gone"
HIGHER = "higher-edition "
TOO_EARLY = "beyond-7-days"
"""Why the provider is not handed a message yet."""

PHRASES = {
    "not-accepted": "the last attempt was not accepted",
    "may-have-it-already": "may have been sent already; sent again because `onUnknown: resend`",
    "no-outcome": "no conclusive response",
    "other-text-sent": "a different text was sent",
    "acknowledged": "already sent; the changed text is acknowledged",
    "not-due": "not due yet",
    "outside-window": "outside the sending window",
    TOO_EARLY: "due more than 7 days ahead, too early to hand to the provider",
    "after-horizon": "in their time zones it is due after the occurrences that this plan includes",
    "other-time-zone": "their time zone does not have this occurrence",
    "past-window": "the sending window has closed",
    "past-expiry": "past its expiry time",
    "expires-first": "it expires before it can be sent",
    "past-grace": "past its grace period",
    "superseded": "replaced by a later occurrence; only the latest is sent",
    "clock-change": "a clock change skips this time",
    "unknown-timezone": "the recipient's time zone is not in the IANA database",
    "joiners-held": "added after the edition started; to send, set `joiners: send`",
    "plan-used": "already attempted with this saved plan; make a new plan",
    "needs-unicode": "text has characters that are not in GSM-7",
    "max-segments": "more segments than `maxSegments` allows",
    "opted-out": "opted out",
    "text-too-long": "text is longer than the provider's limit",
    "unsubscribe-missing": "HTML without $(unsubscribe), required by `requireUnsubscribe`",
    "duplicate-address": "duplicate address (first row used)",
    "no-address": "no address for this channel",
    "bad-address": "invalid address",
    "bad-row": "row cannot be read",
    "fenced": "not on the environment's allow-list (`fence`)",
    GONE: "its definition was removed",
    NOT_ACCEPTED: "not accepted",
    LOOSER: "accepted under a looser `policy.accept` than that of the last acceptance",
    UNKNOWN: "planned without the ledger: whether it is accepted is unknown",
}
"""Codes without a value of their own, and what is shown for them."""

VALUED = (
    (re.compile(r"missing-variable (\S+)"), "no value for $({})"),
    (re.compile(r"variable-too-long (\S+)"), "value of $({}) is longer than `maxLength`"),
    (re.compile(r"max-recipients (\d+) > (\d+)"), "{} recipients, more than `maxRecipients` ({}) allows"),
    (
        re.compile(r"max-growth (\d+) joined (\d+), over (\d+) %"),
        "{} recipients added to {}, more than `maxGrowthPercent` ({}%) allows",
    ),
    (
        re.compile(r"max-rejected (\d+) of (\d+) rows, over (\d+) %"),
        "{} of {} rows rejected, more than `maxRejectedPercent` ({}%) allows",
    ),
    (re.compile(r"opted-out: (.*)"), "opted out: {}"),
    (re.compile(r"copy-outside-fence:\s(.+)"), "{} is not on the environment's allow-list (`fence`)"),
    (re.compile(r"copy-unreadable: (.+)"), "{} is not a valid email address"),
    (re.compile(rf"{CHANGED}(\S+) (\S+)"), "changed since it was accepted ({} → {})"),
    (re.compile(rf"{ABOVE}(\d+) > (\d+)"), "{} recipients, but at most {} were accepted"),
    (re.compile(rf"{PAST}(\S+)"), "accepted until {}, which is past"),
    (re.compile(rf"{ENDS}(\S+)"), "accepted until {}, and due after that"),
    (re.compile(rf"{REVOKED}(\S+)"), "the acceptance was revoked at {}"),
    (re.compile(re.escape(QUIET_HOURS) + r"(\S+)"), "quiet hours {}"),
    (re.compile(re.escape(HOLIDAY) + r"(\S+)"), "{} is a holiday"),
    (re.compile(re.escape(HOLIDAY) + r"(\S+) (.+)"), "{} is a holiday: {}"),
)
"""Codes with a value."""


def spell_out(reason: str, action: Action | None = None) -> str:
    """The reason as a phrase; itself where it has none. Why an edition was withdrawn is said in its author's words."""
    line = strip_controls(reason)
    if action is Action.WITHDRAWN and line != GONE:
        return line
    if line.startswith(BASELINE_REASON):
        return served_phrase(line.removeprefix(BASELINE_REASON).removesuffix(")"))
    if line.startswith(RENAME):
        return (
            f"looks like `{line.removeprefix(RENAME)}` under a new name; if so, add a `Moved` document (or `Baseline`, if"
            " they were notified in another way)"
        )
    if line.startswith(HIGHER):
        highest = line.removeprefix(HIGHER)
        return f"edition {highest} was sent before; set `edition: {int(highest) + 1}` or more"
    if line == NOT_RECURRING:
        return f"does not recur; to send it, run: {command_line('apply')}"
    if line in PHRASES:
        return PHRASES[line]
    if line.endswith(OF_PROJECT):
        return f"{spell_out(line.removesuffix(OF_PROJECT))} (project default)"
    for pattern, phrase in VALUED:
        if found := pattern.fullmatch(line):
            return phrase.format(*map(as_read, found.groups()))
    return f"breaks the rule `{line}`" if line in PAGES else line


def as_read(value: str) -> str:
    """A number with commas, the start of a fingerprint, a time in UTC; anything else as it is."""
    if value.isdecimal():
        return f"{int(value):,}"
    if value.startswith(SERIES_PREFIX):
        return short_fingerprint(value)
    if MOMENT.match(value):
        with suppress(ValueError, OverflowError):  # a plan file may hold any text
            return format_time(datetime.fromisoformat(value), "UTC")
    return value


MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d$")
SHOWN_DIGITS = 12


def short_fingerprint(fingerprint: str) -> str:
    """Enough of it to tell one from another."""
    return fingerprint[: len(SERIES_PREFIX) + SHOWN_DIGITS]


def served_phrase(reason: str) -> str:
    """How every view names recipients whom a baseline counts as notified."""
    return f"counted as already notified (`Baseline`: {strip_controls(reason)})"


def describe_reasons(reasons: Mapping[str, int], action: Action | None = None) -> Iterator[str]:
    alone = len(reasons) == 1
    for reason, count in reasons.items():
        phrase = spell_out(reason, action)
        # A code is easier to read without its hyphens; an author's words stay as they are.
        known = phrase != strip_controls(reason) or action is Action.WITHDRAWN
        phrase = phrase if known else phrase.replace("-", " ")
        yield phrase if alone else f"{count:,} {phrase}"
