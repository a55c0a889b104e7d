"""`rrule` of a schedule: a recurrence rule of iCalendar (RFC 5545 §3.3.10) on naive local times, by python-dateutil.

dateutil alone would make each look at a rule as slow as it is old, because it counts from DTSTART, and would search a rule that
matches nothing until the year 9999. So every search here begins in the period of the rule before the time wanted, and in the
latest era of the calendar, which repeats every 400 years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

from msgspec import Struct

from notifyctl.schedule.rrule_text import RuleError, RuleText, read_rule

ERA = 400
"""After so many years dates fall on the same days of the week."""
SEARCHED = timedelta(days=50 * 366)
"""What has no match for so long has none; CronSim searches as far."""
FIRST_YEAR, LAST_YEAR = 1900, 2199
DAY = timedelta(days=1)
STEPS = {
    "HOURLY": timedelta(hours=1),
    "DAILY": DAY,
    "WEEKLY": 7 * DAY,
    "MONTHLY": 31 * DAY,
    "YEARLY": 366 * DAY,
}
"""The length of a period, at most."""


class RuleTimes(Struct, frozen=True):
    """The local times of a rule. `start`: DTSTART. `until`: the last moment of UNTIL or COUNT, with a zone only if the text has Z;
    None: without an end.
    """

    text: RuleText
    start: datetime
    until: datetime | None

    def after(self, start: datetime) -> Iterator[datetime]:
        first = max(start, self.start)
        end = first + SEARCHED
        for local in search(self.text, self.start, first):
            if local > end:
                return
            yield local

    def before(self, end: datetime) -> Iterator[datetime]:
        """Searches longer and longer spans, each forwards."""
        oldest = end - SEARCHED
        span = min(2 * self.text.interval * STEPS[self.text.freq], SEARCHED)
        while end >= max(self.start, oldest):
            begin = max(self.start, oldest, end - span)
            found = []
            for local in search(self.text, self.start, begin):
                if local > end:
                    break
                found.append(local)
            yield from reversed(found)
            end, span = begin - timedelta(minutes=1), min(4 * span, SEARCHED)


@lru_cache(maxsize=256)
def parse_rrule(text: str, starts: date | None) -> RuleTimes:
    """`starts`: `from` of the schedule, which is the rule's DTSTART. Raises ValueError with a message for users."""
    rule = read_rule(text)
    if not isinstance(starts, datetime) or starts.tzinfo is not None:
        raise RuleError(
            "`rrule` needs `from` with a time, its DTSTART", "for example `from: 2026-12-01T09:00`"
        )
    if starts.second or starts.microsecond:
        raise RuleError("`from` of an `rrule` must be a whole minute", "leave the seconds out")
    if not FIRST_YEAR <= starts.year <= LAST_YEAR:
        raise RuleError(
            f"`from` of an `rrule` must be in the years {FIRST_YEAR} to {LAST_YEAR}",
            "set a date near the first occurrence",
        )
    until = rule.until
    if isinstance(until, date) and not isinstance(until, datetime):
        until = datetime.combine(until, time.max)
    if rule.count is not None:
        *_, until = [None, *islice(search(rule, starts, starts), rule.count)]
    return RuleTimes(rule, starts, until)


def search(rule: RuleText, start: datetime, first: datetime) -> Iterator[datetime]:
    """The local times from `first` on, which is not before `start`; ends with the present era of the calendar, if not before."""
    from dateutil.rrule import rrule

    anchor = find_anchor(rule, start, first)
    years = (MAXYEAR - SEARCHED // (366 * DAY) - anchor.year) // ERA * ERA
    late = anchor.replace(year=anchor.year + years)
    for local in rrule(dtstart=late, **parts_of(rule, start)):
        present = local.replace(year=local.year - years)
        if present >= first:
            yield present


def find_anchor(rule: RuleText, start: datetime, first: datetime) -> datetime:
    """DTSTART, or a later beginning of one of its periods, from which the rule gives the same times from `first` on."""
    if rule.freq == "YEARLY":
        years = whole(first.year - start.year, rule.interval)
        return datetime(start.year + years, 1, 1) if years else start  # noqa: DTZ001 - a wall-clock time
    if rule.freq == "MONTHLY":
        months = whole(12 * (first.year - start.year) + first.month - start.month, rule.interval)
        year, month = divmod(12 * start.year + start.month - 1 + months, 12)
        return datetime(year, month + 1, 1) if months else start  # noqa: DTZ001 - a wall-clock time
    if rule.freq == "WEEKLY":
        # The first week is the one that DTSTART is in, whose beginning does not belong to the rule.
        week = datetime.combine(start, time.min) - (start.weekday() - rule.week_start) % 7 * DAY
        weeks = whole((first - week) // (7 * DAY), rule.interval)
        return week + 7 * weeks * DAY if weeks else start
    step = rule.interval * STEPS[rule.freq]
    return start + (first - start) // step * step


def whole(passed: int, interval: int) -> int:
    return passed - passed % interval


def parts_of(rule: RuleText, start: datetime) -> Mapping[str, Any]:
    """Arguments for dateutil, with what the rule takes from DTSTART, so that they hold from any anchor on."""
    from dateutil import rrule as dateutil

    parts: dict[str, Any] = dict(rule.numbers)
    days = tuple(dateutil.weekdays[day](nth) if nth else dateutil.weekdays[day] for day, nth in rule.weekdays)
    if days:
        parts["byweekday"] = days
    if not parts.keys() & {"byweekno", "byyearday", "bymonthday", "byweekday"}:
        if rule.freq == "YEARLY":
            parts.setdefault("bymonth", start.month)
        if rule.freq in {"YEARLY", "MONTHLY"}:
            parts["bymonthday"] = start.day
        if rule.freq == "WEEKLY":
            parts["byweekday"] = start.weekday()
    if rule.freq != "HOURLY":
        parts.setdefault("byhour", start.hour)
    parts.setdefault("byminute", start.minute)
    return {
        "freq": dateutil.FREQNAMES.index(rule.freq),
        "interval": rule.interval,
        "wkst": rule.week_start,
        "bysecond": 0,
        **parts,
    }
