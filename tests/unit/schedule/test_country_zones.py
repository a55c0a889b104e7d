"""The one time zone of a country, and whose clocks agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from notifyctl.schedule.country_zones import one_zone, zone_names


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("GB", "Europe/London"),
        ("DE", "Europe/Berlin"),  # and Busingen
        ("KZ", "Asia/Almaty"),  # and six that had other clocks until 2024
        ("AR", "America/Argentina/Buenos_Aires"),
        ("NP", "Asia/Kathmandu"),
        ("WS", "Pacific/Apia"),
        ("US", None),
        ("AU", None),
        ("ES", None),  # the Canary Islands
        ("PT", None),  # the Azores
        ("NZ", None),  # Chatham
        ("XK", None),  # no row of its own
        ("??", None),
    ],
)
def test_a_country_has_one_zone_or_none(country: str, zone: str | None) -> None:
    assert one_zone(country) == zone


def test_every_clock_of_a_country_with_one_zone_reads_the_same() -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [start + timedelta(hours=at) for at in range(0, 366 * 24, 17)]
    several = {country: names for country, names in zone_names().items() if len(names) > 1}
    assert len(several) > 20
    for country, names in several.items():
        readings = [
            [each.astimezone(ZoneInfo(name)).replace(tzinfo=None) for each in hours] for name in names
        ]
        assert all(each == readings[0] for each in readings) is (one_zone(country) is not None), country
