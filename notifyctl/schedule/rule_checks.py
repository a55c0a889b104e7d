"""Checks `cron` and `rrule`: whether they can be read, and have an occurrence at all. Independent of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.model.project import Schedule
from notifyctl.schedule.local_times import CronTimes
from notifyctl.schedule.rrule import parse_rrule
from notifyctl.schedule.rrule_text import RuleError, read_rule

CRON_HINT = 'five fields: minute, hour, day of month, month, day of week, for example "0 9 * * MON-FRI"'
NEVER_HINT = "no day of the calendar and time of the day match all its parts; change or remove one of them"


def check_rule(schedule: Schedule) -> Iterator[Diagnostic]:
    """What is wrong with the rule of a schedule, if it has one."""
    if schedule.cron is not None:
        yield from check_cron(schedule, schedule.cron)
    if schedule.rrule is not None:
        yield from check_rrule(schedule, schedule.rrule)


def check_cron(schedule: Schedule, expression: str) -> Iterator[Diagnostic]:
    from cronsim import CronSimError

    try:
        never = not any(True for _ in CronTimes(expression).after(datetime(2026, 1, 1)))  # noqa: DTZ001 - local
    except CronSimError as error:
        yield problem(schedule, "cron", f'"{expression}" is not a valid cron expression: {error}', CRON_HINT)
    else:
        if never:
            yield problem(schedule, "cron", f'"{expression}" never occurs', NEVER_HINT)


def check_rrule(schedule: Schedule, text: str) -> Iterator[Diagnostic]:
    try:
        rule = read_rule(text)
        if schedule.ends is not None and (rule.count is not None or rule.until is not None):
            part = "COUNT" if rule.count is not None else "UNTIL"
            yield problem(
                schedule, "rrule", f"use only one of {part} in `rrule` and `until`", "remove one of them"
            )
        times = parse_rrule(text, schedule.starts)
    except RuleError as error:
        yield problem(schedule, "rrule", f'"{text}" is not a valid `rrule`: {error}', error.hint)
        return
    try:
        never = not any(True for _ in times.after(times.start))
    except ValueError:
        # dateutil: the hours that INTERVAL reaches are not in BYHOUR.
        never = True
    if never:
        yield problem(schedule, "rrule", f'"{text}" never occurs', NEVER_HINT)


def problem(schedule: Schedule, key: str, message: str, hint: str) -> Diagnostic:
    return Diagnostic("bad-schedule", Severity.ERROR, message, schedule.positions.location(key), hint=hint)
