"""Times as people live them: what plan and comment show of schedules, zones, windows and holidays, and why somebody waits."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from notifyctl.plan.model import Plan
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text, public_plan
from tests.functional.moments import Project, utc

OFFICE = 'window: {days: [mon, tue, wed, thu, fri], from: "08:00", to: "20:00"}'
NINE = "at: 2026-12-01T09:00"
PLACES = ["Europe/Berlin", "Europe/Paris", "Europe/London", "America/New_York"]
SATURDAY = utc(2026, 11, 28, 12)


def shown(plan: Plan) -> list[str]:
    """The plan as text and as a comment, without what Markdown escapes."""
    return [as_text(plan, colour=False), render(plan, None).replace("\\", "")]


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        ("Europe/Paris", "waiting until 2026-12-01 09:00 Europe/Paris (08:00 UTC), in 2 days: not due yet"),
        ("Asia/Tokyo", "waiting until 2026-12-01 09:00 Asia/Tokyo (00:00 UTC), in 2 days: not due yet"),
        ("UTC", "waiting until 2026-12-01 09:00 UTC, in 2 days: not due yet"),
        (
            "recipient",
            "waiting until 2026-12-01 09:00 in each recipient's time zone (08:00–14:00 UTC, 3 zones), in 2 days",  # noqa: RUF001
        ),
    ],
)
def test_a_plan_shows_the_schedule_s_time_with_utc_behind_it(tmp_path: Path, zone: str, said: str) -> None:
    plan = Project(tmp_path, f"{NINE}\ntimezone: {zone}", PLACES).plan(SATURDAY)
    for text in shown(plan):
        assert said in text
    (planned,) = public_plan(plan)["notifications"]
    assert planned["timezone"] == zone
    assert planned["times"]["due"]["local"] == "2026-12-01T09:00"
    assert planned["times"]["due"]["zones"] == (3 if zone == "recipient" else 1)
    assert planned["due"] == planned["times"]["due"]["first"]
    assert datetime.fromisoformat(planned["due"]).tzinfo is not None


def test_without_a_zone_of_its_own_a_schedule_has_the_project_s(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{NINE}\n{OFFICE}", ["UTC"], timezone="Europe/Paris")
    for text in shown(project.plan(SATURDAY)):
        assert "as of 2026-11-28 13:00 Europe/Paris (12:00 UTC)" in text
        assert "waiting until 2026-12-01 09:00 Europe/Paris (08:00 UTC)" in text


@pytest.mark.parametrize(
    ("schedule", "now", "said"),
    [
        (OFFICE, SATURDAY, "waiting until 2026-11-30 08:00 UTC, in 44 hours: outside the sending window"),
        (
            "holidays: [2026-11-28]",
            SATURDAY,
            "waiting until 2026-11-29 00:00 UTC, in 12 hours: 2026-11-28 is a holiday",
        ),
        (
            f"{OFFICE}\nholidays: [2026-12-25]",
            utc(2026, 12, 25, 12),
            "waiting until 2026-12-28 08:00 UTC, in 2 days: 2026-12-25 is a holiday",
        ),
        (
            # A night that began before the holiday goes on after midnight; the holiday's own night does not begin.
            'window: {from: "22:00", to: "06:00"}\nholidays: [2026-12-25]',
            utc(2026, 12, 26, 3),
            "waiting until 2026-12-26 22:00 UTC, in 19 hours: 2026-12-25 is a holiday",
        ),
    ],
)
def test_who_waits_is_told_why_and_until_when(
    tmp_path: Path, schedule: str, now: datetime, said: str
) -> None:
    for text in shown(Project(tmp_path, schedule, ["UTC"]).plan(now)):
        assert said in text


def test_a_due_time_on_a_holiday_is_moved_and_the_plan_says_by_what(tmp_path: Path) -> None:
    project = Project(tmp_path, f"at: 2026-12-25T09:00\n{OFFICE}\nholidays: [2026-12-25]", ["UTC"])
    plan = project.plan(utc(2026, 12, 24, 9))
    for text in shown(plan):
        assert "moved to 2026-12-28 08:00 UTC: 2026-12-25 is a holiday" in text
    assert public_plan(plan)["notifications"][0]["moved"] == ["holiday 2026-12-25"]


def test_what_is_sent_now_says_how_late_it_is_and_how_long_still(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{NINE}\ntimezone: Europe/Paris\n{OFFICE}", ["UTC"])
    for text in shown(project.plan(utc(2026, 12, 1, 8, 30))):
        assert "late by 30 minutes" in text
        assert "expires 2026-12-01 10:00 Europe/Paris (09:00 UTC), in 30 minutes" in text
        assert "closes in 10 hours: 2026-12-01 20:00 Europe/Paris (19:00 UTC)" in text


def test_what_the_provider_is_handed_cannot_be_recalled_and_the_plan_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{NINE}\ntimezone: Europe/Paris\nhandOff: provider", ["UTC"])
    for text in shown(project.plan(SATURDAY)):
        assert (
            "⚠ handed to the provider now, delivered 2026-12-01 09:00 Europe/Paris (08:00 UTC), in 2 days;"
            " cannot be recalled" in text
        )
    early = project.plan(utc(2026, 11, 20))
    for text in shown(early):
        assert "refused: due more than 7 days ahead; it can be handed to the provider from" in text
        assert "in 4 days, with another apply" in text


def test_a_saved_plan_shows_the_same_times(tmp_path: Path) -> None:
    from notifyctl.views.saved_plan import to_plan

    project = Project(tmp_path, f"{NINE}\ntimezone: recipient", PLACES, timezone="Europe/Paris")
    saved = project.save(SATURDAY)
    assert shown(to_plan(saved)) == shown(project.plan(SATURDAY))
    assert json.loads((tmp_path / "p.plan").read_text())["timezone"] == "Europe/Paris"
