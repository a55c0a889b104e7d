"""What lapsed while nobody ran is one line with its count, in every view."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from notifyctl.plan.actions import Action
from notifyctl.plan.model import Lapsed, Plan
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_json, as_text
from notifyctl.views.saved_plan import to_plan
from tests.functional.moments import Project, utc

HOURLY = 'cron: "0 * * * *"\ngrace: 30m'
NOW = utc(2026, 12, 4, 9, 10)


def lapsed(plan: Plan) -> Lapsed:
    (found,) = [each.lapsed for each in plan.notifications if each.lapsed is not None]
    return found


def expired_lines(plan: Plan) -> list[str]:
    return [line for line in as_text(plan, colour=False).splitlines() if "expired:" in line]


def test_three_days_without_a_run_are_one_line(tmp_path: Path) -> None:
    project = Project(tmp_path, HOURLY, ["UTC"] * 3)
    assert project.sent(NOW - timedelta(days=3)) == 3
    plan = project.plan(NOW)
    found = lapsed(plan)
    assert (found.occurrences, found.first, found.last) == (71, "2026-12-01T10:00", "2026-12-04T08:00")
    assert (found.recipients, found.reasons) == (3, {"past-grace": 71})
    assert plan.summary[Action.EXPIRED] == 71 * 3
    assert plan.summary[Action.SEND] == 3
    line = (
        "expired: 71 occurrences from 2026-12-01 10:00 to 2026-12-04 08:00 UTC were not started: past its grace period;"
        " 3 recipients each"
    )
    assert expired_lines(plan) == [f"  ⚠ {line}"]
    assert f"- ⚠ {line}" in render(plan)
    assert json.loads(as_json(plan))["notifications"][0]["lapsed"]["occurrences"] == 71
    over = [each.occurrence for each in plan.notifications if Action.EXPIRED in each.actions]
    assert over == ["2026-12-04T08:00"], "the last of them stands for all"
    assert project.sent(NOW) == 3
    assert expired_lines(project.plan(NOW + timedelta(minutes=5))) == [f"  ⚠ {line}"]
    assert expired_lines(project.plan(NOW + timedelta(days=1))) != [f"  ⚠ {line}"]


def test_the_lines_are_those_of_a_saved_plan_too(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{HOURLY}\nfrom: 2026-12-03", ["UTC"] * 3)
    plan = to_plan(project.save(NOW))
    assert (lapsed(plan).occurrences, lapsed(plan).first) == (33, "2026-12-03T00:00")
    assert plan.summary == project.plan(NOW).summary


def test_the_digest_does_not_depend_on_what_has_lapsed(tmp_path: Path) -> None:
    project = Project(tmp_path, HOURLY, ["UTC"] * 3)
    assert len({project.plan(utc(2026, 12, 4, hour, 40)).digest for hour in (0, 1, 9, 23)}) == 1


@pytest.mark.parametrize("zone", ["Europe/London", "recipient"])
def test_one_occurrence_that_lapsed_stands_for_itself(tmp_path: Path, zone: str) -> None:
    project = Project(tmp_path, f'timezone: {zone}\ncron: "0 9 * * *"', ["UTC"] * 3)
    assert project.sent(utc(2026, 12, 1, 9)) == 3
    plan = project.plan(utc(2026, 12, 3, 8))
    assert expired_lines(plan) == []
    assert plan.summary[Action.EXPIRED] == 3
    four = project.plan(utc(2026, 12, 6, 8))
    assert (lapsed(four).occurrences, lapsed(four).last) == (4, "2026-12-05T09:00")


def test_who_was_sent_an_occurrence_in_part_is_counted_by_the_ledger(tmp_path: Path) -> None:
    """It was begun: its own people stand in the plan, and only what nobody began is counted."""
    project = Project(tmp_path, HOURLY, ["UTC"] * 2)
    assert project.sent(utc(2026, 12, 4, 5)) == 2
    project.people(["UTC"] * 3)
    plan = project.plan(NOW)
    assert (lapsed(plan).occurrences, lapsed(plan).first) == (9, "2026-12-03T23:00")
    begun = [each for each in plan.notifications if each.occurrence == "2026-12-04T05:00"]
    assert [each.actions for each in begun] == [{Action.EXPIRED: 1, Action.UNCHANGED: 2}]
