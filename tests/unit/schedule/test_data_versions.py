"""A plan says which data of time zones and holidays it was made with."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from notifyctl.diagnostics import Positions
from notifyctl.model.project import HolidayCountry, Hours, Schedule
from notifyctl.schedule.data_versions import data_versions, tzdata_version

PLAIN = Schedule("s", Positions("s.yaml"))
PACKAGE = f"{version('tzdata')} (package)"


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Path]:
    """A folder in which zoneinfo looks for the system's data, empty at first."""
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path)])
    yield tmp_path
    zoneinfo.reset_tzpath(before)


def test_the_version_is_that_of_the_data_that_is_read(system: Path) -> None:
    assert tzdata_version() == PACKAGE
    (system / "tzdata.zi").write_text("# version 2031a\n# This zic input file\n")
    assert tzdata_version() == PACKAGE, "there is a version, but no zone"
    (system / "Europe").mkdir()
    (system / "Europe" / "London").write_bytes(b"TZif2")
    assert tzdata_version() == "2031a (system)"
    (system / "tzdata.zi").unlink()
    assert tzdata_version() == "unknown version (system)"
    (system / "+VERSION").write_text("2031b\n")
    assert tzdata_version() == "2031b (system)"


def test_holidays_are_named_where_a_country_has_them() -> None:
    assert data_versions([None]) == {}
    assert data_versions([PLAIN]).keys() == {"tzdata"}
    hours = Hours(holidays=(HolidayCountry("GB"),))
    for schedule in (
        Schedule("s", Positions("s.yaml"), holidays=hours.holidays),
        Schedule("s", Positions("s.yaml"), project_hours=hours),
    ):
        assert data_versions([None, PLAIN, schedule])["holidays"] == version("holidays")
