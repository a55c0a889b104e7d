"""A plan reviewed before something is due holds when it is: its digest moves at midnight, never with the clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from notifyctl.app.apply import Applied
from notifyctl.errors import PlanRefusedError
from notifyctl.plan.actions import Action
from notifyctl.views.plan import as_text, public_plan
from tests.functional.moments import DOCUMENTS, Project, utc

DAILY = 'cron: "0 9 * * *"'
ZONES = [
    "Pacific/Auckland",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "Europe/London",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Los_Angeles",
]
REVIEW, DUE = utc(2026, 12, 1, 8, 50), utc(2026, 12, 1, 9, 5)


def with_hourly(project: Project) -> None:
    hourly = (
        (DOCUMENTS % 'cron: "0 * * * *"').replace("name: s", "name: h").replace("schedule: s", "schedule: h")
    )
    (project.root / "hourly.yaml").write_text(hourly.replace("name: hello", "name: hourly"))


def sent(applied: Applied, name: str = "hello") -> int:
    report = applied.report
    return (
        sum(counts.accepted for scope, counts in report.scopes.items() if scope.notification == name)
        if report
        else 0
    )


@pytest.mark.parametrize("hourly", [False, True])
@pytest.mark.parametrize("way", ["file", "digest"])
def test_a_plan_made_before_nine_applies_after_nine(tmp_path: Path, way: str, hourly: bool) -> None:  # noqa: FBT001
    project = Project(tmp_path, DAILY, ["UTC"] * 3)
    if hourly:
        with_hourly(project)
    saved = project.save(REVIEW)
    applied = project.apply(DUE, saved=saved) if way == "file" else project.apply(DUE, expect=saved.digest)
    assert sent(applied) == 3
    assert sent(applied, "hourly") == (3 if hourly else 0)
    assert {each.occurrence for each in applied.plan.notifications if each.sends} == {"2026-12-01T09:00"}


@pytest.mark.parametrize("way", ["file", "digest"])
def test_a_plan_for_people_in_eight_zones_applies_all_day(tmp_path: Path, way: str) -> None:
    project = Project(tmp_path, f"timezone: recipient\n{DAILY}", ZONES)
    counts = []
    for hour in range(24):
        now = utc(2026, 12, 1, hour, 5)
        saved = project.save(now - timedelta(minutes=5, seconds=1 if hour else 0))
        applied = (
            project.apply(now, saved=saved) if way == "file" else project.apply(now, expect=saved.digest)
        )
        counts.append(sent(applied))
    assert sum(counts) == len(ZONES)
    assert max(counts) == 1


def test_one_plan_file_serves_eight_zones_and_one_digest_the_first(tmp_path: Path) -> None:
    counts: dict[str, int] = {}
    for way in ("file", "digest"):
        (tmp_path / way).mkdir()
        project = Project(tmp_path / way, f"timezone: recipient\n{DAILY}", ZONES)
        saved = project.save(utc(2026, 12, 1, 0, 0))
        for hour in range(24):
            now = utc(2026, 12, 1, hour, 5)
            try:
                applied = (
                    project.apply(now, saved=saved)
                    if way == "file"
                    else project.apply(now, expect=saved.digest)
                )
            except PlanRefusedError:
                continue
            counts[way] = counts.get(way, 0) + sent(applied)
    assert counts == {"file": len(ZONES), "digest": 1}


def test_the_digest_moves_at_midnight_in_the_project_s_zone_only(tmp_path: Path) -> None:
    project = Project(tmp_path, f"timezone: recipient\n{DAILY}", ZONES, timezone="Europe/Berlin")
    with_hourly(project)
    digests = [project.plan(utc(2026, 11, 30, 22) + timedelta(minutes=30 * at)).digest for at in range(54)]
    assert len(set(digests[:2])) == len(set(digests[2:50])) == len(set(digests[50:])) == 1
    assert len(set(digests)) == 3


def test_the_horizon_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path, DAILY, ["UTC"], timezone="Europe/Berlin")
    plan = project.plan(REVIEW)
    assert plan.horizon == utc(2026, 12, 2, 23)
    assert "included until 2026-12-03 00:00 Europe/Berlin (2026-12-02 23:00 UTC)" in as_text(
        plan, colour=False
    )
    assert public_plan(plan)["horizon"] == "2026-12-02T23:00:00+00:00"
    assert next(name for _, name, _ in plan.later) == "2026-12-03T09:00"


def test_what_is_after_the_horizon_is_not_authorised(tmp_path: Path) -> None:
    project = Project(tmp_path, f"timezone: recipient\n{DAILY}", ZONES)
    plan = project.plan(REVIEW)
    people = {each.occurrence[:10]: sum(each.actions.values()) for each in plan.notifications}
    # Of the day after tomorrow only Auckland's and Tokyo's opens before the end of tomorrow in UTC, at 20:00 and 24:00.
    assert people["2026-12-03"] == 1
    assert plan.summary[Action.DEFERRED] > 0
    saved = project.save(REVIEW)
    project.people([*ZONES, "UTC"])
    with pytest.raises(PlanRefusedError, match="1 person who are not in the plan"):
        project.apply(DUE, saved=saved)


def test_more_people_are_refused_only_where_they_would_be_sent_to(tmp_path: Path) -> None:
    """Somebody joined, and whose turn is tomorrow cannot make this apply more than what was reviewed."""
    project = Project(tmp_path, f"timezone: recipient\n{DAILY}", ["UTC"])
    saved = project.save(REVIEW)
    project.people(["UTC", "America/Los_Angeles"])
    assert sent(project.apply(DUE, saved=saved)) == 1


def test_the_data_of_time_zones_stands_in_the_plan_and_not_in_its_digest(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{DAILY}\nholidays: [{{country: GB}}]", ["UTC"] * 3)
    plan = project.plan(REVIEW)
    assert plan.versions.keys() == {"tzdata", "holidays"}
    assert f"Times by tzdata {plan.versions['tzdata']}, holidays {plan.versions['holidays']}" in as_text(
        plan, colour=False
    )
    assert public_plan(plan)["versions"] == plan.versions
    document = project.save(REVIEW).document
    assert document["versions"] == plan.versions
    assert document["digest"] == plan.digest
