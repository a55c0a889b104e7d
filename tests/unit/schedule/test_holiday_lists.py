"""Each day of a list of holidays counts, wherever in it a day stands."""

from __future__ import annotations

from datetime import date

import pytest

from notifyctl.model.project import HolidayCountry
from notifyctl.schedule.holiday_dates import find_name

LISTED = (date(2026, 12, 24), date(2026, 12, 25), HolidayCountry("GB"), date(2026, 12, 31))


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 12, 24), ""),
        (date(2026, 12, 25), "Christmas Day"),
        (date(2027, 1, 1), "New Year's Day"),
        (date(2026, 12, 31), ""),
        (date(2026, 12, 30), None),
    ],
)
def test_each_day_of_a_list_is_a_holiday(day: date, name: str | None) -> None:
    assert find_name(LISTED, day) == name
    assert find_name(LISTED[::-1], day) == name
