"""`accept`, and `apply --accepted`, as people and CI type them."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notifyctl.app.ledger import facts_of
from notifyctl.app.workspace import open_workspace
from notifyctl.model.ledger import Purpose
from notifyctl.plan.plan_document import SEAL, sealed_digest

PEOPLE = "+447700900001\n+447700900002\n"
YEARLY = """\
apiVersion: notifyctl/v1
kind: Schedule
name: yearly
cron: "0 0 1 1 *"
grace: 400d
---
apiVersion: notifyctl/v1
kind: Notification
name: reminder
schedule: yearly
template: {channel: sms, content: {type: text, text: Remember}}
audience: {source: {file: people.csv}}
"""
"""Due since the beginning of the year, whenever the test runs."""
ONCE = """\
apiVersion: notifyctl/v1
kind: Notification
name: outage
template: {channel: sms, content: {type: text, text: Outage}}
audience: {recipients: [{msisdn: "+447700900009"}]}
"""
UNTIL = ("--until", "2199-12-31")


@pytest.fixture
def series(production: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project with a recurring notification to two people, and one to send once."""
    for name in ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_ACTOR", "ada")
    production.write(reminder=YEARLY, outage=ONCE, **{"people.csv": "msisdn\n" + PEOPLE})
    return production


def fingerprint(cli: Any) -> str:
    [found] = cli.plan()["series"]
    return str(found["fingerprint"])


def test_what_is_accepted_is_sent_without_being_asked_and_all_else_waits(series: Any, foreign: Any) -> None:
    waits = series("apply", "--accepted")
    assert waits.code == 3
    assert f"reminder ({datetime.now(UTC).year}-01-01 00:00): 2 recipients waiting: not accepted" in waits.out
    accepted = series("accept", fingerprint(series), *UNTIL)
    assert accepted.code == 0, accepted.err
    for said in (
        "until the end of 2199-12-31",
        "at most 2 recipients",
        "ada (claimed, not proven",
        "notifyctl -C",
    ):
        assert said in accepted.out
    shown = series("plan").out
    assert "accepted until the end of 2199-12-31 by ada (claimed, not proven" in shown
    sent = series("apply", "--accepted", "--format", "json")
    assert sent.code == 3
    assert sent.json["outcomes"]["accepted"] == 2
    assert [(each["name"], each["reason"]) for each in sent.json["waiting"]] == [
        ("outage", "series-not-recurring")
    ]
    assert foreign.addresses == PEOPLE.split()
    again = series("apply", "--accepted", "--only", "reminder")
    assert (again.code, len(foreign.requests)) == (0, 1)
    assert "Nothing to send: already sent to 2 recipients." in again.out


def test_a_limit_holds_and_an_acceptance_is_changed_and_taken_back(series: Any, foreign: Any) -> None:
    name = fingerprint(series)
    result = series("accept", name, *UNTIL, "--max-recipients", "1", "--format", "json")
    assert result.json["acceptances"][0] | {"at": "", "revision": ""} == {
        "fingerprint": name,
        "notification": "reminder",
        "edition": 1,
        "channel": "sms",
        "until": "2200-01-01T00:00:00+00:00",
        "max_recipients": 1,
        "who": {"name": "ada", "proof": "claimed", "detail": ""},
        "rule": {"by": "anyone", "above": 0, "proven": False},
        "revision": "",
        "at": "",
        "revoked": False,
        "recipients": 2,
    }
    above = series("apply", "--accepted", "--only", "reminder")
    assert (above.code, "2 recipients, but at most 1 were accepted" in above.out) == (3, True)
    assert "2 recipients, but at most 1 were accepted" in series("plan").out
    assert series("accept", name, *UNTIL).code == 0
    revoked = series("accept", name, "--revoke")
    assert (revoked.code, "Revoked the acceptance of reminder" in revoked.out) == (0, True)
    assert series("accept", name, "--revoke").code == 64
    assert "the acceptance was revoked at" in series("apply", "--accepted").out
    assert foreign.requests == []


