from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyctl.config import scalar_types

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", 1.5 * MINUTE),
        ("30m", 30 * MINUTE),
        ("4h", 240 * MINUTE),
        ("2d", timedelta(days=2)),
        ("1h30m", 90 * MINUTE),
    ],
)
def test_durations(text: str, length: timedelta) -> None:
    assert scalar_types.parse_duration(text) == length


@given(st.integers(0, 9999), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    text = "".join(f"{count}{unit}" for count, unit in parts if count)
    if text:
        length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        assert scalar_types.parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01T09:00", datetime(2026, 12, 1, 9, 0)),
        ("2026-12-01 09:00:30", datetime(2026, 12, 1, 9, 0, 30)),
        ("1767225600", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-12-01T09:00Z", datetime(2026, 12, 1, 9, 0, tzinfo=UTC)),
        (
            "2026-12-01T09:00+05:30",
            datetime(2026, 12, 1, 9, 0, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        ),
    ],
)
def test_moments_are_local_unless_they_have_an_offset(text: str, moment: datetime) -> None:
    assert scalar_types.parse_datetime(text) == moment


def test_days_and_clocks() -> None:
    assert scalar_types.parse_date("2028-02-29") == date(2028, 2, 29)
    assert scalar_types.parse_clock("08:05") == time(8, 5)
    assert scalar_types.parse_end_clock("24:00") == time.max
    assert scalar_types.parse_end_clock("20:00") == time(20, 0)


@pytest.mark.parametrize(
    ("parse", "text", "part"),
    [
        (scalar_types.parse_duration, "", "for example 90s"),
        (scalar_types.parse_duration, "0m", "for example 90s"),
        (scalar_types.parse_duration, "30", "for example 90s"),
        (scalar_types.parse_duration, "30m1h", "for example 90s"),
        (scalar_types.parse_date, "2026-02-29", "does not exist in the calendar"),
        (scalar_types.parse_date, "20261225", "YYYY-MM-DD"),
        (scalar_types.parse_datetime, "2026-12-01", "date and time"),
        (scalar_types.parse_datetime, "1767225600000", "epoch seconds"),
        (scalar_types.parse_datetime, "20261201", "date and time"),
        (scalar_types.parse_datetime, "2026-12-01T25:00", "does not exist in the calendar"),
        (scalar_types.parse_datetime, "2026-12-01T09:00+99:00", "does not exist in the calendar"),
        (scalar_types.parse_clock, "8:00", "not a valid time"),
        (scalar_types.parse_clock, "24:00", "not a valid time"),
        (scalar_types.parse_clock, "12:60", "not a valid time"),
        (scalar_types.parse_zone, "Europe/Londn", "did you mean Europe/London"),
        (scalar_types.parse_zone, "Europe", "not an IANA time zone"),
        (scalar_types.parse_zone, "../etc/passwd", "not an IANA time zone"),
        (scalar_types.parse_zone, "", "not an IANA time zone"),
        (scalar_types.parse_zone, "recipient", "not an IANA time zone"),
        (scalar_types.parse_zone_or_recipient, "recipients", "not an IANA time zone"),
        (scalar_types.parse_endpoint, "http://api.example/v2", "https://"),
        (scalar_types.parse_endpoint, "ftp://api.example", "https://"),
        (scalar_types.parse_endpoint, "http://127.evil.example/v2", "https://"),
        (scalar_types.parse_endpoint, "http://1270.0.0.1/v2", "https://"),
        (scalar_types.parse_endpoint, "https://", "https://"),
        (scalar_types.parse_endpoint, "https://api.example:x/", "https://"),
        (scalar_types.parse_endpoint, "https://[::1/", "https://"),
        (scalar_types.parse_endpoint, "https://ada:pw@api.example/", "password"),
        (scalar_types.parse_endpoint, "http://127.0.0.1.example/", "https://"),
        (scalar_types.parse_endpoint, "https://a b.example/", "https://"),
        (scalar_types.parse_proxy, "http://proxy.example", "http://HOST:PORT"),
        (scalar_types.parse_proxy, "http://proxy.example:3128/x", "http://HOST:PORT"),
        (scalar_types.parse_proxy, "proxy.example:3128", "http://"),
        (scalar_types.parse_proxy, "SOCKS5://proxy.example:1080", "SOCKS"),
        (scalar_types.parse_proxy, "http://ada:pw@proxy.example:3128", "proxyEnv"),
        (scalar_types.parse_proxy, "http://proxy.example:x", "http://"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    parse: Callable[[str], object], text: str, part: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse(text)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "https://api.eu.webexconnect.io/v2/messages",
        "http://127.0.0.1:8080/v2",
        "http://[::1]/",
        "http://localhost:1/",
    ],
)
def test_endpoints(text: str) -> None:
    assert scalar_types.parse_endpoint(text) == text


def test_zones() -> None:
    assert scalar_types.parse_zone("Europe/London") == "Europe/London"
    assert scalar_types.parse_zone_or_recipient("recipient") == "recipient"


@given(
    st.text(max_size=30),
    st.sampled_from(
        [
            scalar_types.parse_duration,
            scalar_types.parse_date,
            scalar_types.parse_datetime,
            scalar_types.parse_clock,
            scalar_types.parse_endpoint,
            scalar_types.parse_zone,
        ]
    ),
)
def test_no_text_ends_in_another_exception(text: str, parse: Callable[[str], object]) -> None:
    with contextlib.suppress(ValueError):
        parse(text)
