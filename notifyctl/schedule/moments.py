"""Moments in words: what the clocks of a schedule read, with UTC behind it, how long ago or ahead it is, and how long something takes.

One place for every text; JSON keeps ISO 8601.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from notifyctl.model.project import RECIPIENT_ZONE
from notifyctl.schedule.zones import load_zone, to_local

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
"""Zones whose clocks read UTC: nothing stands behind it."""
NEAR = timedelta(days=180)
"""Within which a day without its year cannot be mistaken."""
AMOUNTS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


Aware = Annotated[datetime, Meta(tz=True)]


class Moments(Struct, frozen=True):
    """One moment of a schedule for all its recipients, in UTC from the first to the last of them.

    `timezone`: an IANA name, or `recipient`. `zones`: at how many instants it comes. `local`: what the clock reads then, as
    2026-12-01T09:00; None if that is not the same in all time zones.
    """

    timezone: str
    local: str | None
    first: Aware
    last: Aware
    zones: int = 1


def gather(timezone: str, instants: Mapping[str, datetime]) -> Moments | None:
    """`instants`: of each time zone. None: there is none."""
    if not instants:
        return None
    readings = {f"{to_local(moment, zone):%Y-%m-%dT%H:%M}" for zone, moment in instants.items()}
    return Moments(
        timezone,
        readings.pop() if len(readings) == 1 else None,
        min(instants.values()),
        max(instants.values()),
        len(set(instants.values())),
    )


def format_time(moment: datetime, zone: str | None = None) -> str:
    """2026-12-01 09:00 Europe/Paris (08:00 UTC). `zone` None, or `recipient`: in UTC alone."""
    utc = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if zone is None or zone == RECIPIENT_ZONE or zone in UTC_NAMES:
        return utc
    local = moment.astimezone(load_zone(zone))
    return f"{local:%Y-%m-%d %H:%M} {zone} ({behind(local, moment)} UTC)"


def format_moments(moments: Moments) -> str:
    """Like `format_time`; for `recipient` the local time, and the first and last moment in UTC behind it."""
    if moments.timezone != RECIPIENT_ZONE:
        return format_time(moments.first, moments.timezone)
    if moments.local is None:
        zones = f", in {moments.zones} time zones" if moments.zones > 1 else ""
        return f"{utc_span(moments)} UTC{zones}"
    return f"{datetime.fromisoformat(moments.local):%Y-%m-%d %H:%M} {each_zone(moments)}"


def format_slot(moments: Moments, now: datetime) -> str:
    """Mon 7 Dec 09:00 Europe/Paris (08:00 UTC); with the year where it is far from `now`."""
    zone = moments.timezone
    if zone == RECIPIENT_ZONE:
        if moments.local is None:
            return format_moments(moments)
        return f"{format_day(moments.local, now)} {each_zone(moments)}"
    if zone in UTC_NAMES:
        return f"{format_day(f'{moments.first.astimezone(UTC):%Y-%m-%dT%H:%M}', now)} UTC"
    local = moments.first.astimezone(load_zone(zone))
    utc = behind(local, moments.first)
    return f"{format_day(f'{local:%Y-%m-%dT%H:%M}', now)} {zone} ({utc} UTC)"


def format_day(reading: str, now: datetime) -> str:
    """What a clock reads, such as 2026-12-07T09:00, as Mon 7 Dec 09:00."""
    local = datetime.fromisoformat(reading).replace(tzinfo=UTC)
    year = f" {local.year}" if abs(local - now) > NEAR else ""
    return f"{WEEKDAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]}{year} {local:%H:%M}"


def format_occurrence(name: str) -> str:
    """The id of an occurrence, which is a local time, as one."""
    return name.replace("T", " ", 1)


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not by strftime, which follows the machine's locale."""


def behind(local: datetime, moment: datetime) -> str:
    """The time in UTC; with its date where that is another."""
    utc = moment.astimezone(UTC)
    return f"{utc:%H:%M}" if utc.date() == local.date() else f"{utc:%Y-%m-%d %H:%M}"


def each_zone(moments: Moments) -> str:
    zones = f"{moments.zones} zone{'' if moments.zones == 1 else 's'}"
    first, last = moments.first.astimezone(UTC), moments.last.astimezone(UTC)
    day = (moments.local or "")[:10]
    if {f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"} == {day}:
        span = f"{first:%H:%M}" if first == last else f"{first:%H:%M}–{last:%H:%M}"  # noqa: RUF001 - a span
    else:
        span = utc_span(moments)
    return f"in each recipient's time zone ({span} UTC, {zones})"


def utc_span(moments: Moments) -> str:
    """The first and the last; the date twice only where it differs."""
    first, last = moments.first.astimezone(UTC), moments.last.astimezone(UTC)
    if first == last:
        return f"{first:%Y-%m-%d %H:%M}"
    if first.date() == last.date():
        return f"{first:%Y-%m-%d %H:%M}–{last:%H:%M}"  # noqa: RUF001 - a span
    return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"  # noqa: RUF001 - a span


def format_duration(seconds: float) -> str:
    """Two units that follow each other at most, such as 2 hours 47 minutes."""
    rest, parts = int(seconds), []
    for unit, size in AMOUNTS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
        elif parts:
            break
        if len(parts) == 2:  # noqa: PLR2004 - two units
            break
    return " ".join(parts) or "less than 1 second"


def format_amount(length: timedelta) -> str:
    """The largest unit alone, rounded down, such as 3 hours."""
    seconds = int(abs(length.total_seconds()))
    for unit, size in AMOUNTS[:-1]:
        if seconds >= size:
            count = seconds // size
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def format_age(age: timedelta) -> str:
    """5 days ago."""
    return f"{format_amount(age)} ago"


def format_wait(wait: timedelta) -> str:
    """In 3 hours. Below two days in hours: 47 hours are not one day."""
    if timedelta(days=1) <= wait < timedelta(days=2):
        return f"in {int(wait.total_seconds() // 3600)} hours"
    return f"in {format_amount(wait)}"
