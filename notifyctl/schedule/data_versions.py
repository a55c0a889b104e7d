"""Which data of time zones and holidays a plan was made with: the same files give other moments with other data."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from notifyctl.model.project import HolidayCountry, Schedule

PROBE = "Europe/London"
"""A zone that every copy of the data has: where it lies is where the data lies."""
VERSION = re.compile(r"# version (\S{1,20})")


def data_versions(schedules: Iterable[Schedule | None]) -> dict[str, str]:
    """`tzdata`, and `holidays` if they have those of a country; empty without a schedule."""
    known = [each for each in schedules if each is not None]
    days = (day for each in known for hours in each.all_hours for day in hours.holidays)
    by_country = any(isinstance(day, HolidayCountry) for day in days)
    return {
        **({"tzdata": tzdata_version()} if known else {}),
        **({"holidays": package_version("holidays")} if by_country else {}),
    }


def tzdata_version() -> str:
    """Of the data that zoneinfo reads, which is the system's where it has one: `2025b (system)`, or `2026.6 (package)`."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / PROBE).is_file():
            return f"{find_version(folder) or 'unknown version'} (system)"
    return f"{package_version('tzdata')} (package)"


def find_version(folder: Path) -> str | None:
    """What the compiled data of a system says of itself: `tzdata.zi` on Linux, `+VERSION` on macOS and BSD."""
    for name, form in (("tzdata.zi", VERSION), ("+VERSION", re.compile(r"(\S{1,20})"))):
        try:
            with (folder / name).open(encoding="utf-8", errors="replace") as file:
                found = form.match(file.readline(100))
        except OSError:
            continue
        if found:
            return found[1]
    return None


def package_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown version"
