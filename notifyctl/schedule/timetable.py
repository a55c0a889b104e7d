"""Which minutes of a local day are open, by windows, quiet hours and holidays, and which seconds of a UTC day in a time zone.

What the wall clock reads decides. So both passes of an hour that comes twice are judged alike, and an hour that is skipped counts
for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import lru_cache

from notifyctl.model.project import Hours, Window
from notifyctl.schedule.holiday_dates import find_name
from notifyctl.schedule.zones import find_transition, load_zone

Spans = tuple[tuple[int, int], ...]
"""Half-open, in order, apart from each other."""
MINUTES, SECONDS = 24 * 60, 86_400
WHOLE_DAY: Spans = ((0, MINUTES),)
EPOCH_DAY = date(1970, 1, 1).toordinal()


class Timetable:
    """Of rules that must all allow sending: a schedule's and the project's. Days are computed once, those of UTC for each zone."""

    def __init__(self, rules: tuple[Hours, ...]) -> None:
        self.rules = rules
        self._local: dict[int, Spans] = {}
        self._zoned: dict[tuple[str, int], Spans] = {}

    def is_holiday(self, day: date) -> bool:
        return any(find_name(each.holidays, day) is not None for each in self.rules)

    def local_minutes(self, day: int) -> Spans:
        """The open minutes of a local day, given by its number since 1970."""
        found = self._local.get(day)
        if found is None:
            found = self._local[day] = self._open_on(date.fromordinal(EPOCH_DAY + day))
        return found

    def _open_on(self, day: date) -> Spans:
        if self.is_holiday(day):
            return ()
        spans = WHOLE_DAY
        yesterday = date.fromordinal(day.toordinal() - 1)
        # A window past midnight belongs to the day on which it starts: after a holiday nothing is left of it.
        days = (day,) if self.is_holiday(yesterday) else (yesterday, day)
        for rules in self.rules:
            if rules.windows:
                spans = intersect(spans, union(minutes_on(day, rules.windows, days)))
            if rules.quiet_hours:
                spans = intersect(spans, invert(union(minutes_on(day, rules.quiet_hours, (yesterday, day)))))
        return spans

    def utc_seconds(self, zone: str, day: int) -> Spans:
        """The open seconds since 1970 of a UTC day, given by its number."""
        found = self._zoned.get((zone, day))
        if found is None:
            found = self._zoned[zone, day] = union(self._open_in(zone, day))
        return found

    def _open_in(self, zone: str, day: int) -> Iterator[tuple[int, int]]:
        for first, last, offset in offsets(zone, day * SECONDS, (day + 1) * SECONDS):
            for local in range((first + offset) // SECONDS, (last + offset - 1) // SECONDS + 1):
                midnight = local * SECONDS - offset
                for start, end in self.local_minutes(local):
                    begins, ends = max(first, midnight + 60 * start), min(last, midnight + 60 * end)
                    if begins < ends:
                        yield begins, ends


@lru_cache(maxsize=256)
def timetable(rules: tuple[Hours, ...]) -> Timetable:
    return Timetable(rules)


def offsets(zone: str, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    """The parts of at most a day in which the offset of a zone's clock, in seconds, does not change."""
    place = load_zone(zone)
    before, after = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
    old, new = (int(place.utcoffset(each.astimezone(place)).total_seconds()) for each in (before, after))  # type: ignore[union-attr]
    if old == new:
        yield first, last, old
    else:
        change = int(find_transition(before, after, place).timestamp())
        yield first, change, old
        yield change, last, new


def minutes_on(day: date, windows: Iterable[Window], starts: Iterable[date]) -> Iterator[tuple[int, int]]:
    """The minutes of a day that lie in windows which start on one of some days."""
    for begun in starts:
        shift = (begun.toordinal() - day.toordinal()) * MINUTES
        for window in windows:
            if begun.weekday() in window.days:
                start, end = span_of(window)
                first, last = max(0, start + shift), min(MINUTES, end + shift)
                if first < last:
                    yield first, last


def span_of(window: Window) -> tuple[int, int]:
    """In minutes of the day on which it starts; what ends on the next day ends after 1,440."""
    start = window.start.hour * 60 + window.start.minute
    if window.until == time.max:
        return start, MINUTES
    end = window.until.hour * 60 + window.until.minute
    return start, end if end > start else end + MINUTES


def union(spans: Iterable[tuple[int, int]]) -> Spans:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def invert(spans: Spans) -> Spans:
    """The rest of the day."""
    edges = [0, *(edge for span in spans for edge in span), MINUTES]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((start, end) for start, end in pairs if start < end)


def intersect(one: Spans, other: Spans) -> Spans:
    pairs = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((start, end) for start, end in pairs if start < end)
