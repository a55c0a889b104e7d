"""`notifyctl lint --fix`: what is safe is mended where it stands, nothing else in the file moves, and the rest is reported."""

from __future__ import annotations

import json
from typing import Any

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
ODD = """\
# odd on purpose
apiVersion: notifyctl/v1
kind: Notification
name:   odd
template: {channel: sms, content: {type: text, text: See https://www.acme.example}, options: { shortenLinks: 'True',   domain: "https://me.example" }}
audience:
-   recipients
schedule: later   # soon
options: {trackClicks: "true"} # é
notifyUrl: https://hooks.acme.example/r
requestedReceipts: [ Delivered,"SENT" ,  failed, clicked ]
---
apiVersion: notifyctl/v1
kind: Schedule
name: later
at: 1893456000
expireAt: '1893459600'
""".replace("-   recipients", '    recipients: [{msisdn: "+447700900123"}]')
MENDED = (
    ODD.replace("'True'", "true")
    .replace('"true"', "true")
    .replace("Delivered", "delivered")
    .replace('"SENT"', '"submitted"')
    .replace("1893456000", "2030-01-01T00:00:00Z")
    .replace("'1893459600'", "'2030-01-01T01:00:00Z'")
)


@pytest.fixture
def project(cli: Any) -> Any:
    cli.write(notifyctl=PROJECT, odd=ODD)
    return cli


def told(cli: Any, *arguments: str) -> list[tuple[str, int, bool]]:
    document = json.loads(cli("lint", "--format", "json", *arguments).out)
    return [(each["rule"], each["line"], each["fixable"]) for each in document["diagnostics"]]


WARNED = [
    ("string-boolean", 5, True),
    ("string-boolean", 9, True),
    ("receipt-spelling", 11, True),
    ("receipt-spelling", 11, True),
    ("epoch-time", 16, True),
    ("epoch-time", 17, True),
]


def test_lint_tells_them_as_warnings_and_neither_plan_nor_apply_stops(project: Any) -> None:
    assert [each for each in told(project) if each[2]] == WARNED
    text = project("lint")
    assert text.code == 0
    assert text.out.splitlines()[-1] == f"6 fixable with: notifyctl -C {project.root} lint --fix"
    due = json.loads(project("plan", "--format", "json").out)["notifications"][0]["due"]
    assert due == "2030-01-01T00:00:00+00:00"
    assert project("apply").code == 0


def test_they_are_mended_and_nothing_else_in_the_file_moves(project: Any) -> None:
    before = project.plan()["digest"]
    result = project("lint", "--fix")
    assert result.code == 0
    assert result.err.splitlines() == [
        "fixed odd.yaml:5 string-boolean: True → true",
        "fixed odd.yaml:9 string-boolean: true → true",
        "fixed odd.yaml:11 receipt-spelling: Delivered → delivered",
        "fixed odd.yaml:11 receipt-spelling: SENT → submitted",
        "fixed odd.yaml:16 epoch-time: 1893456000 → 2030-01-01T00:00:00Z",
        "fixed odd.yaml:17 epoch-time: 1893459600 → 2030-01-01T01:00:00Z",
        "6 problems fixed",
    ]
    assert "string-boolean" not in result.out
    assert (project.root / "odd.yaml").read_text() == MENDED
    assert project.plan()["digest"] == before
    assert project("lint", "--fix").err == "0 problems fixed\n"


def test_windows_line_ends_and_a_byte_order_mark_stay(project: Any) -> None:
    file = project.root / "odd.yaml"
    file.write_bytes(("\ufeff" + ODD.replace("\n", "\r\n")).encode())
    assert project("lint", "--fix").err.endswith("6 problems fixed\n")
    assert file.read_bytes() == ("\ufeff" + MENDED.replace("\n", "\r\n")).encode()


def test_what_is_left_is_reported_in_the_form_that_was_asked_for(project: Any) -> None:
    with (project.root / "odd.yaml").open("a") as stream:
        stream.write("cron: x\n")
    result = project("lint", "--fix", "--format", "json")
    assert result.code == 1
    left = json.loads(result.out)["diagnostics"]
    assert {(each["rule"], each["fixable"]) for each in left if each["severity"] == "error"} >= {
        ("exclusive-keys", False)
    }
    assert not any(each["fixable"] for each in left)


def test_only_what_is_selected_and_not_excepted_is_mended(project: Any) -> None:
    assert project("lint", "--fix", "--select", "epoch-time").err.splitlines()[-1] == "2 problems fixed"
    text = (project.root / "odd.yaml").read_text()
    excepted = text.replace("# é", "# notifyctl: ignore[string-boolean] as the sample")
    (project.root / "odd.yaml").write_text(excepted)
    assert project("lint", "--fix", "--ignore", "receipt-spelling").err.splitlines() == [
        "fixed odd.yaml:5 string-boolean: True → true",
        "1 problem fixed",
    ]


def test_a_project_may_weigh_them(project: Any) -> None:
    project.write(notifyctl=PROJECT + "lint: {string-boolean: error, epoch-time: off}\n")
    assert project("lint").code == 1
    assert "epoch-time" not in project("lint").out
    assert project("lint", "--fix").code == 0


@pytest.mark.parametrize(
    ("receipts", "rule"), [("[submitted, SENT]", "receipt-twice"), ("[Bounce]", "receipt-of-channel")]
)
def test_where_an_error_stands_too_nothing_is_mended(project: Any, receipts: str, rule: str) -> None:
    project.write(odd=ODD.replace('[ Delivered,"SENT" ,  failed, clicked ]', receipts))
    result = project("lint", "--fix")
    assert result.code == 1
    assert rule in result.out
    assert "receipt-spelling:" not in result.err


@pytest.mark.parametrize("at", ["1893456000000", "20300101", "+1893456000"])
def test_milliseconds_and_dates_without_hyphens_stay_errors(project: Any, at: str) -> None:
    project.write(odd=ODD.replace("at: 1893456000", f"at: {at}"))
    result = project("lint", "--fix", "--format", "json")
    assert result.code == 1
    assert [(e["rule"], e["fixable"]) for e in json.loads(result.out)["diagnostics"] if e["line"] == 16] == [
        ("send-time", False)
    ]


def test_a_value_behind_an_anchor_or_a_tag(project: Any) -> None:
    project.write(
        odd=ODD.replace('"true"', '&yes "true"')
        .replace("1893456000", "!!str 1893456000")
        .replace("SENT", "S\\x45NT")
    )
    result = project("lint", "--fix")
    assert "odd.yaml:9 string-boolean" in result.err
    assert "trackClicks: &yes true}" in (project.root / "odd.yaml").read_text()
    assert "!!str 1893456000" in (project.root / "odd.yaml").read_text()
    assert "S\\x45NT" in (project.root / "odd.yaml").read_text()
    assert "2 fixable with" in result.out