def test_a_plan_file_accepts_all_that_recurs_in_it_as_it_was_reviewed(series: Any, tmp_path: Path) -> None:
    file = tmp_path / "p.plan"
    assert series("plan", "--out", str(file)).code == 0
    old = fingerprint(series)
    changed = tmp_path / "q.plan"
    changed.write_text(file.read_text().replace('"audience"', '"Audience"', 1))
    assert series("accept", str(changed), *UNTIL).code == 4
    series.write(
        other=YEARLY.replace("name: yearly", "name: often")
        .replace("yearly", "often")
        .replace("name: reminder", "name: bills")
    )
    both = tmp_path / "both.plan"
    assert series("plan", "--out", str(both)).code == 0
    found = series("accept", str(both), *UNTIL, "--format", "json").json["acceptances"]
    assert [each["notification"] for each in found] == ["bills", "reminder"]
    assert found[1]["fingerprint"] == old
    (series.root / "other.yaml").unlink()
    refused = series("accept", str(both), *UNTIL)
    assert (refused.code, "bills: does not recur any more, or is not defined" in refused.err) == (4, True)
    assert series("accept", str(file), *UNTIL).code == 0
    series.write(reminder=YEARLY.replace("Remember", "Recall").replace("grace: 400d", "grace: 401d"))
    new = fingerprint(series)
    refused = series("accept", str(file), *UNTIL)
    assert refused.code == 4
    assert f"reminder: {old} → {new}; what differs: texts, schedule" in refused.err
    refused = series("accept", old, *UNTIL)
    assert (refused.code, f"was `reminder` (edition 1), which is {new} now" in refused.err) == (4, True)
    assert f"changed since it was accepted ({old[:15]} → {new[:15]})" in series("apply", "--accepted").out
    shown = series("plan").out
    assert f"changed since it was accepted ({old[:15]} → {new[:15]}); before, accepted until" in shown
    assert "not sent by `run` or `apply --accepted`: not accepted" in series("show", str(file)).out


def test_a_plan_file_of_an_earlier_version_is_applied_and_shown_but_not_accepted(
    series: Any, foreign: Any, tmp_path: Path
) -> None:
    """It has no series, and is sealed as it is."""
    file = tmp_path / "p.plan"
    series("plan", "--out", str(file))
    document = json.loads(file.read_text())
    del document["series"]
    for notification in document["notifications"]:
        del notification["people"], notification["waits"]
    workspace = open_workspace(series.root)
    with facts_of(workspace, workspace.environment(None)) as facts:
        assert facts.code is not None
        document[SEAL] = facts.code(Purpose.PLAN_FILE, sealed_digest(document)).hex()
    file.write_text(json.dumps(document))
    refused = series("accept", str(file), *UNTIL)
    assert (refused.code, "made by an earlier version" in refused.err) == (4, True)
    assert "Verified" in series("show", str(file)).out
    assert series("apply", str(file), "--expect", document["digest"]).code in {0, 3}
    assert len(foreign.addresses) == 3


def test_what_cannot_be_accepted_says_what_to_do(series: Any, tmp_path: Path) -> None:
    name = fingerprint(series)
    once = tmp_path / "once.plan"
    assert series("plan", "--only", "outage", "--out", str(once)).code == 0
    series("accept", name, *UNTIL)
    for arguments, code, said in (
        (("outage", *UNTIL), 64, "apply --only outage"),
        ((str(once), *UNTIL), 64, f"apply {once}"),
        (("reminder", *UNTIL), 64, f"accept {name}"),
        (("nothing", *UNTIL), 64, "neither a plan file nor"),
        (("sha256:00", *UNTIL), 64, "`s1:`"),
        (("s1:00", *UNTIL), 4, f"reminder: {name}"),
        ((name,), 64, "--until DATE"),
        ((name, "--until", "2020-01-01"), 64, "is past"),
        ((name, "--until", "soon"), 64, "YYYY-MM-DD"),
        ((name, "--until", "21991231"), 64, "YYYY-MM-DD"),
        ((name, "--until", "2199-W52-1"), 64, "YYYY-MM-DD"),
        ((name, "--until", "9999-12-31"), 64, "YYYY-MM-DD"),
        ((name, "--until", "2199-12-31T25:00"), 64, "YYYY-MM-DD"),
        ((name, *UNTIL, "--revoke"), 64, "--revoke"),
        (("s1:00", "--revoke"), 64, "nothing was revoked"),
    ):
        result = series("accept", *arguments)
        assert (result.code, said in result.err) == (code, True), result.err
    result = series("apply", "--accepted", "--expect", "sha256:00")
    assert (result.code, "--accepted cannot be used" in result.err) == (64, True)
    series.write(reminder=YEARLY.replace("schedule: yearly", "schedule: yearly\nlimits: {maxRecipients: 1}"))
    result = series("accept", fingerprint(series), *UNTIL)
    assert result.code == 1
    assert "2 recipients, more than `maxRecipients` (1) allows; nothing was accepted" in result.err
    series.write(**{"people.csv": "msisdn\n"})
    assert series("accept", name, *UNTIL).code == 1, "the audience is empty"
    (series.root / ".notifyctl" / "production.db").unlink()
    series.forget_marks()
    result = series("accept", name, *UNTIL)
    assert (result.code, "ledger init" in result.err) == (1, True)


