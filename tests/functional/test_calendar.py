"""`notifyctl calendar` in all of its forms: who is sent what when, as the plan of each moment has it."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.calendar import make_calendar
from notifyctl.app.workspace import open_workspace
from notifyctl.testing.fakes import ManualClock
from notifyctl.views.calendar import as_text
from tests import requirements
from tests.functional.conftest import Cli
from tests.functional.moments import Project, utc

AS_OF = "2026-11-29T10:00:00Z"
DOCUMENTS = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
defaults: {timezone: Europe/London}
---
apiVersion: notifyctl/v1
kind: Schedule
name: daily
timezone: Europe/Paris
cron: 0 9 * * *
window: {days: [mon, tue, wed, thu, fri], from: "08:00", to: "20:00"}
holidays: [2026-12-01]
grace: 2h
---
apiVersion: notifyctl/v1
kind: Schedule
name: local
timezone: recipient
cron: 30 18 * * TUE
---
apiVersion: notifyctl/v1
kind: Schedule
name: once
at: 2026-12-03T09:00
handOff: provider
---
apiVersion: notifyctl/v1
kind: Notification
name: reminder
template: {channel: sms, content: {type: text, text: "$(name), the bins; are, collected\\n\\ntomorrow"}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}, {msisdn: "+447700900124", substitutions: {name: Bo}}]}
schedule: daily
---
apiVersion: notifyctl/v1
kind: Notification
name: newsletter
template: {channel: email, content: {type: text, subject: "Ünïcode, news; 📬 \\\\ and a subject that is so long that its line must be folded twice", text: News}}
from: news@acme.example
audience:
  recipients:
    - {email: ada@acme.example, timezone: America/New_York}
    - {email: bo@acme.example, timezone: Asia/Tokyo}
    - {email: cy@acme.example, timezone: Asia/Seoul}
    - {email: di@acme.example}
schedule: local
---
apiVersion: notifyctl/v1
kind: Notification
name: one-off
template: {channel: sms, content: {type: text, text: Once}}
audience: {recipients: [{msisdn: "+447700900123"}]}
schedule: once
---
apiVersion: notifyctl/v1
kind: Notification
name: at-once
template: {channel: sms, content: {type: text, text: Now}}
audience: {recipients: [{msisdn: "+447700900123"}]}
"""


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli.write(notifyctl=DOCUMENTS)
    return cli


def calendar(cli: Cli, *options: str) -> Any:
    result = cli("calendar", "--format", "json", "--as-of", AS_OF, *options)
    assert result.code == 0, result.err
    return result.json


def of(found: Any, name: str) -> dict[str, Any]:
    return {each["occurrence"]: each for each in found["occurrences"] if each["notification"] == name}


def test_each_occurrence_is_shown_with_its_times_recipients_and_reasons(project: Cli) -> None:
    found = calendar(project)
    reminder = of(found, "reminder")
    assert reminder["2026-12-01T09:00"]["state"] == "skipped"
    assert reminder["2026-12-01T09:00"]["reason"] == "holiday 2026-12-01"
    moved = reminder["2026-11-29T09:00"]
    assert (moved["state"], moved["day"], moved["reason"]) == ("to-come", "2026-11-30", "outside-window")
    assert moved["due"]["first"] == "2026-11-29T08:00:00+00:00"
    assert moved["goes"]["first"] == "2026-11-30T07:00:00+00:00"
    assert moved["goes"]["local"] == "2026-11-30T08:00"
    assert reminder["2026-12-05T09:00"]["reason"] == "outside-window"
    assert {each["recipients"] for each in reminder.values()} == {2}

    newsletter = of(found, "newsletter")
    assert list(newsletter) == ["2026-12-01T18:30", "2026-12-08T18:30"]
    first = newsletter["2026-12-01T18:30"]
    assert first["due"] == {
        "timezone": "recipient",
        "local": "2026-12-01T18:30",
        "first": "2026-12-01T09:30:00+00:00",
        "last": "2026-12-01T23:30:00+00:00",
        "zones": 3,
    }
    zones = {each["timezone"]: each["goes_local"] for each in first["zones"]}
    assert zones == dict.fromkeys(
        ["Asia/Seoul", "Asia/Tokyo", "Europe/London", "America/New_York"], "2026-12-01T18:30:00"
    )
    assert list(of(found, "one-off")) == ["once"]
    assert found["without_time"] == ["at-once"]
    about = {each["name"]: each for each in found["notifications"]}
    assert about["one-off"]["hand_off"] == "provider"
    assert about["newsletter"]["text"].startswith("Ünïcode, news; 📬")
    assert about["reminder"]["text"] == "Ada, the bins; are, collected"
    hours = {each["day"]: (each["hours"], each["reason"]) for each in about["reminder"]["hours"]}
    assert hours["2026-11-30"] == ([["08:00", "20:00"]], None)
    assert hours["2026-12-01"] == ([], "holiday 2026-12-01")
    assert hours["2026-12-05"] == ([], "outside-window")
    assert (found["first"], found["last"]) == ("2026-11-29", "2026-12-12")


