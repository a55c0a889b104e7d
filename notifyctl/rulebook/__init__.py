"""The rule book: every rule of the Messaging API v2 that files can break, once, by number. Data only.

Shapes and checks in `config`, `channels` and `lint` refer to these rules; `notifyctl explain` and
docs/reference/rules.md print their pages. Numbers 1 to 111 follow the project's fact sheet on the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.rulebook import email, envelope, rcs, receipts, sms, substitutions, times
from notifyctl.rulebook.rule import Rule

LAST = 111
"""Rules are numbered from 1 to this."""

FAMILIES = (envelope, substitutions, times, receipts, sms, email, rcs)


def rules() -> Iterator[Rule]:
    """All rules, by number and in order of declaration."""
    found = (value for family in FAMILIES for value in vars(family).values() if isinstance(value, Rule))
    yield from sorted(found, key=lambda rule: rule.number)


NOT_CHECKED: Mapping[int, str] = {
    1: "notifyctl writes the JSON itself, so that it is one strict object; the sandbox refuses what is not.",
    12: "A request is made for one channel, so that each of its objects has one type of destination.",
    17: "Needs no file: batches are cut to `limits.tps` and requests are paced to it.",
    27: "The token is made for each request from secrets that no file holds; a test decodes it.",
    29: "Kept when values are filled in: a recipient's own win over the notification's.",
    38: "Needs the clock: a plan defers what lies further ahead than 7 days.",
    39: "Needs the clock: a plan shows what lies in the past as expired.",
    46: "Kept when a plan is made: what has lapsed by then is not sent.",
}
"""Rules that no file can break, or that lint lacks the data for, and where they are enforced instead."""

__all__ = [
    "LAST",
    "NOT_CHECKED",
    "Rule",
    "email",
    "envelope",
    "rcs",
    "receipts",
    "rules",
    "sms",
    "substitutions",
    "times",
]
