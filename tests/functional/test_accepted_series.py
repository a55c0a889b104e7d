"""What is sent by an acceptance, and what waits: at moments that the test chooses, through the sandbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from notifyctl.app.ledger import ledger_store
from notifyctl.app.workspace import open_workspace
from notifyctl.model.acceptance import Acceptance, AcceptRule, Identity, Proof
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan
from notifyctl.testing.fakes import ManualClock
from tests.functional.moments import Project, utc

DAILY = 'cron: "0 9 * * *"'
MONDAY = utc(2026, 12, 7, 9)
DAY = timedelta(days=1)


class Accepted(Project):
    """A project whose series can be accepted."""

    def series(self, now: datetime) -> Acceptance:
        """An acceptance of the series as it is."""
        [series] = self.plan(now).series
        return Acceptance(
            fingerprint=series.fingerprint,
            notification=series.name,
            edition=series.edition,
            channel=series.channel,
            until=now + 30 * DAY,
            max_recipients=10,
            who=Identity("ada", Proof.CLAIMED),
            rule=AcceptRule(),
            revision=None,
            at=now,
        )

    def accept(self, acceptance: Acceptance) -> None:
        workspace = open_workspace(self.root, clock=ManualClock(acceptance.at), environ={})
        store = ledger_store(workspace, workspace.environment(None))
        if not store.exists():
            store.create()
        with store.writer("test") as writer:
            writer.record_acceptance(acceptance)

    def run(self, now: datetime) -> tuple[int, list[str]]:
        """How many people are sent to by acceptance, and why others wait."""
        applied = self.apply(now, accepted_only=True)
        return applied.report.accepted if applied.report else 0, reasons(applied.plan)


def reasons(plan: Plan) -> list[str]:
    """Each once: today's occurrence and tomorrow's mostly wait for the same."""
    found = (reason for each in plan.notifications for reason in each.reasons.get(Action.BLOCKED, ()))
    return list(dict.fromkeys(found))


def test_only_what_is_accepted_is_sent_each_occurrence_once(tmp_path: Path) -> None:
    project = Accepted(tmp_path, DAILY, ["UTC"] * 3)
    assert project.run(MONDAY) == (0, ["series-not-accepted"])
    accepted = project.series(MONDAY)
    project.accept(accepted)
    assert [project.run(MONDAY + at * DAY / 2) for at in range(4)] == [(3, []), (0, []), (3, []), (0, [])]
    project.accept(replace(accepted, revoked=True, at=MONDAY + DAY))
    assert project.run(MONDAY + 2 * DAY) == (0, [f"acceptance-revoked {(MONDAY + DAY).isoformat()}"])
    project.accept(replace(accepted, max_recipients=2))
    assert project.run(MONDAY + 2 * DAY) == (0, ["acceptance-limit 3 > 2"])
    project.accept(accepted)
    assert project.run(MONDAY + 2 * DAY) == (3, [])


def test_a_changed_text_waits_until_it_is_accepted_too(tmp_path: Path) -> None:
    project = Accepted(tmp_path, DAILY, ["UTC"])
    old = project.series(MONDAY)
    project.accept(old)
    assert project.run(MONDAY) == (1, [])
    file = tmp_path / "n.yaml"
    file.write_text(file.read_text().replace("text: Hello", "text: Good day"))
    new = project.series(MONDAY + DAY)
    waits = (0, [f"series-changed {old.fingerprint} {new.fingerprint}"])
    assert project.run(MONDAY + DAY) == waits
    project.people(["UTC"] * 2)
    assert project.run(MONDAY + DAY) == waits, "rows are no part of a series"
    project.accept(new)
    assert project.run(MONDAY + DAY) == (2, [])


def test_an_acceptance_ends_at_its_moment(tmp_path: Path) -> None:
    project = Accepted(tmp_path, DAILY, ["UTC"])
    until = MONDAY + timedelta(minutes=30)
    project.accept(replace(project.series(MONDAY), until=until))
    ended = f"acceptance-past {until.isoformat()}"
    ends = f"acceptance-ends {until.isoformat()}"
    assert project.run(MONDAY - timedelta(minutes=1)) == (0, [ends]), "tomorrow's is no more accepted"
    assert project.run(until) == (0, [ended])
    assert project.run(until - timedelta(seconds=1)) == (1, [ends])


def test_nothing_is_handed_to_the_provider_for_after_the_acceptance(tmp_path: Path) -> None:
    project = Accepted(tmp_path, f"{DAILY}\nhandOff: provider", ["UTC"])
    evening = MONDAY - timedelta(hours=13)
    ends = MONDAY - timedelta(hours=1)
    project.accept(replace(project.series(evening), until=ends))
    assert project.run(evening) == (0, [f"acceptance-ends {ends.isoformat()}"])
    project.accept(project.series(evening))
    assert project.run(evening) == (1, [])


def test_all_recipients_of_an_occurrence_count_together(tmp_path: Path) -> None:
    """Over the time zones of a day, and with those who were sent it and are in the audience no more."""
    zones = ["Asia/Tokyo", "Asia/Tokyo", "Europe/Paris", "America/New_York"]
    project = Accepted(tmp_path, f"{DAILY}\ntimezone: recipient", zones)
    tokyo = MONDAY - timedelta(hours=9)
    project.accept(replace(project.series(tokyo), max_recipients=3))
    assert project.run(tokyo)[0] == 0
    project.accept(replace(project.series(tokyo), max_recipients=4))
    assert project.run(tokyo) == (2, [])
    assert project.run(MONDAY - timedelta(hours=1)) == (1, [])
    file = tmp_path / "n.yaml"
    file.write_text(file.read_text().replace("schedule: s", "schedule: s\njoiners: send"))
    project.accept(replace(project.series(MONDAY), max_recipients=4))
    (tmp_path / "people.csv").write_text(
        "msisdn,zone\n+447700900700,America/New_York\n+447700900701,America/New_York\n"
    )
    york = MONDAY + timedelta(hours=5)
    assert "acceptance-limit 5 > 4" in project.run(york)[1]
    project.accept(replace(project.series(MONDAY), max_recipients=5))
    assert project.run(york)[0] == 2


def test_recipients_after_the_horizon_count_too(tmp_path: Path) -> None:
    """On one day it is 25 hours from the first time zone to the last, which is not yet authorised."""
    zones = ["Pacific/Kiritimati", "Pacific/Niue"]
    project = Accepted(tmp_path, 'cron: "0 13 * * *"\ntimezone: recipient', zones)
    first = utc(2026, 12, 6, 23)
    project.accept(replace(project.series(first), max_recipients=1))
    assert project.run(first)[0] == 0
    project.accept(replace(project.series(first), max_recipients=2))
    assert project.run(first)[0] == 1
    assert project.run(first + timedelta(hours=25)) == (1, [])


@pytest.mark.parametrize("rule", ["at: 2026-12-07T09:00", 'window: {from: "08:00"}'])
def test_what_does_not_recur_is_never_sent_without_being_asked(tmp_path: Path, rule: str) -> None:
    project = Accepted(tmp_path, rule, ["UTC"])
    assert project.run(MONDAY) == (0, ["series-not-recurring"])
    assert project.sent(MONDAY) == 1
    assert project.run(MONDAY) == (0, [])


def test_plain_apply_asks_for_no_acceptance(tmp_path: Path) -> None:
    project = Accepted(tmp_path, DAILY, ["UTC"])
    assert [(each.missing, each.acceptance) for each in project.plan(MONDAY).series] == [
        ("series-not-accepted", None)
    ]
    assert project.sent(MONDAY) == 1