def test_a_plan_of_each_moment_sends_what_the_calendar_shows(project: Cli) -> None:
    only = ("--only", "reminder", "--only", "newsletter")
    expected: dict[str, Counter[tuple[str, str]]] = {}
    for each in calendar(project, "--days", "4", *only)["occurrences"]:
        for zone in each["zones"]:
            if zone["state"] == "to-come":
                moments = expected.setdefault(zone["goes"], Counter())
                moments[each["notification"], each["occurrence"]] += zone["recipients"]
    assert len(expected) == 6
    for moment, sent in expected.items():
        plan = project.plan("--as-of", moment, *only)
        shown = {
            (each["name"], each["occurrence"]): count
            for each in plan["notifications"]
            if (count := each["actions"].get("send"))
        }
        assert shown == {**shown, **sent}, moment
        assert shown.keys() <= {key for other in expected for key in expected[other] if other <= moment}


def test_what_was_sent_or_expired_is_marked_where_the_ledger_is_read(project: Cli) -> None:
    days = ("--from", "2026-11-24", "--days", "6", "--only", "reminder")
    missed = of(calendar(project, *days, "--offline"), "reminder")["2026-11-24T09:00"]
    assert (missed["state"], missed["reason"], missed["sent"]) == ("expired", "past-grace", None)
    text = project("calendar", *days, "--as-of", AS_OF).out
    assert "expired: past its grace period" in text
    assert (
        project("calendar", *days, "--as-of", "2026-11-24T08:30:00Z").out.count("due now: 2 recipients") == 1
    )


def test_recipients_who_were_sent_an_occurrence_are_counted_from_the_ledger(tmp_path: Path) -> None:
    acme = Project(tmp_path, "timezone: Europe/Paris\ncron: 0 9 * * *", ["UTC"] * 3)
    assert acme.sent(utc(2026, 11, 24, 8, 5)) == 3
    workspace = open_workspace(tmp_path, clock=ManualClock(utc(2026, 11, 26, 12)), environ={})
    found = make_calendar(workspace, workspace.environment(None), days=4, first=date(2026, 11, 24))
    states = [(each.fate.value, each.outcome and each.outcome.accepted) for each in found.entries]
    assert states == [("expired", 3), ("expired", None), ("expired", None), ("to-come", None)]
    text = as_text(found, colour=False)
    assert "09:00  hello  sent to 3 recipients" in text
    assert text.count("expired: past its grace period") == 2
    assert "without the ledger" not in text


def test_what_no_acceptance_covers_is_shown_to_wait(project: Cli) -> None:
    options = ("--as-of", "2199-12-29T12:00:00Z", "--days", "7")
    waiting = calendar(project, *options)
    assert {each["waits"] for each in of(waiting, "reminder").values()} == {"series-not-accepted", None}
    [series] = [each["series"] for each in waiting["notifications"] if each["name"] == "reminder"]
    text = project("calendar", *options).out
    assert f"to accept it, run: notifyctl -C {project.root} accept {series['fingerprint']}" in text
    assert project("accept", series["fingerprint"], "--until", "2199-12-31").code == 0
    covered = {name: each["waits"] for name, each in of(calendar(project, *options), "reminder").items()}
    assert covered["2199-12-31T09:00"] is None
    assert covered["2200-01-01T09:00"].startswith("acceptance-ends ")
    text = project("calendar", *options).out
    assert text.count("accepted until 2200-01-01 00:00 UTC, and due after that") == 3
    assert "accepted until the end of 2199-12-31" in text


