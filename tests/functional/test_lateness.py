"""Late messages are not sent, and nobody is lost by that: grace is about the beginning."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from notifyctl.app.lint import lint
from notifyctl.app.workspace import open_workspace
from notifyctl.apply.run import Job, Report, Stop, run
from notifyctl.model.project import Limits
from notifyctl.plan.actions import Action
from notifyctl.testing import TemporaryLedger
from notifyctl.testing.fakes import ManualClock, RecordingProvider
from notifyctl.views.apply import as_text as report_text
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_text
from tests.functional.moments import Project, utc

WEEKDAYS = '{days: [mon, tue, wed, thu, fri], from: "08:00", to: "20:00"}'
NINE = "at: 2026-12-01T09:00"  # a Tuesday
FEW = "limits: {tps: 2, concurrency: 1}"


@pytest.fixture
def slow(tmp_path: Path) -> Project:
    """Five people at two a second."""
    project = Project(tmp_path, NINE, ["UTC"] * 5)
    (tmp_path / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
        "  sandbox: {provider: sandbox, limits: {tps: 2, concurrency: 1}}\n"
    )
    return project


def text_of(plan: object, report: Report | None) -> str:
    return report_text(plan, report, colour=False)  # type: ignore[arg-type]


def test_a_saturday_s_message_goes_on_monday(tmp_path: Path) -> None:
    project = Project(tmp_path, f"at: 2026-12-05T09:00\nwindow: {WEEKDAYS}", ["UTC"] * 3)
    looks = [utc(2026, 12, 5, 8) + timedelta(hours=at) for at in range(60)]
    assert [now for now in looks if project.sent(now)] == [utc(2026, 12, 7, 8)]


def test_what_nobody_began_within_an_hour_is_expired_and_counted(tmp_path: Path) -> None:
    project = Project(tmp_path, NINE, ["UTC"] * 3)
    assert project.plan(utc(2026, 12, 1, 9, 59)).sends == 3
    assert project.plan(utc(2026, 12, 1, 10)).summary[Action.EXPIRED] == 3
    assert project.sent(utc(2026, 12, 1, 10)) == 0
    project.schedule(f"{NINE}\ngrace: 2d")
    assert project.sent(utc(2026, 12, 2, 10)) == 3


def test_who_lives_west_of_the_project_loses_nothing(tmp_path: Path) -> None:
    zones = ["Pacific/Auckland", "Europe/London", "Pacific/Honolulu"]
    project = Project(tmp_path, f"{NINE}\ntimezone: recipient", zones, timezone="Pacific/Auckland")
    looks = [utc(2026, 11, 30, 18) + timedelta(minutes=30 * at) for at in range(60)]
    sent = [now for now in looks if project.sent(now)]
    assert sent == [utc(2026, 11, 30, 20), utc(2026, 12, 1, 9), utc(2026, 12, 1, 19)]


def test_what_was_begun_in_time_is_finished_by_a_later_apply(slow: Project) -> None:
    stop = Stop()
    stopped = slow.apply(utc(2026, 12, 1, 9, 30), stop=stop, on_sent=stop.request)
    assert stopped.report is not None
    assert stopped.report.accepted == 2
    assert "3 recipients: not attempted. To continue with them, run: notifyctl" in text_of(
        stopped.plan, stopped.report
    )
    assert slow.sent(utc(2026, 12, 1, 15)) == 3


def test_what_was_begun_in_time_ends_with_its_window(slow: Project) -> None:
    slow.schedule(f"{NINE}\nwindow: {WEEKDAYS}")
    stop = Stop()
    stopped = slow.apply(utc(2026, 12, 1, 9, 30), stop=stop, on_sent=stop.request)
    said = text_of(stopped.plan, stopped.report)
    assert "They expire at 2026-12-01 20:00 UTC. To continue with them" in said
    assert slow.plan(utc(2026, 12, 1, 19, 59)).sends == 3
    for now in (utc(2026, 12, 1, 20), utc(2026, 12, 2, 9)):
        assert slow.plan(now).summary[Action.EXPIRED] == 3


def test_who_would_be_left_is_said_before_and_after(slow: Project) -> None:
    slow.schedule(f"{NINE}\nexpireAt: 2026-12-01T09:30:02")
    now = utc(2026, 12, 1, 9, 30)
    plan = slow.plan(now)
    warning = "sending takes about 2 seconds: about 1 recipient would not be sent to by 2026-12-01 09:30 UTC, and expire"
    assert f"⚠ {warning}" in as_text(plan, colour=False)
    assert "⚠ late by 30 minutes; recipients not sent to by 2026-12-01 09:30 UTC expire" in as_text(
        plan, colour=False
    )
    assert "would not be sent to" in render(plan, None)
    (planned,) = plan.notifications
    assert (planned.left, planned.expiring, planned.late_seconds) == (1, 1, 1800)
    applied = slow.apply(now)
    assert applied.report is not None
    said = text_of(applied.plan, applied.report)
    assert "To continue" not in said
    assert (applied.report.accepted, applied.report.expired) == (4, 1)
    assert "1 recipient: not attempted, and expired" in said


def test_a_hundred_thousand_at_ten_a_second_are_all_sent(tmp_path: Path) -> None:
    project = Project(tmp_path, NINE, [])
    rows = (f"+4477{number:08}" for number in range(100_000))
    (tmp_path / "people.csv").write_text("\n".join(["msisdn,zone", *(f"{each},UTC" for each in rows)]) + "\n")
    (tmp_path / "notifyctl.yaml").write_text(
        "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
        "  sandbox: {provider: sandbox, limits: {tps: 10, concurrency: 4}}\n"
    )
    plan = project.plan(utc(2026, 12, 1, 9))
    assert "sending takes about 2 hours 46 minutes, until 2026-12-01 11:46 UTC" in as_text(plan, colour=False)
    assert "Sending takes about 2 hours 46 minutes at 10 recipients a second." in as_text(plan, colour=False)
    assert [each.left for each in plan.notifications] == [0]
    clock, provider = ManualClock(plan.as_of), RecordingProvider()
    ledger = TemporaryLedger(clock=clock)
    ledger.create()
    job = Job(plan.openings, plan.send_groups, Limits(tps=10), "acme/sandbox", b"")
    with ledger.writer("me") as writer:
        report = run(
            job,
            writer=writer,
            provider=provider,
            clock=clock,
            on_event=lambda _: None,
            stop=Stop(),
        )
    assert (report.accepted, report.not_begun, report.expired) == (100_000, 0, 0)
    assert len(provider.sent) == 10_000
    assert clock.now() > utc(2026, 12, 1, 11, 46)


def test_lint_warns_of_an_at_in_the_past(tmp_path: Path) -> None:
    Project(tmp_path, NINE, ["UTC"])
    for now, warned in ((utc(2026, 12, 1, 9, 59), False), (utc(2026, 12, 1, 10), True)):
        found = lint(open_workspace(tmp_path, clock=ManualClock(now), environ={}), None)
        assert ("at-in-past" in {each.rule for each in found}) is warned


def test_of_a_recurring_rule_only_the_latest_open_slot_is_sent(tmp_path: Path) -> None:
    project = Project(tmp_path, 'cron: "*/20 9 * * *"', ["UTC"] * 3)
    plan = project.plan(utc(2026, 12, 1, 9, 45))
    states = {
        each.occurrence[11:]: each.actions
        for each in (*plan.notifications, *plan.folded)
        if "12-01" in each.occurrence
    }
    assert states == {"09:00": {Action.EXPIRED: 3}, "09:20": {Action.EXPIRED: 3}, "09:40": {Action.SEND: 3}}
    (lapsed,) = [each.lapsed for each in plan.notifications if each.lapsed is not None]
    assert (lapsed.first, lapsed.last) == ("2026-11-30T09:40", "2026-12-01T09:20")
    assert lapsed.reasons == {"past-grace": 1, "superseded": 2}
    assert plan.summary[Action.EXPIRED] == 9
    assert "only the latest is sent" in as_text(plan, colour=False)
