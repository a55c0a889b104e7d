"""What a plan says of where time zones are from, and of time zones and locales that are missing, unknown or without a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from notifyctl.plan.actions import AUTHORISED, Action
from notifyctl.plan.model import AudienceGaps, PlannedNotification
from notifyctl.recipients.gaps import OTHERS
from notifyctl.recipients.zones import ZoneSource
from notifyctl.views.colours import strip_controls
from notifyctl.views.diagnostics import pluralise
from notifyctl.views.reasons import spell_out

CONCERNED = AUTHORISED | {Action.BLOCKED}
SINGULAR = {"are": "is", "get": "gets"}


def describe_gaps(planned: PlannedNotification) -> Iterator[tuple[bool, str]]:
    """Each with whether it is a warning; nothing of an occurrence that nobody is sent now or later."""
    if not any(planned.actions.get(action) for action in CONCERNED):
        return
    gaps = planned.gaps
    for reason, count in planned.elsewhere.items():
        yield False, f"{pluralise(count, 'recipient')} not counted here: {spell_out(reason)}"
    if gaps.timezone_sources:
        yield False, f"time zones: {describe_sources(gaps)}"
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


SOURCES = {
    ZoneSource.AUDIENCE: "from the audience",
    ZoneSource.COUNTRY: "from the number's country",
    ZoneSource.PROJECT: "the project's",
}


def describe_sources(gaps: AudienceGaps) -> str:
    """Where the time zones are from: 3 from the audience, 2 from the number's country (Asia/Kolkata), 1 the project's (UTC)."""
    zones = {
        ZoneSource.COUNTRY: describe_zones(gaps.country_timezones),
        ZoneSource.PROJECT: strip_controls(gaps.timezone or ""),
    }
    parts = []
    for source, phrase in SOURCES.items():
        if count := gaps.timezone_sources.get(source, 0):
            named = f" ({zones[source]})" if zones.get(source) else ""
            parts.append(f"{count:,} {phrase}{named}")
    return ", ".join(parts) or "none known"


def describe_zones(counts: Mapping[str, int]) -> str:
    """Asia/Kolkata; or, of several, Asia/Kolkata 2, Europe/London 1."""
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{zone} {count:,}" for zone, count in counts.items())


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
