"""Nothing is sent late, and what was missed is never silent: apply's words, its JSON and exit code, and `status` count it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.apply import Applied
from notifyctl.app.ledger import status
from notifyctl.app.plan import make_plan
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.run import Stop
from notifyctl.cli.apply import exit_code
from notifyctl.exit_codes import ExitCode
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.apply import as_json as report_json
from notifyctl.views.apply import as_text as report_text
from notifyctl.views.ledger import status_json, status_text
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text
from tests.functional.moments import Project, received, utc

NINE = utc(2026, 12, 1, 9)  # a Tuesday
ASLEEP = NINE + timedelta(hours=5)
LATE = "grace: 30m\ntimezone: UTC\n"


def shown(plan: Plan) -> list[str]:
    return [as_text(plan, colour=False), render(plan, None).replace("\\", "")]


def told(applied: Applied) -> str:
    return report_text(applied.plan, applied.report, colour=False)


def statuses(project: Project) -> tuple[str, list[dict[str, Any]]]:
    workspace = open_workspace(project.root, clock=ManualClock(ASLEEP), environ={})
    environment = workspace.environment(None)
    found = status(workspace, environment, None)
    return status_text(found, environment, colour=False), json.loads(status_json(found))["notifications"]


RULES = [
    "at: 2026-12-01T09:00",
    'cron: "0 9 * * *"',
    "rrule: FREQ=DAILY\nfrom: 2026-11-20T09:00",
]


@pytest.mark.parametrize("hand_off", ["hold", "provider"])
@pytest.mark.parametrize("rule", RULES)
def test_a_runner_that_slept_five_hours_sends_nothing_and_says_so(
    tmp_path: Path, rule: str, hand_off: str
) -> None:
    project = Project(tmp_path, f"{LATE}{rule}\nhandOff: {hand_off}", ["UTC"] * 3)
    occurrence = "once" if rule.startswith("at") else "2026-12-01T09:00"
    for text in shown(project.plan(ASLEEP)):
        assert "⚠ 3 recipients expired at 2026-12-01 09:30 UTC: nothing was sent to them" in text
        assert "✅" not in text
    for now in (ASLEEP, ASLEEP + timedelta(minutes=5)):
        applied = project.apply(now)
        assert occurrence not in {each.occurrence for each in applied.plan.notifications if each.sends}
        assert exit_code(applied) is ExitCode.BLOCKED
        assert (
            "3 recipients expired at 2026-12-01 09:30 UTC: nothing was sent to them, and nothing will be"
            in told(applied)
        )
        document = json.loads(report_json(applied.plan, applied.report))
        (missed,) = document["missed"]
        assert (missed["occurrence"], missed["recipients"]) == (occurrence, 3)
        assert missed["expired_at"]["first"] == "2026-12-01T09:30:00+00:00"
    # Of a recurring rule the provider may have been handed tomorrow's.
    assert all(str(entry.get("sendAt")) >= "2026-12-02" for entry in received(project))
    assert hand_off == "provider" or received(project) == []
    text, rows = statuses(project)
    assert "expired                 3" in text
    (row,) = [each for each in rows if each["occurrence"] == occurrence]
    assert (row["outcomes"]["expired"], row["outcomes"]["accepted"], row["recipients"]) == (3, 0, 3)


def test_the_next_day_is_sent_as_ever_and_last_week_is_history(tmp_path: Path) -> None:
    project = Project(tmp_path, f'{LATE}cron: "0 9 * * *"', ["UTC"] * 3)
    assert project.sent(NINE - timedelta(days=1)) == 3
    assert exit_code(project.apply(ASLEEP)) is ExitCode.BLOCKED
    applied = project.apply(NINE + timedelta(days=1))
    assert applied.report is not None
    assert applied.report.accepted == 3
    assert len(received(project)) == 6
    once = Project(tmp_path, f"{LATE}at: 2026-12-01T09:00", ["UTC"] * 3)
    assert exit_code(once.apply(NINE + timedelta(days=6))) is ExitCode.BLOCKED
    late = once.apply(NINE + timedelta(days=9))
    assert (exit_code(late), late.plan.summary[Action.EXPIRED]) == (ExitCode.DONE, 3)
    assert "3 recipients: expired earlier" in told(late)


def test_what_was_due_before_the_notification_existed_was_not_missed(tmp_path: Path) -> None:
    project = Project(tmp_path, f'{LATE}cron: "0 9 * * MON"', ["UTC"] * 3)
    monday = utc(2026, 11, 30, 9)
    for now in (monday + timedelta(days=2), monday + timedelta(days=6)):
        applied = project.apply(now)
        assert (exit_code(applied), applied.plan.summary[Action.EXPIRED]) == (ExitCode.DONE, 3)
    assert project.sent(monday + timedelta(days=7)) == 3
    late = project.apply(monday + timedelta(days=16))
    assert exit_code(late) is ExitCode.BLOCKED
    assert "hello (2026-12-14 09:00): 3 recipients expired" in told(late)


def test_who_joined_after_it_was_sent_did_not_miss_it(tmp_path: Path) -> None:
    project = Project(tmp_path, f'{LATE}cron: "0 9 * * *"', ["UTC"] * 3)
    assert project.sent(NINE) == 3
    project.people(["UTC"] * 5)
    applied = project.apply(ASLEEP)
    (today,) = [each for each in applied.plan.notifications if each.occurrence == "2026-12-01T09:00"]
    assert today.actions == {Action.UNCHANGED: 3, Action.EXPIRED: 2}
    assert applied.plan.missed == 0
    assert exit_code(applied) is ExitCode.DONE


def test_without_the_ledger_nobody_is_said_to_have_missed_anything(tmp_path: Path) -> None:
    """As in a pull request: they may have been sent it."""
    project = Project(tmp_path, f'{LATE}cron: "0 9 * * *"', ["UTC"] * 3)
    workspace = open_workspace(tmp_path, clock=ManualClock(ASLEEP), environ={})
    plan = make_plan(workspace, workspace.environment(None), offline=True)
    assert (plan.summary[Action.EXPIRED] >= 3, plan.missed) == (True, 0)
    assert "nothing was sent to them" not in "".join(shown(plan))
    assert project.plan(ASLEEP).missed == 3


def test_what_was_left_when_the_window_closed_is_counted(tmp_path: Path) -> None:
    project = Project(
        tmp_path, f'{LATE}at: 2026-12-01T09:00\nwindow: {{to: "10:00", from: "08:00"}}', ["UTC"] * 5
    )
    (tmp_path / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
        "  sandbox: {provider: sandbox, limits: {tps: 2, concurrency: 1}}\n"
    )
    stop = Stop()
    project.apply(NINE, stop=stop, on_sent=stop.request)
    applied = project.apply(ASLEEP)
    assert exit_code(applied) is ExitCode.BLOCKED
    assert (applied.plan.missed, applied.plan.summary[Action.UNCHANGED]) == (3, 2)
    (row,) = statuses(project)[1]
    assert (row["outcomes"]["expired"], row["outcomes"]["not_begun"], row["outcomes"]["accepted"]) == (
        3,
        0,
        2,
    )


@pytest.mark.parametrize("grace", ["1h", "12h"])
@pytest.mark.parametrize(
    "hours", ['quietHours: {from: "21:00", to: "08:00"}', 'window: {from: "08:00", to: "21:00"}']
)
def test_a_run_stops_when_quiet_hours_begin(tmp_path: Path, hours: str, grace: str) -> None:
    """Two a second from two seconds before nine in the evening: who is left waits for the morning, or has expired."""
    project = Project(tmp_path, f"at: 2026-12-01T20:59:58\n{hours}\ngrace: {grace}", ["UTC"] * 9)
    (tmp_path / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
        "  sandbox: {provider: sandbox, limits: {tps: 2, concurrency: 1}}\n"
    )
    applied = project.apply(utc(2026, 12, 1, 20, 59) + timedelta(seconds=58))
    evening = applied.report
    assert evening is not None
    assert (exit_code(applied) is ExitCode.BLOCKED) is (evening.expired > 0)
    assert 0 < evening.accepted < 9
    morning = utc(2026, 12, 2, 8)
    assert project.sent(morning - timedelta(seconds=1)) == 0
    rest = project.sent(morning)
    assert evening.accepted + (rest or evening.expired) == 9
    assert (rest > 0) is (grace == "12h")
    hours_of = {datetime.fromisoformat(str(entry["at"])).hour for entry in received(project)}
    assert hours_of <= {20, 8}


@pytest.mark.parametrize("hand_off", ["hold", "provider"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "moves",
    [
        [timedelta(), -timedelta(hours=1), timedelta(minutes=1)],
        [timedelta(), -timedelta(days=1), -timedelta(hours=1), timedelta(minutes=1)],
        [timedelta(), timedelta(days=3), timedelta(), timedelta(days=1), timedelta(days=3, minutes=1)],
        [timedelta(days=3), -timedelta(days=8), timedelta(), timedelta(days=3)],
    ],
    ids=["an hour back", "a day back", "forward and back", "a restored clock"],
)
def test_a_clock_that_jumps_sends_nothing_twice(
    tmp_path: Path, rule: str, hand_off: str, moves: list[timedelta]
) -> None:
    project = Project(tmp_path, f"{rule}\ntimezone: UTC\nhandOff: {hand_off}", ["UTC"])
    looks = [NINE + move for move in moves]
    sent: list[datetime] = []
    for now in looks:
        project.sent(now)
        sent += [due_of(entry) for entry in received(project)[len(sent) :]]
    assert len(sent) == len(set(sent)), "an occurrence came twice"
    assert NINE in sent or timedelta() not in moves
    # And with the clock right again, what was sent stays sent.
    assert all(project.sent(now) == 0 for now in looks if now in sent)


def due_of(entry: dict[str, Any]) -> datetime:
    """When a message was due that the provider delivers at once, or at `sendAt`."""
    return datetime.fromisoformat(str(entry.get("sendAt") or entry["at"])).replace(second=0, microsecond=0)
