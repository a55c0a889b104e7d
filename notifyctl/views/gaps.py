"""What a plan says of recipients whose time zone or locale is missing, unknown or without a text of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.model import PlannedNotification
from notifyctl.recipients.gaps import OTHERS
from notifyctl.views.colours import strip_controls
from notifyctl.views.diagnostics import pluralise

CONCERNED = AUTHORISED | {Action.BLOCKED}
SINGULAR = {"are": "is", "get": "gets"}


def describe_gaps(planned: PlannedNotification) -> Iterator[tuple[bool, str]]:
    """Each with whether it is a warning; nothing of an occurrence that nobody is sent now or later."""
    if not any(planned.actions.get(action) for action in CONCERNED):
        return
    gaps = planned.gaps
    if gaps.without_timezone:
        zone = strip_controls(gaps.timezone or "UTC")
        yield True, f"{pluralise(gaps.without_timezone, 'recipient')} without a time zone: {zone} is used"
    for warns, what, counts, effect in (
        (True, "unknown time zone", gaps.unknown_timezones, "are blocked"),
        (True, "invalid locale", gaps.invalid_locales, "get the default text"),
        (False, "locale", gaps.default_locales, "get the default text"),
    ):
        if counts:
            yield warns, describe_counts(what, counts, effect)


def describe_counts(what: str, counts: Mapping[str, int], effect: str) -> str:
    """1 recipient with locale de gets the default text; 3 recipients with locales de (2), fr (1) get the default text."""
    number = sum(counts.values())
    names = {value: "others" if value == OTHERS else strip_controls(value) for value in counts}
    if len(counts) == 1:
        listed = f"{what} {next(iter(names.values()))}"
    else:
        listed = f"{what}s " + ", ".join(f"{names[value]} ({count:,})" for value, count in counts.items())
    return f"{pluralise(number, 'recipient')} with {listed} {singular(effect) if number == 1 else effect}"


def singular(effect: str) -> str:
    verb, rest = effect.split(" ", 1)
    return f"{SINGULAR[verb]} {rest}"
