"""`doctor`: each thing that keeps an environment from sending is named, with what to do; nothing is sent or changed for it."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest

from notifyctl.app.monitoring.doctor_network import check_endpoint
from notifyctl.app.workspace import open_workspace
from notifyctl.clock import SystemClock
from notifyctl.model.checks import Check, CheckStatus
from notifyctl.testing.fakes import ManualClock


def by_name(document: Any) -> dict[str, Any]:
    return {check["name"]: check for check in document["checks"]}


def test_a_sound_environment_has_no_error_and_nothing_is_sent_or_changed(
    production: Any, foreign: Any
) -> None:
    before = production.files()
    found = production("doctor", "--format", "json")
    assert found.code == 0, found.out
    checks = by_name(found.json)
    assert {name for name, check in checks.items() if check["status"] != "ok"} == {"senders"}
    assert checks["senders"]["status"] == "not_checked"
    assert "no way to ask" in checks["senders"]["text"]
    assert {
        "program",
        "configuration",
        "credentials",
        "state folder",
        "disk",
        "ledger",
        "permissions",
        "endpoint",
        "clock",
    } <= {*checks}
    assert found.json["summary"]["error"] == 0
    assert foreign.requests == []
    assert production.files() == before
    assert "0 errors, 0 warnings." in production("doctor").out


def test_every_missing_thing_is_an_error_of_its_own(production: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVICE_SECRET")
    text = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(notifyctl=text + "    alerts: {urlEnv: NO_SUCH_URL}\n")
    (production.root / ".notifyctl" / "production.db").chmod(0o644)
    (production.root / ".notifyctl" / "production.db").rename(production.root / "elsewhere.db")
    found = production("doctor", "--offline", "--format", "json")
    assert found.code == 1
    errors = [check for check in found.json["checks"] if check["status"] == "error"]
    assert [check["name"] for check in errors] == ["credentials", "ledger"]
    assert "SERVICE_SECRET" in errors[0]["text"]
    assert "restore" in errors[1]["hint"], "it was lost, and is not to be made anew"
    assert by_name(found.json)["endpoint"]["status"] == "not_checked"


def test_each_secret_is_asked_for_and_none_is_shown(production: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(notifyctl=text + "    alerts: {urlEnv: ALERTS_URL}\n")
    monkeypatch.setenv("ALERTS_URL", "https://alerts.example/canary-of-a-secret")
    (production.root / ".notifyctl" / "production.db").chmod(0o644)
    found = production("doctor", "--offline")
    assert found.code == 0
    assert "the address for alerts is in the environment variable ALERTS_URL" in found.out
    assert "chmod 600" in found.out
    assert "canary" not in found.out + found.err
    assert os.environ["SERVICE_SECRET"] not in found.out + found.err
    monkeypatch.delenv("ALERTS_URL")
    assert "ALERTS_URL is not set" in production("doctor", "--offline").out


def test_errors_in_the_files_are_the_only_thing_that_is_said(production: Any) -> None:
    production.write(broken="kind: Notification\napiVersion: notifyctl/v1\nname: 1\n")
    found = production("doctor", "--format", "json")
    assert found.code == 1
    assert [check["status"] for check in found.json["checks"]] == ["ok", "error"]
    assert "lint" in found.json["checks"][1]["hint"]


def endpoint(production: Any, *, ahead: timedelta = timedelta()) -> dict[str, Check]:
    clock = ManualClock(SystemClock().now() + ahead)
    workspace = open_workspace(production.root, clock=clock)
    return {each.name: each for each in check_endpoint(workspace, workspace.environment(None), offline=False)}


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [
        (0, CheckStatus.OK, "agrees"),
        (15, CheckStatus.WARNING, "ahead of"),
        (3600, CheckStatus.ERROR, "ahead of"),
        (-3600, CheckStatus.ERROR, "behind"),
    ],
)
def test_the_clock_is_compared_with_the_servers(
    production: Any, ahead: int, status: CheckStatus, words: str
) -> None:
    found = endpoint(production, ahead=timedelta(seconds=ahead))
    assert found["endpoint"].status is CheckStatus.OK
    assert found["clock"].status is status
    assert words in found["clock"].text


def test_a_server_that_cannot_be_reached_is_an_error(production: Any, foreign: Any) -> None:
    text = (production.root / "notifyctl.yaml").read_text(encoding="utf-8")
    production.write(notifyctl=text.replace(foreign.url, "https://webexconnect.invalid/v2/messages"))
    found = endpoint(production)
    assert found["endpoint"].status is CheckStatus.ERROR
    assert "cannot be found" in found["endpoint"].text
    assert found["clock"].status is CheckStatus.NOT_CHECKED
    production.write(
        notifyctl=text.replace(foreign.url, foreign.url.replace("http:", "https:"))  # speaks no TLS
    )
    assert "TLS" in endpoint(production)["endpoint"].text
