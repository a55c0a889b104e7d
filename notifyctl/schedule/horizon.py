"""The span that a plan authorises of recurring schedules: calendar moments, so that it moves once a day, at midnight."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from msgspec import Struct

from notifyctl.schedule.zones import to_instant, to_local


class Span(Struct, frozen=True):
    """From the beginning of today to the end of tomorrow. `end` is the horizon: what opens from then on is not authorised."""

    start: datetime
    end: datetime


def authorised_from(goes: datetime, zone: str) -> datetime:
    """The first moment whose plan authorises a recurring occurrence that goes at `goes`: midnight of the day before, in `zone`."""
    midnight = datetime.combine(to_local(goes, zone).date(), time.min)
    return to_instant(midnight - timedelta(days=1), zone)


def authorised_span(now: datetime, zone: str) -> Span:
    """`zone`: the project's."""
    midnight = datetime.combine(to_local(now, zone).date(), time.min)
    return Span(to_instant(midnight, zone), to_instant(midnight + timedelta(days=2), zone))