def test_every_view_shows_acceptances_and_what_waits_for_one(series: Any) -> None:
    def explained() -> str:
        return str(series("explain", "reminder", "--recipient", "+447700900001").out)

    name = fingerprint(series)
    short = name[:15]
    assert "waits for acceptance: not accepted; `run` and `apply --accepted` do not send it" in explained()
    assert f"accept {name} --until YYYY-MM-DD" in series("plan", "--format", "markdown").out.replace("\\", "")
    series("accept", name, *UNTIL)
    assert "waits for acceptance" not in explained()
    series("accept", name, "--revoke")
    series("accept", name, *UNTIL, "--max-recipients", "1")
    assert "waits for acceptance: 2 recipients, but at most 1 were accepted" in explained()
    until = "accepted until the end of 2199-12-31 by ada (claimed, not proven"
    for command in ("status", "history"):
        shown = series(command).out
        assert shown.count(f"reminder (sms, edition 1, {short}): {until}") == 2
        assert f"reminder (sms, edition 1, {short}): revoked by ada (claimed, not proven" in shown
        assert "at most 1 recipient per occurrence" in shown
        found = [each["revoked"] for each in series(command, "--format", "json").json["acceptances"]]
        assert found == [False, True, False]
        assert series(command, "reminder", "--format", "json").json["acceptances"] != []
        assert series(command, "outage", "--format", "json").json["acceptances"] == []
    assert "acceptances       3" in series("ledger", "show").out
    assert series("ledger", "verify").code == 0
    rows = [each for each in series("ledger", "export").lines if each["fact"] == "acceptance"]
    assert len(rows) == 3


def test_a_review_says_that_a_change_breaks_an_acceptance(series: Any) -> None:
    git(series.root, "init", "-q", "-b", "main")
    (series.root / ".gitignore").write_text(".notifyctl/\n")
    git(series.root, "add", "-A")
    git(series.root, "commit", "-q", "-m", "x")
    old = fingerprint(series)
    series("accept", old, *UNTIL)

    def compared(*options: str) -> tuple[str, str, Any]:
        given = ("plan", "--base", "HEAD", *options)
        text, markdown = series(*given).out, series(*given, "--format", "markdown").out
        return text, markdown.replace("\\", ""), series(*given, "--format", "json").json["review"]["series"]

    assert compared()[2] == []
    series.write(reminder=YEARLY.replace("Remember", "Recall"))
    new = fingerprint(series)
    step = f"{old[:15]} → {new[:15]}"
    for shown in compared()[:2]:
        assert f"another series, {step}; {old[:15]} is accepted until the end of 2199-12-31 by ada" in shown
        assert "and this change needs a new acceptance" in shown
    assert "1 acceptance needs attention" in compared()[1]
    [broken] = compared()[2]
    assert (broken["before"], broken["after"], broken["acceptance"]["who"]["name"]) == (old, new, "ada")
    assert (
        f"{step}; if {old[:15]} is accepted, this change needs a new acceptance" in compared("--offline")[0]
    )
    series("accept", new, *UNTIL)
    assert compared()[2] == []


def git(root: Path, *arguments: str) -> None:
    named = ["-c", "user.name=ada", "-c", "user.email=ada@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *named, *arguments], check=True)
