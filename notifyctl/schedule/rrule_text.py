"""Reads the text of an `rrule` strictly: RFC 5545 §3.3.10 without what a schedule has keys of its own for. Messages are for users."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NoReturn

from msgspec import Struct

from notifyctl.config.messages import find_nearest

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
TOO_OFTEN = ("MINUTELY", "SECONDLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
NUMBERS: Mapping[str, tuple[str, int, int, bool]] = {
    "BYMINUTE": ("byminute", 0, 59, False),
    "BYHOUR": ("byhour", 0, 23, False),
    "BYMONTHDAY": ("bymonthday", 1, 31, True),
    "BYYEARDAY": ("byyearday", 1, 366, True),
    "BYWEEKNO": ("byweekno", 1, 53, True),
    "BYMONTH": ("bymonth", 1, 12, False),
    "BYSETPOS": ("bysetpos", 1, 366, True),
}
"""Part of a rule → its name in dateutil, the smallest and the largest number, and whether it can be counted from the end (-1)."""
SINGLE = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST")
KNOWN = (*SINGLE, "BYSECOND", *NUMBERS, "BYDAY")
ONLY_WITH = {
    "BYMONTHDAY": ("YEARLY", "MONTHLY", "DAILY", "HOURLY"),
    "BYYEARDAY": ("YEARLY", "HOURLY"),
    "BYWEEKNO": ("YEARLY",),
}
"""RFC 5545: the frequencies that a part is defined for."""
MOST_INTERVAL, MOST_COUNT = 10_000, 100_000
ENDS = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
ELSEWHERE = {
    "DTSTART": "remove it, and set `from` to the local time, for example `from: 2026-12-01T09:00`",
    "TZID": "remove it, and set `timezone`, for example `timezone: Europe/London`",
    "EXDATE": "remove it, and add the days to `holidays`",
    "RDATE": "remove it, and add a schedule with `at` for each further time",
    "EXRULE": "remove it, and add the days to `holidays`",
    "DTEND": "remove it: a message has no end",
    "DURATION": "remove it: a message has no end",
}
"""Other properties of an event, and where a schedule has them."""
PROPERTY = re.compile(rf"\b({'|'.join(ELSEWHERE)})\b")


class RuleError(ValueError):
    """`hint`: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class RuleText(Struct, frozen=True):
    """`numbers`: names of dateutil with their numbers. `weekdays`: 0 is Monday, each with its number in month or year, or 0.
    `until`: a day, a local time, or a time in UTC.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    week_start: int = 0
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    weekdays: tuple[tuple[int, int], ...] = ()


def read_rule(text: str) -> RuleText:
    """Raises RuleError."""
    parts = split_parts(text)
    freq = read_frequency(parts)
    check_combinations(parts, freq)
    return RuleText(
        freq=freq,
        interval=read_number(parts, "INTERVAL", MOST_INTERVAL) or 1,
        count=read_number(parts, "COUNT", MOST_COUNT),
        until=read_until(parts["UNTIL"]) if "UNTIL" in parts else None,
        week_start=read_week_start(parts),
        numbers=tuple((NUMBERS[key][0], read_numbers(key, parts[key])) for key in parts if key in NUMBERS),
        weekdays=read_weekdays(parts["BYDAY"], freq, weeks="BYWEEKNO" in parts) if "BYDAY" in parts else (),
    )


def split_parts(text: str) -> dict[str, str]:
    rule = text.strip().upper().removeprefix("RRULE:")
    if found := PROPERTY.search(rule):
        raise RuleError(f"{found[1]} is not part of an `rrule`", ELSEWHERE[found[1]])
    if len(rule.split()) != 1:
        raise RuleError(
            "an `rrule` must be one rule on one line", "write one rule, for example FREQ=WEEKLY;BYDAY=MO"
        )
    parts: dict[str, str] = {}
    for part in rule.split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value:
            raise RuleError(
                f'"{part}" is not a part of a rule',
                "write NAME=VALUE, with ; between parts and none at the end",
            )
        if key not in KNOWN:
            nearest = find_nearest(key, KNOWN)
            known = f"did you mean {nearest}?" if nearest else f"defined: {', '.join(KNOWN)}"
            raise RuleError(f"unknown part `{key}`", known)
        if key in parts:
            raise RuleError(
                f"duplicate part `{key}`", "remove one of them; several values are written BYDAY=MO,WE"
            )
        parts[key] = value
    return parts


def read_frequency(parts: Mapping[str, str]) -> str:
    freq = parts.get("FREQ")
    if freq is None:
        raise RuleError("the rule has no FREQ", f"add FREQ=, one of {', '.join(FREQUENCIES)}")
    if freq in TOO_OFTEN:
        raise RuleError(
            f"FREQ={freq} is too frequent for messages",
            "use FREQ=HOURLY, for example FREQ=HOURLY;BYMINUTE=0,30",
        )
    if freq not in FREQUENCIES:
        nearest = find_nearest(freq, FREQUENCIES)
        hint = f"did you mean {nearest}?" if nearest else "for example FREQ=WEEKLY"
        raise RuleError(f"FREQ must be {', '.join(FREQUENCIES[:-1])} or {FREQUENCIES[-1]}, not {freq}", hint)
    return freq


def check_combinations(parts: Mapping[str, str], freq: str) -> None:
    """What RFC 5545 does not define, and what would mean a part of a minute."""
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("use only one of COUNT and UNTIL", "remove one of them")
    if parts.get("BYSECOND", "0") not in {"0", "00"}:
        raise RuleError("BYSECOND is not supported: occurrences are whole minutes", "remove BYSECOND")
    for key, frequencies in ONLY_WITH.items():
        if key in parts and freq not in frequencies:
            raise RuleError(
                f"{key} is not defined with FREQ={freq}", f"use it with FREQ={' or FREQ='.join(frequencies)}"
            )
    if "BYWEEKNO" in parts and "BYDAY" not in parts:
        raise RuleError("BYWEEKNO needs BYDAY", "add the day of the week, for example BYDAY=MO")
    if "BYSETPOS" in parts and not any(key.startswith("BY") and key != "BYSETPOS" for key in parts):
        raise RuleError(
            "BYSETPOS needs another BY… part", "for example FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"
        )


def read_number(parts: Mapping[str, str], key: str, most: int) -> int | None:
    if key not in parts:
        return None
    value = parts[key]
    if not re.fullmatch(r"[0-9]{1,9}", value) or not 1 <= int(value) <= most:
        instead = "; to end the rule, `until` has no such limit" if key == "COUNT" else ""
        raise RuleError(
            f'{key} must be a number from 1 to {most:,}, not "{value}"', f"for example {key}=2{instead}"
        )
    return int(value)


def read_numbers(key: str, value: str) -> tuple[int, ...]:
    _, least, most, signed = NUMBERS[key]
    form = r"[+-]?\d{1,3}" if signed else r"\d{1,2}"
    found = []
    for each in value.split(","):
        if not re.fullmatch(form, each, re.ASCII) or not least <= abs(int(each)) <= most:
            end = f", or from -{most} to -{least}" if signed else ""
            raise RuleError(
                f'{key} must have numbers from {least} to {most}{end}, not "{each}"',
                f"for example {key}={least}",
            )
        found.append(int(each))
    return tuple(found)


def read_weekdays(value: str, freq: str, *, weeks: bool) -> tuple[tuple[int, int], ...]:
    found = []
    for each in value.split(","):
        match = DAY.fullmatch(each)
        number = int(match[1] or 0) if match else 0
        if match is None or (match[1] and not 1 <= abs(number) <= 53):  # noqa: PLR2004 - weeks of a year
            raise RuleError(
                f'BYDAY must have days such as MO or -1FR, not "{each}"',
                f"the days are {', '.join(WEEKDAYS)}",
            )
        if number and (freq not in {"MONTHLY", "YEARLY"} or weeks):
            raise RuleError(
                f"BYDAY={each} is not defined with {'BYWEEKNO' if weeks else f'FREQ={freq}'}",
                f"write BYDAY={match[2]}, or use FREQ=MONTHLY for the number in the month",
            )
        found.append((WEEKDAYS.index(match[2]), number))
    return tuple(found)


def read_week_start(parts: Mapping[str, str]) -> int:
    day = parts.get("WKST", "MO")
    if day not in WEEKDAYS:
        raise RuleError(f'WKST must be a day, not "{day}"', f"one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(day)


def read_until(value: str) -> date:
    match = ENDS.fullmatch(value)
    if match is None:
        refuse_until(value)
    day, clock, utc = match.groups()
    try:
        if clock is None:
            return datetime.strptime(day, "%Y%m%d").date()  # noqa: DTZ007 - a day of the calendar
        moment = datetime.strptime(day + clock, "%Y%m%d%H%M%S")  # noqa: DTZ007 - local, or in UTC below
    except ValueError:
        refuse_until(value)
    return moment.replace(tzinfo=UTC) if utc else moment


def refuse_until(value: str) -> NoReturn:
    raise RuleError(
        f'UNTIL must be a day or a time, not "{value}"',
        "write UNTIL=20261224 (with that day), UNTIL=20261224T090000 (local) or UNTIL=20261224T080000Z (UTC)",
    )