def test_the_text_names_days_times_and_reasons(project: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = project("calendar", "--as-of", AS_OF).out
    # A folder in a hint is one word, however long.
    assert [
        line for line in text.splitlines() if len(line) > 80 and " " in line.strip().removesuffix(" \\")
    ] == []
    assert "Mon 30 Nov\n  08:00  reminder    2 recipients  Europe/Paris (07:00 UTC)\n" in text
    assert "moved from Sun 29 Nov 09:00: outside the sending window" in text
    assert "  09:00  reminder    moved to Mon 30 Nov 08:00: outside the sending window" in text
    assert "  Holiday, for reminder" in text
    assert "  09:00  reminder    skipped: 2026-12-01 is a holiday" in text
    assert "  hours: open Mon–Fri 08:00–20:00; closed on holidays (2026-12-01)" in text  # noqa: RUF001 - spans
    assert "“Ada, the bins; are, collected”" in text
    assert "handed to the provider" in text
    assert "is at-once." in text
    assert "\x1b" not in text
    assert "\x1b" in project("calendar", "--as-of", AS_OF, "--color", "always").out
    assert (
        "No occurrence on these days."
        in project("calendar", "--from", "2028-01-01", "--days", "1", "--only", "one-off").out
    )


def test_a_calendar_program_reads_the_same_occurrences_in_a_browser(project: Cli, tmp_path: Path) -> None:
    """ical.js is what Thunderbird reads calendars with."""
    node = requirements.program("node")
    requirements.npm_packages(tmp_path, "calendar.js")

    def read(text: str) -> list[list[str]]:
        done = subprocess.run(
            [node, "calendar.js"], cwd=tmp_path, input=text, capture_output=True, text=True, check=True
        )
        return list(json.loads(done.stdout))

    result = project("calendar", "--format", "ics", "--as-of", AS_OF)
    events = read(result.out)
    moments = {
        (each["notification"], each["occurrence"], datetime.fromisoformat(zone["goes"]), zone["state"])
        for each in calendar(project)["occurrences"]
        for zone in each["zones"]
    }
    assert len(events) > 20
    assert Counter(
        (summary.partition(":")[0], datetime.fromisoformat(start), status)
        for _, summary, start, status, _ in events
    ) == Counter(
        (name, goes, "CANCELLED" if state == "skipped" else "CONFIRMED") for name, _, goes, state in moments
    )
    described = [text for _, summary, *_, text in events if summary.startswith("newsletter")]
    assert all("Ünïcode, news; 📬 \\ and a subject" in each for each in described)


def test_recipients_who_would_not_be_sent_it_are_not_promised(project: Cli) -> None:
    project.write(
        withdraw="apiVersion: notifyctl/v1\nkind: Withdraw\nnotification: reminder\nedition: 1\nreason: wrong text\n",
        notifyctl=DOCUMENTS.replace("name: newsletter", "name: newsletter\nlimits: {maxRecipients: 2}"),
    )
    found = calendar(project)
    assert {each["recipients"] for each in of(found, "reminder").values()} == {0}
    about = {each["name"]: each for each in found["notifications"]}
    assert about["newsletter"]["blocked"] == {"max-recipients 4 > 2": 4}
    text = project("calendar", "--as-of", AS_OF).out
    assert "withdrawn: wrong text" in text
    assert "4 recipients, blocked" in text


def test_errors_of_the_plan_end_as_those_of_plan(project: Cli) -> None:
    nobody = DOCUMENTS.replace(
        '[{msisdn: "+447700900123"}]}\nschedule: once', "[{email: ada@acme.example}]}\nschedule: once"
    )
    project.write(notifyctl=nobody)
    plan, shown = project("plan", "--as-of", AS_OF), project("calendar", "--as-of", AS_OF)
    assert plan.code == shown.code == 1
    assert "The plan has 1 error: nothing is sent." in shown.out
    assert project("calendar", "--as-of", AS_OF, "--offline").code == project("plan", "--offline").code


def test_events_keep_their_id_and_lines_are_folded(project: Cli) -> None:
    def ids(text: str) -> list[str]:
        return re.findall(r"^UID:(.+)\r$", text, re.MULTILINE)

    first = project("calendar", "--format", "ics", "--as-of", AS_OF)
    assert first.code == 0, first.err
    later = project("calendar", "--format", "ics", "--as-of", "2026-11-30T10:00:00Z", "--from", "2026-11-29")
    found = ids(first.out)
    assert len(set(found)) == len(found)
    assert set(found) == set(ids(later.out))
    assert all(len(line.encode()) <= 75 for line in first.out.split("\r\n"))


def test_the_page_has_each_day_in_its_week_and_links_to_it(project: Cli) -> None:
    result = project("calendar", "--format", "html", "--as-of", AS_OF)
    assert result.code == 0, result.err
    page = result.out
    weeks = re.findall(r"<tr role=\"row\">(.*?)</tr>", page)
    assert [len(re.findall(r"<t[dh] ", week)) for week in weeks] == [7, 7, 7, 7]
    assert re.findall(r"<th [^>]*>(\w+)</th>", weeks[0])[0] == "Mon"
    cells = {
        day: re.sub(r"<[^>]+>", " ", cell).split()
        for cell, day in re.findall(r"(<td [^>]*><p class=\"date\">.*?datetime=\"([^\"]+)\".*?</td>)", page)
    }
    assert len(cells) == 14
    assert " ".join(cells["2026-12-01"][3:]) == "Holiday 09:00 reminder skipped 18:30 newsletter 4 recipients"
    assert " ".join(cells["2026-11-30"][3:7]) == "08:00 reminder 2 recipients"
    assert " ".join(cells["2026-11-29"][3:]) == "09:00 reminder → Mon 30 Nov"
    links = set(re.findall(r'href="#(\d[^"]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))
    assert "<script>" in page
    assert "Moved from Sun 29 Nov 09:00: outside the sending window" in page
    assert page.count('aria-current="date"') == 1
    few = project("calendar", "--format", "html", "--as-of", AS_OF, "--only", "newsletter").out
    assert re.findall(r'<tr( class="none")? role="row"><td', few) == [' class="none"', "", ""]
    none = project("calendar", "--format", "html", "--from", "2028-01-01", "--only", "one-off").out
    assert "No occurrence on these days" in none
    assert '<table class="month"' not in none


def test_a_preview_has_the_weeks_of_notifications_with_a_time(project: Cli) -> None:
    page = project("preview", "--out", "-").out
    assert page.count('<table class="month"') == 1
    assert 'href="#reminder' in page
    alone = project("preview", "--out", "-", "at-once").out
    assert '<table class="month"' not in alone


def test_a_file_that_is_not_a_calendar_is_kept(project: Cli) -> None:
    out = project.root.parent / "out.ics"
    first = project("calendar", "--format", "ics", "--as-of", AS_OF, "--out", str(out))
    assert (first.code, first.out) == (0, "")
    assert out.read_text(encoding="utf-8").startswith("BEGIN:VCALENDAR")
    assert project("calendar", "--format", "ics", "--out", str(out)).code == 0
    mine = project.root / "notes.txt"
    mine.write_text("mine", encoding="utf-8")
    refused = project("calendar", "--out", str(mine))
    assert refused.code == 64
    assert "--force" in refused.err
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--from", "2026-02-30"], "is not a valid date"),
        (["--days", "0"], "--days"),
        (["--only", "remindr"], "did you mean `reminder`?"),
    ],
)
def test_wrong_usage_is_named(project: Cli, options: list[str], words: str) -> None:
    result = project("calendar", *options)
    assert result.code == 64
    assert words in result.err
