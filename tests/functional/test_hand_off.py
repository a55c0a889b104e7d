"""Handing messages to the provider before they are due: never more than 7 days ahead, never outside an opening, and said to be final."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.apply import Applied, prepare_requests
from notifyctl.app.explain import explain
from notifyctl.app.preview import gallery
from notifyctl.app.workspace import open_workspace
from notifyctl.cli.apply import exit_code
from notifyctl.errors import ProjectError
from notifyctl.exit_codes import ExitCode
from notifyctl.plan.actions import Action
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.apply import as_json as report_json
from notifyctl.views.apply import as_text as report_text
from notifyctl.views.explain import explanation_text
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text, public_plan
from tests.functional.moments import Project, received, utc

AT = "at: 2026-12-09T09:00\ntimezone: Europe/Paris\n"
EIGHT_DAYS_BEFORE = utc(2026, 12, 1, 8)
POSSIBLE = "2026-12-02 09:00 Europe/Paris (08:00 UTC)"


def told(applied: Applied) -> str:
    return report_text(applied.plan, applied.report, colour=False)


def explained(project: Project, now: Any, address: str) -> str:
    workspace = open_workspace(project.root, clock=ManualClock(now), environ={})
    found = explain(workspace, workspace.environment(None), "hello", address)
    return explanation_text(found, recipient=address, colour=False)


def previewed(project: Project, now: Any) -> str:
    workspace = open_workspace(project.root, clock=ManualClock(now), environ={})
    return gallery(workspace, workspace.environment(None))


def test_eight_days_ahead_the_provider_is_not_handed_anything_and_the_date_is_said(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{AT}handOff: provider", ["UTC"] * 3)
    plan = project.plan(EIGHT_DAYS_BEFORE)
    views = [as_text(plan, colour=False), render(plan, None).replace("\\", "")]
    for text in views:
        assert (
            f"refused: due more than 7 days ahead; it can be handed to the provider from {POSSIBLE}" in text
        )
    assert "✅" not in views[1]
    (planned,) = public_plan(plan)["notifications"]
    assert planned["deferred_until"] == "2026-12-02T08:00:00+00:00"
    assert planned["times"]["deferred_until"]["local"] == "2026-12-02T09:00"
    assert planned["reasons"] == {"deferred": {"beyond-7-days": 3}}
    assert (
        f"hand-off refused: due more than 7 days ahead, too early to hand to the provider; possible from {POSSIBLE}"
        in explained(project, EIGHT_DAYS_BEFORE, "+447700900000")
    )
    page = previewed(project, EIGHT_DAYS_BEFORE)
    assert (
        f"3 recipients refused: due more than 7 days ahead; it can be handed to the provider from {POSSIBLE}"
        in page
    )
    assert "waiting for their time" not in page
    applied = project.apply(EIGHT_DAYS_BEFORE)
    assert exit_code(applied) is ExitCode.BLOCKED
    assert (
        f"hello: 3 recipients refused: due more than 7 days ahead; it can be handed to the provider from {POSSIBLE}"
        in told(applied)
    )
    (refused,) = json.loads(report_json(applied.plan, applied.report))["hand_off_refused"]
    assert (refused["recipients"], refused["possible_from"]["first"]) == (3, "2026-12-02T08:00:00+00:00")
    assert received(project) == []


def test_from_seven_days_ahead_it_is_handed_over_once_and_said_to_be_final(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{AT}handOff: provider", ["UTC"] * 3)
    possible = EIGHT_DAYS_BEFORE + timedelta(days=1)
    assert project.sent(possible - timedelta(seconds=1)) == 0
    for text in (as_text(plan := project.plan(possible), colour=False), render(plan, None).replace("\\", "")):
        assert "⚠" in text
        assert (
            "handed to the provider now, delivered 2026-12-09 09:00 Europe/Paris (08:00 UTC), in 7 days; cannot be recalled"
            in text
        )
    applied = project.apply(possible)
    assert exit_code(applied) is ExitCode.DONE
    assert [(entry["at"][:16], entry["sendAt"]) for entry in received(project)] == [
        ("2026-12-02T08:00", "2026-12-09T08:00:00.000Z")
    ] * 3
    for later in (possible, possible + timedelta(days=3), utc(2026, 12, 9, 8), utc(2026, 12, 9, 8, 30)):
        assert project.sent(later) == 0
        assert project.plan(later).summary[Action.UNCHANGED] == 3


def test_held_for_eight_days_it_is_deferred_and_then_sent(tmp_path: Path) -> None:
    project = Project(tmp_path, f"{AT}handOff: hold", ["UTC"] * 3)
    due = utc(2026, 12, 9, 8)
    for now in (EIGHT_DAYS_BEFORE, due - timedelta(days=6), due - timedelta(seconds=1)):
        applied = project.apply(now)
        assert exit_code(applied) is ExitCode.DONE
        assert applied.plan.summary[Action.DEFERRED] == 3
        assert "3 recipients: deferred" in told(applied)
    assert received(project) == []
    assert project.sent(due) == 3
    assert [entry.get("sendAt") for entry in received(project)] == [None] * 3


@pytest.mark.parametrize(("profile", "validity"), [("2021", 14_400), ("6.20", "14400")])
def test_validity_counts_from_send_at(tmp_path: Path, profile: str, validity: object) -> None:
    """As documented: the API counts it from `sendAt` where there is one, so it is what the schedule says, however early it is handed over."""
    project = Project(tmp_path, f"{AT}handOff: provider\nexpireAfter: 4h", ["UTC"])
    (tmp_path / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
        f'  sandbox: {{provider: sandbox, profile: "{profile}"}}\n'
    )
    due = utc(2026, 12, 9, 8)
    for ahead in (timedelta(days=7), timedelta(minutes=1)):
        (body,) = requests(project, due - ahead)
        assert (body["sendAt"], body["validity"]) == ("2026-12-09T08:00:00.000Z", validity)
    (body,) = requests(project, due + timedelta(minutes=1))
    assert ("sendAt" in body, body["validity"]) == (False, validity)
    assert requests(project, due + timedelta(hours=4)) == []
    project.schedule(f"{AT}handOff: provider\nexpireAt: 2026-12-09T12:00")
    (body,) = requests(project, due - timedelta(days=1))
    assert (body["sendAt"], body["expireAt"]) == ("2026-12-09T08:00:00.000Z", "2026-12-09T11:00:00.000Z")
    assert project.sent(due - timedelta(days=1)) == 1


def requests(project: Project, now: Any) -> list[Any]:
    """The bodies that an apply would post."""
    workspace = open_workspace(project.root, clock=ManualClock(now), environ={})
    return [dict(request.body) for _, request in prepare_requests(workspace, workspace.environment(None))]


def test_what_would_expire_before_it_may_go_is_never_handed_over(tmp_path: Path) -> None:
    """Due at night, it may go at eight, and its expiry is at seven."""
    schedule = 'at: 2026-12-09T05:00\nwindow: {from: "08:00", to: "20:00"}\nhandOff: provider\n'
    project = Project(tmp_path, f"{schedule}expireAt: 2026-12-09T07:00", ["UTC"])
    with pytest.raises(ProjectError):
        project.apply(utc(2026, 12, 8, 9))
    with (tmp_path / "notifyctl.yaml").open("a") as file:
        file.write("lint: {expiry-before-send: warning}\n")
    for now in (utc(2026, 12, 8, 9), utc(2026, 12, 9, 5), utc(2026, 12, 9, 8)):
        plan = project.plan(now)
        assert plan.summary[Action.EXPIRED] == 1
        assert "it expires before it can be sent" in as_text(plan, colour=False)
        assert plan.missed == (now >= utc(2026, 12, 9, 7))
        assert project.sent(now) == 0
    project.schedule(f"{schedule}expireAt: 2026-12-09T08:00:01")
    (body,) = requests(project, utc(2026, 12, 8, 9))
    assert (body["sendAt"], body["expireAt"]) == ("2026-12-09T08:00:00.000Z", "2026-12-09T08:00:01.000Z")


@pytest.mark.parametrize(
    "rule",
    [
        'window: {from: "08:00", to: "20:00"}',
        'quietHours: {from: "20:00", to: "08:00"}',
        "holidays: [2026-12-09]",
    ],
)
def test_send_at_lies_in_an_opening_also_at_the_end_of_seven_days(tmp_path: Path, rule: str) -> None:
    """Due at 22:00 and moved to the next day: the seven days count to then, not to when it is due."""
    project = Project(tmp_path, f"at: 2026-12-09T22:00\n{rule}\nhandOff: provider", ["UTC"])
    opens = utc(2026, 12, 10, 0 if "holidays" in rule else 8)
    possible = opens - timedelta(days=7)
    for early in (utc(2026, 12, 2, 22), possible - timedelta(minutes=1)):
        plan = project.plan(early)
        assert plan.summary[Action.DEFERRED] == 1
        assert [each.deferred_until for each in plan.notifications] == [possible]
    assert project.sent(possible) == 1
    assert [entry["sendAt"] for entry in received(project)] == [f"{opens:%Y-%m-%dT%H:%M}:00.000Z"]


def test_due_at_night_it_is_handed_over_for_the_morning(tmp_path: Path) -> None:
    quiet = 'quietHours: {from: "21:00", to: "08:00"}'
    project = Project(tmp_path, f"at: 2026-12-09T22:00\n{quiet}\nhandOff: provider", ["UTC"] * 2)
    assert project.sent(utc(2026, 12, 9, 23)) == 2
    assert [entry["sendAt"] for entry in received(project)] == ["2026-12-10T08:00:00.000Z"] * 2


def test_each_recipient_s_seven_days_count_in_their_own_time_zone(tmp_path: Path) -> None:
    """09:00 comes on Samoa 23 hours before it comes on Hawaii: the one can be handed over a day before the other."""
    zones = ["Pacific/Apia", "Pacific/Honolulu"]
    project = Project(tmp_path, "at: 2026-12-09T09:00\ntimezone: recipient\nhandOff: provider", zones)
    samoa, hawaii = utc(2026, 12, 8, 20), utc(2026, 12, 9, 19)
    first = project.apply(samoa - timedelta(days=7))
    assert first.plan.summary[Action.SEND] == first.plan.summary[Action.DEFERRED] == 1
    assert exit_code(first) is ExitCode.BLOCKED
    assert "1 recipient refused" in told(first)
    assert "from 2026-12-02 09:00 in each recipient's time zone (19:00 UTC, 1 zone)" in told(first)
    assert project.sent(hawaii - timedelta(days=7, seconds=1)) == 0
    second = project.apply(hawaii - timedelta(days=7))
    assert exit_code(second) is ExitCode.DONE
    assert [entry["sendAt"] for entry in received(project)] == [
        f"{moment:%Y-%m-%dT%H:%M}:00.000Z" for moment in (samoa, hawaii)
    ]
