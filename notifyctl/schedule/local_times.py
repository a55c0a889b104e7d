"""The local times at which a schedule is due, forwards and backwards: `cron`, `rrule` and `at` behind one interface.

They are naive: what they mean in a time zone, `gap` and `overlap` is decided where they become instants, in `slots`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from notifyctl.model.project import Schedule
from notifyctl.schedule.rrule import SEARCHED, parse_rrule
from notifyctl.schedule.zones import to_local

MINUTE = timedelta(minutes=1)


class LocalTimes(Protocol):
    """Whole minutes, each once. Both end if there are no more, or none within SEARCHED."""

    def after(self, start: datetime) -> Iterator[datetime]:
        """From `start` on, itself included, the earliest first."""
        ...

    def before(self, end: datetime) -> Iterator[datetime]:
        """Until `end`, itself included, the latest first."""
        ...


class CronTimes(Struct, frozen=True):
    expression: str

    def after(self, start: datetime) -> Iterator[datetime]:
        from cronsim import CronSim

        yield from (
            local for local in CronSim(self.expression, start - timedelta(seconds=1)) if local >= start
        )

    def before(self, end: datetime) -> Iterator[datetime]:
        from cronsim import CronSim

        # CronSim 2.6 leaves the seconds of its start out, and looks before that.
        yield from CronSim(self.expression, end.replace(second=0, microsecond=0) + MINUTE, reverse=True)


class OneTime(Struct, frozen=True):
    """None: there is none, of a schedule that only limits when messages are sent, or of the project's hours alone."""

    local: datetime | None

    def after(self, start: datetime) -> Iterator[datetime]:
        if self.local is not None and self.local >= start:
            yield self.local

    def before(self, end: datetime) -> Iterator[datetime]:
        if self.local is not None and self.local <= end:
            yield self.local


class Bounded(Struct, frozen=True):
    """Those of a rule from `first` until `last`, both included; None: no bound."""

    times: LocalTimes
    first: datetime | None
    last: datetime | None

    def after(self, start: datetime) -> Iterator[datetime]:
        if self.first is not None and self.first > start + SEARCHED:
            return
        for local in self.times.after(start if self.first is None else max(start, self.first)):
            if self.last is not None and local > self.last:
                return
            yield local

    def before(self, end: datetime) -> Iterator[datetime]:
        if self.last is not None and self.last < end - SEARCHED:
            return
        for local in self.times.before(end if self.last is None else min(end, self.last)):
            if self.first is not None and local < self.first:
                return
            yield local


def local_times(schedule: Schedule, zone: str) -> LocalTimes:
    """Of `cron`, `rrule` or `at`, as clocks in `zone` read. Raises ValueError for a rule that is not valid."""
    if schedule.at is not None:
        return OneTime(schedule.at if schedule.at.tzinfo is None else to_local(schedule.at, zone))
    first, last = schedule.starts, schedule.ends
    if schedule.rrule is not None:
        rule = parse_rrule(schedule.rrule, schedule.starts)
        if rule.until is not None:
            # UNTIL in UTC ends at what the clock reads then.
            last = rule.until if rule.until.tzinfo is None else to_local(rule.until, zone)
        return Bounded(rule, first, last)
    if schedule.cron is None:
        return OneTime(None)
    return Bounded(CronTimes(schedule.cron), first, last)
