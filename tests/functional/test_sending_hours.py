"""Windows, quiet hours and holidays of a schedule and of the project, as a plan shows them and an apply keeps them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from notifyctl.app.lint import lint
from notifyctl.app.workspace import open_workspace
from notifyctl.model.project import WEEKDAYS
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.markdown import render
from notifyctl.views.plan import as_json, as_text, public_plan
from tests.functional.conftest import Cli
from tests.functional.moments import Project, received, utc

DEFAULTS = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaults:
  timezone: Europe/London
  quietHours: {from: "21:00", to: "08:00"}
  holidays: [{country: GB, subdivision: ENG}, {file: days.ics}]
"""
EXCEPT = "  except: {transactional: outages must reach customers at night}\n"
DAYS = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//acme//days//EN
BEGIN:VEVENT
UID:1@acme.example
DTSTART;VALUE=DATE:20201222
DTEND;VALUE=DATE:20201225
RRULE:FREQ=YEARLY
SUMMARY:Works holidays
END:VEVENT
END:VCALENDAR
"""
OFFICE = """\
timezone: recipient
window:
- {days: [mon, tue, wed, thu], from: "08:00", to: "12:00"}
- {days: [mon, tue, wed, thu, fri], from: "13:00", to: "22:00"}"""
ALONE = """\
apiVersion: notifyctl/v1
kind: Notification
name: alone
template: {channel: sms, category: CATEGORY, content: {type: text, text: Hello}}
audience: {recipients: [{msisdn: "+447700900123"}]}
"""


def make(root: Path) -> Project:
    project = Project(root, OFFICE, ["Europe/London", "Asia/Tokyo"])
    (root / "notifyctl.yaml").write_text(DEFAULTS)
    (root / "days.ics").write_text(DAYS)
    (root / "alone.yaml").write_text(ALONE.replace("CATEGORY", "marketing"))
    return project


def test_a_plan_shows_what_holds_back_and_an_apply_keeps_it(tmp_path: Path) -> None:
    project = make(tmp_path)
    # Monday 21:30 in London, Tuesday 06:30 in Tokyo: quiet in both; the days before Christmas are free.
    plan = project.plan(utc(2026, 12, 21, 21, 30))
    text = as_text(plan, colour=False)
    assert "hours: open Mon–Thu 08:00–12:00; open Mon–Fri 13:00–22:00" in text  # noqa: RUF001
    assert "hours of the project: quiet 21:00–08:00; closed on holidays (GB-ENG, days.ics)" in text  # noqa: RUF001
    assert "Tue 22 Dec 2026 – Thu 24 Dec Works holidays, Fri 25 Dec" in " ".join(text.split())  # noqa: RUF001
    assert "12 days, as with alone" in text
    assert max(len(line) for line in text.splitlines() if "holidays" in line and "waiting" not in line) <= 80
    comment = render(plan, None).replace("\\", "")
    assert "Mon 28 Dec Boxing Day (observed)" in comment
    public = json.loads(as_json(plan))
    assert {each["name"]: each["schedule"]["window"][:1] for each in public["hours"]} == {
        "alone": [],
        "hello": [{"days": ["mon", "tue", "wed", "thu"], "from": "08:00", "to": "12:00"}],
    }
    assert public["hours"][0]["project"]["quiet_hours"][0]["to"] == "08:00"
    by_name = {each["name"]: each for each in public["notifications"]}
    # Without a schedule, the project's hours in its own zone: quiet, then holidays until Monday the 28th, which is one too.
    assert by_name["alone"]["reasons"]["deferred"] == {"quiet-hours 21:00-08:00 (project)": 1}
    assert by_name["alone"]["deferred_until"] == "2026-12-27T08:00:00+00:00"
    assert by_name["hello"]["times"]["deferred_until"]["local"] == "2026-12-29T08:00"
    assert "quiet hours 21:00-08:00 (project default)" in text
    for denied in (utc(2026, 12, 21, 21, 30), utc(2026, 12, 25, 12), utc(2026, 12, 27, 7, 59)):
        project.apply(denied)
        assert received(project) == []
    project.apply(utc(2026, 12, 27, 8))
    assert [each["to"] for each in received(project)] == ["+447700900123"]
    # Half past twelve in London is between the windows; in Tokyo it is half past nine in the evening, and quiet.
    project.apply(utc(2026, 12, 29, 12, 30))
    assert len(received(project)) == 1
    project.apply(utc(2026, 12, 29, 13))
    assert [each["to"] for each in received(project)[1:]] == ["+447700900000"]


def test_transactional_messages_are_exempt_for_a_reason_and_the_plan_says_so(tmp_path: Path) -> None:
    project = make(tmp_path)
    (tmp_path / "alone.yaml").write_text(ALONE.replace("CATEGORY", "transactional"))
    (tmp_path / "notifyctl.yaml").write_text(DEFAULTS + EXCEPT)
    night = utc(2026, 12, 21, 23)
    plan = project.plan(night)
    assert "do not apply" in as_text(plan, colour=False)
    assert "outages must reach customers at night" in render(plan, None)
    (entry,) = (each for each in public_plan(plan)["hours"] if each["name"] == "alone")
    assert entry["reason"] == "outages must reach customers at night"
    assert entry["lifted"]["quiet_hours"]
    assert not entry["project"]["quiet_hours"]
    project.apply(night)
    # `hello` is transactional too: its own window is open in Tokyo, at 08:00 of a day that would be a holiday, and not in London.
    assert {each["to"] for each in received(project)} == {"+447700900123", "+447700900001"}


def test_hours_that_leave_no_time_are_an_error_with_those_of_the_project(tmp_path: Path) -> None:
    project = make(tmp_path)
    project.schedule('window: {from: "22:00", to: "23:00"}')
    found = [each for each in lint(open_workspace(tmp_path, environ={}), None) if each.severity == "error"]
    assert [(each.rule, each.message) for each in found] == [
        ("bad-schedule", "it never opens: `window` and the project's defaults leave no time to send")
    ]
    project.schedule('window: {from: "22:00", to: "23:00"}\nquietHours: {from: "20:00", to: "24:00"}')
    found = [each for each in lint(open_workspace(tmp_path, environ={}), None) if each.severity == "error"]
    assert [each.message for each in found] == [
        "it never opens: `window` and `quietHours` leave no time to send"
    ]


def test_the_command_line_shows_hours_at_a_chosen_time_and_in_a_saved_plan(tmp_path: Path, cli: Cli) -> None:
    make(cli.root)
    told = cli("plan", "--offline", "--as-of", "2026-12-31T22:00Z")
    assert told.code == 0, told.err
    assert "quiet hours 21:00-08:00 (project default)" in told.out
    document = cli("plan", "--offline", "--as-of", "2100-06-01T12:00Z", "--format", "json").json
    assert document["hours"][0]["data_ends"] == {"GB-ENG": 2100}
    assert cli("plan", "--out", str(tmp_path / "p.plan")).code == 0
    saved = json.loads((tmp_path / "p.plan").read_text())
    assert [each["name"] for each in saved["hours"]] == ["alone", "hello"]
    assert "closed on holidays (GB-ENG, days.ics)" in cli("show", str(tmp_path / "p.plan")).out
    day = WEEKDAYS[(datetime.now(UTC) + timedelta(days=3)).weekday()]
    cli.write(notifyctl=f"{DEFAULTS}  window: {{days: [{day}]}}\n")
    told = cli("explain", "alone", "--recipient", "+447700900123")
    assert "(project default)" in told.out, told.err
    assert cli("calendar").code == 0
    cli.write(**{"days.ics": "<html>"})
    refused = cli("plan", "--offline")
    assert refused.code == 1
    assert "cannot use the holidays in `days.ics`" in refused.err


def test_a_time_that_the_project_moves_to_a_later_day_is_not_past(tmp_path: Path) -> None:
    project = Project(tmp_path, "at: 2026-12-24T22:00\ntimezone: Europe/London", ["Europe/London"])
    eve = utc(2026, 12, 26, 12)
    rules = {each.rule for each in lint(open_workspace(tmp_path, clock=ManualClock(eve), environ={}), None)}
    assert "at-in-past" in rules
    (tmp_path / "notifyctl.yaml").write_text(DEFAULTS.replace(", {file: days.ics}", ""))
    rules = {each.rule for each in lint(open_workspace(tmp_path, clock=ManualClock(eve), environ={}), None)}
    assert "at-in-past" not in rules
    project.apply(eve)
    assert received(project) == []
    project.apply(utc(2026, 12, 27, 8))
    assert len(received(project)) == 1
