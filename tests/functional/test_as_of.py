"""What is so at another time: in every command that shows something, said in every form, and never sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.as_of import as_of
from notifyctl.app.workspace import open_workspace
from notifyctl.errors import UsageError
from notifyctl.testing.fakes import ManualClock
from tests.functional.moments import utc

DOCUMENTS = """\
apiVersion: notifyctl/v1
kind: Schedule
name: mondays
cron: "0 9 * * mon"
grace: 2h
---
apiVersion: notifyctl/v1
kind: Notification
name: reminder
schedule: mondays
template: {channel: sms, content: {type: text, text: Hello}}
audience: {source: {file: people.csv}}
---
apiVersion: notifyctl/v1
kind: Schedule
name: once
at: 2099-12-24T09:00
---
apiVersion: notifyctl/v1
kind: Notification
name: party
schedule: once
template: {channel: sms, content: {type: text, text: Come}}
audience: {source: {file: people.csv}}
"""
NEXT = "2099-12-07T09:30"
"""A Monday, in the project's zone."""
UTC_NEXT = "2099-12-07T08:30:00+00:00"


@pytest.fixture
def reminder(cli: Any) -> Any:
    cli.write(
        notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
        "defaults: {timezone: Europe/Berlin}\ndefaultEnvironment: sandbox\n",
        n=DOCUMENTS,
        **{"people.csv": "msisdn\n+447700900123\n"},
    )
    return cli


def test_every_command_that_shows_something_shows_it_at_another_time_and_says_so(reminder: Any) -> None:
    at = ("--as-of", NEXT)
    words = "as of 2099-12-07 09:30 Europe/Berlin (08:30 UTC)"
    not_now = f"{words} (not now)"

    plan = reminder("plan", *at)
    assert not_now in plan.out
    assert "Not now: this shows another time" in plan.out
    assert "Valid until" not in plan.out
    document = reminder.plan(*at)
    assert document["as_of"] == UTC_NEXT
    assert document["made_at"] < document["as_of"]
    assert document["summary"]["send"] == 1
    assert document["summary"]["deferred"] == 1
    markdown = reminder("plan", "--format", "markdown", *at).out
    assert not_now in markdown
    assert "cannot be applied" in markdown
    assert "2099" not in markdown.splitlines()[0], "a later comment would not replace it"

    page = reminder("preview", "--out", "-", *at).out
    assert not_now in page
    assert "Not now: this shows another time, with the files as they were at" in page

    explained = reminder("explain", "reminder", "--recipient", "+447700900123", *at)
    assert not_now in explained.out
    assert "will be sent" in explained.out
    assert (
        reminder("explain", "--recipient", "+447700900123", "--format", "json", *at).json["as_of"] == UTC_NEXT
    )

    requests = reminder("apply", "--dry-run", *at)
    assert "As of 2099-12-07 09:30 Europe/Berlin (08:30 UTC) (not now: " in requests.err
    (line,) = reminder("apply", "--dry-run", "--format", "json", *at).lines
    assert (line["notification"], line["as_of"]) == ("reminder", UTC_NEXT)

    rendered = reminder("render", "reminder", *at)
    assert "(not now: " in rendered.err
    assert reminder("render", "reminder", "--format", "json", *at).json["as_of"] == UTC_NEXT

    late = ("--as-of", "2100-01-01")
    assert "at-in-past" not in reminder("lint").out
    linted = reminder("lint", *late)
    assert "at-in-past" in linted.out
    assert "As of 2100-01-01 00:00 Europe/Berlin (2099-12-31 23:00 UTC) (not now: " in linted.err
    assert reminder("lint", "--format", "json", *late).json["as_of"] == "2099-12-31T23:00:00+00:00"


def test_without_it_nothing_says_that_it_is_not_now(reminder: Any) -> None:
    assert reminder.plan()["made_at"] is None
    for said in (reminder("plan").out, reminder("lint").err, reminder("apply", "--dry-run").err):
        assert "not now" not in said.lower()


def test_what_the_ledger_recorded_later_is_still_recorded(reminder: Any) -> None:
    reminder.write(n=DOCUMENTS.replace("at: 2099-12-24T09:00", "grace: 1h"))
    assert reminder("apply").code == 0
    plan = reminder("plan", "--as-of", "2020-01-01")
    assert "including what was recorded after the time shown" in plan.out
    assert "1 unchanged" in plan.out
    assert "including" not in reminder("plan", "--as-of", "2099-01-01").out


def test_a_real_apply_at_another_time_is_refused(reminder: Any) -> None:
    refused = reminder("apply", "--as-of", NEXT)
    assert refused.code == 64
    assert "apply --dry-run --as-of 2099-12-07T09:30" in refused.err
    assert not (reminder.root / ".notifyctl").exists()


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2026-12-07", utc(2026, 12, 6, 23)),
        ("2026-12-07T09:00", utc(2026, 12, 7, 8)),
        ("2026-07-07T09:00", utc(2026, 7, 7, 7)),
        ("2026-12-07T09:00Z", utc(2026, 12, 7, 9)),
        ("2026-10-25T02:30+01:00", utc(2026, 10, 25, 1, 30)),
        ("2026-10-25T02:30", "2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"),
        ("2026-03-29T02:30", "2026-03-29T03:00+02:00"),
    ],
)
def test_a_local_time_is_one_of_the_project_s_zone(reminder: Any, given: str, moment: datetime | str) -> None:
    clock = ManualClock(utc(2026, 11, 29))
    workspace = open_workspace(Path(reminder.root), clock=clock)
    if isinstance(moment, str):
        with pytest.raises(UsageError) as refused:
            as_of(workspace, datetime.fromisoformat(given))
        assert moment in (refused.value.hint or "")
        return
    shown = as_of(workspace, datetime.fromisoformat(given))
    assert shown.clock.now() == moment
    assert shown.made_at == clock.now()
    shown.clock.sleep(60)
    assert shown.clock.now() == moment
    assert clock.now() == utc(2026, 11, 29) + timedelta(minutes=1)
