"""The one time zone of a country, by the tables of the tzdata package: the same on every machine.

Several names of a country are one zone if their clocks agree, such as Europe/Berlin and Europe/Busingen.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files

from notifyctl.schedule.zones import find_transition, load_zone

YEARS = 10
"""For how long clocks must agree, from the year of the tables on: what was before does not matter for a message to come."""


@cache
def one_zone(country: str) -> str | None:
    """The time zone of a country by its ISO 3166 code; None if it has several, or none that is known.

    Of several names with the same clock it is the first of the table, that of the most populous place.
    """
    names = zone_names().get(country, ())
    if not names:
        return None
    first, *others = names
    return first if all(clocks_agree(first, each) for each in others) else None


@cache
def zone_names() -> dict[str, list[str]]:
    """The names of each country, in the order of `zone.tab`: a tab between country, place and name."""
    found: dict[str, list[str]] = {}
    for line in (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found


def clocks_agree(one: str, other: str) -> bool:
    """Whether the clocks of two time zones read the same from the year of the tables on."""
    start = datetime(int(version("tzdata").partition(".")[0]), 1, 1, tzinfo=UTC)
    return offsets(one, start) == offsets(other, start)


@cache
def offsets(name: str, start: datetime) -> list[tuple[datetime, timedelta | None]]:
    """The offset at `start`, and each later one with the instant from which it holds."""
    place = load_zone(name)
    found = [(start, start.astimezone(place).utcoffset())]
    for day in range(1, YEARS * 366):
        moment = start + timedelta(days=day)
        offset = moment.astimezone(place).utcoffset()
        if offset != found[-1][1]:
            found.append((find_transition(moment - timedelta(days=1), moment, place), offset))
    return found
