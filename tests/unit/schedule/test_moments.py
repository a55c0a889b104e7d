"""Moments in words: the local time with UTC behind it, in one time zone or in many, on days when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notifyctl.schedule.moments import (
    format_age,
    format_duration,
    format_moments,
    format_slot,
    format_time,
    format_wait,
    gather,
)
from notifyctl.schedule.zones import to_instant

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def at(text: str, zone: str = "UTC") -> datetime:
    return to_instant(datetime.fromisoformat(text), zone)


@pytest.mark.parametrize(
    ("local", "zone", "said"),
    [
        ("2026-12-01T09:00", "Europe/Paris", "2026-12-01 09:00 Europe/Paris (08:00 UTC)"),
        ("2026-12-01T09:00", "Europe/London", "2026-12-01 09:00 Europe/London (09:00 UTC)"),
        ("2026-12-01T09:00", "Pacific/Auckland", "2026-12-01 09:00 Pacific/Auckland (2026-11-30 20:00 UTC)"),
        ("2026-12-01T20:00", "America/Los_Angeles", "2026-12-01 20:00 America/Los_Angeles (2026-12-02 04:00 UTC)"),
        ("2026-12-01T09:00", "Asia/Kathmandu", "2026-12-01 09:00 Asia/Kathmandu (03:15 UTC)"),
        ("2026-12-01T09:00", "UTC", "2026-12-01 09:00 UTC"),
        ("2026-12-01T09:00", "Etc/UTC", "2026-12-01 09:00 UTC"),
        ("2026-07-01T09:00", "Europe/Paris", "2026-07-01 09:00 Europe/Paris (07:00 UTC)"),
    ],
)  # fmt: skip
def test_a_moment_is_what_the_wall_clock_reads(local: str, zone: str, said: str) -> None:
    assert format_time(at(local, zone), zone) == said


def test_the_two_equal_readings_of_an_autumn_night_are_told_apart_by_utc() -> None:
    said = [format_time(at(f"2026-10-25T{hour}:30"), "Europe/Paris") for hour in ("00", "01")]
    assert said == [
        "2026-10-25 02:30 Europe/Paris (00:30 UTC)",
        "2026-10-25 02:30 Europe/Paris (01:30 UTC)",
    ]


@pytest.mark.parametrize("zone", [None, "recipient"])
def test_without_a_zone_a_moment_is_in_utc(zone: str | None) -> None:
    assert format_time(at("2026-12-01T09:00"), zone) == "2026-12-01 09:00 UTC"


@pytest.mark.parametrize(
    ("local", "zones", "said"),
    [
        (
            "2026-12-01T09:00",
            ["Europe/Berlin", "Europe/Paris", "Europe/London", "America/New_York"],
            "2026-12-01 09:00 in each recipient's time zone (08:00–14:00 UTC, 3 zones)",  # noqa: RUF001
        ),
        (
            "2026-12-01T09:00",
            ["Europe/Berlin"],
            "2026-12-01 09:00 in each recipient's time zone (08:00 UTC, 1 zone)",
        ),
        (
            "2026-12-01T09:00",
            ["Pacific/Auckland", "America/New_York"],
            "2026-12-01 09:00 in each recipient's time zone (2026-11-30 20:00 – 2026-12-01 14:00 UTC, 2 zones)",  # noqa: RUF001
        ),
        # Berlin's clock skips 02:30 on that day; London's reads it.
        ("2026-03-29T02:30", ["Europe/Berlin", "Europe/London"], "2026-03-29 01:00–01:30 UTC, in 2 time zones"),  # noqa: RUF001
        # A time with an offset is one instant, and another reading everywhere.
        ("2026-12-01T09:00+01:00", ["Europe/Berlin", "America/New_York"], "2026-12-01 08:00 UTC"),
    ],
)  # fmt: skip
def test_a_moment_of_many_time_zones(local: str, zones: list[str], said: str) -> None:
    found = gather("recipient", {zone: at(local, zone) for zone in zones})
    assert found is not None
    assert format_moments(found) == said


def test_no_recipient_has_no_moment() -> None:
    assert gather("recipient", {}) is None


@pytest.mark.parametrize(
    ("local", "zone", "said"),
    [
        ("2026-12-07T09:00", "Europe/Paris", "Mon 7 Dec 09:00 Europe/Paris (08:00 UTC)"),
        ("2026-12-07T09:00", "UTC", "Mon 7 Dec 09:00 UTC"),
        ("2028-02-29T09:00", "Europe/Paris", "Tue 29 Feb 2028 09:00 Europe/Paris (08:00 UTC)"),
        (
            "2026-12-07T09:00",
            "Pacific/Auckland",
            "Mon 7 Dec 09:00 Pacific/Auckland (2026-12-06 20:00 UTC)",
        ),
    ],
)
def test_an_occurrence_to_come_is_named_by_its_weekday(local: str, zone: str, said: str) -> None:
    found = gather(zone, {zone: at(local, zone)})
    assert found is not None
    assert format_slot(found, NOW) == said


def test_an_occurrence_of_each_recipient_s_time_zone_is_named_so() -> None:
    zones = ["Europe/Berlin", "Europe/London"]
    found = gather("recipient", {zone: at("2026-12-07T09:00", zone) for zone in zones})
    assert found is not None
    said = "Mon 7 Dec 09:00 in each recipient's time zone (08:00–09:00 UTC, 2 zones)"  # noqa: RUF001
    assert format_slot(found, NOW) == said


def test_lengths_are_in_words() -> None:
    assert [format_duration(each) for each in (0, 1, 90, 10_000, 86_400, 90_061)] == [
        "less than 1 second", "1 second", "1 minute 30 seconds", "2 hours 46 minutes", "1 day", "1 day 1 hour",
    ]  # fmt: skip
    assert format_duration(86_405) == "1 day"
    assert [format_wait(timedelta(hours=each)) for each in (0.5, 3, 30, 49)] == [
        "in 30 minutes", "in 3 hours", "in 30 hours", "in 2 days",
    ]  # fmt: skip
    assert format_age(timedelta(days=331, hours=5)) == "331 days ago"
    assert format_age(timedelta(seconds=5)) == "less than a minute ago"
