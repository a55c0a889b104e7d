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
    1: "notifyctl writes the JSON, so it is always one strict object. The sandbox refuses any other.",
    12: "A request has one channel, so each of its objects has one type of address.",
    17: "No file can break it: batches are cut to `limits.tps`, and requests are sent at that rate.",
    27: "The token is made for each request, from secrets that are in no file. A test decodes it.",
    29: "Values are filled in by this rule: a recipient's own value replaces the notification's.",
    38: "Depends on the time of the plan, which defers messages that are due more than 7 days ahead.",
    39: "Depends on the time of the plan, which shows messages that are due in the past as expired.",
    46: "Depends on the time of the plan, which does not send messages that have expired.",
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
