"""Each form of lint, for a small set of problems with hostile words in them, against a reader or to the letter."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from notifyctl.cli.main import run
from notifyctl.diagnostics import Diagnostic, Location, Severity
from notifyctl.views.lint import github, gitlab, junit, sarif, text
from notifyctl.views.lint.context import LintContext

HOSTILE = "::error::</details> `@all` \x1b[31m\u202e%0A"
SOURCE = {"a.yaml": ["apiVersion: notifyctl/v1", "kind: Notifcation", "x" * 300 + " here " + "y" * 300]}
PROBLEMS = [
    Diagnostic(
        "unknown-kind",
        Severity.ERROR,
        "there is no kind `Notifcation`",
        Location("a.yaml", 2, 7),
        "Notification",
    ),
    Diagnostic("odd", Severity.WARNING, f"{HOSTILE}\nsecond: line, too", Location("a.yaml", 3, 302)),
    Diagnostic("told", Severity.INFO, "only told", Location("b,b.yaml")),
]
HERE = LintContext(lambda file: SOURCE.get(file, []), prefix="sub/notifications")


def test_text_shows_the_line_a_caret_and_the_way_out() -> None:
    assert text.render(PROBLEMS, HERE).splitlines() == [
        "a.yaml",
        "  2:7     error   there is no kind `Notifcation`  unknown-kind",
        "          │ kind: Notifcation",
        "          │       ^",
        "          → Notification",
        "  3:302   warning ::error::</details> `@all` \\x1b[31m\\u202e%0A\\nsecond: line, too  odd",
        "          │ …" + "x" * 49 + " here " + "y" * 45 + "…",
        "          │ " + " " * 51 + "^",
        "",
        "b,b.yaml",
        "  -       info    only told  told",
        "",
        "1 error, 1 warning",
    ]


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("name: x", 7, "name: x", 6),
        ("\tname: x", 2, " name: x", 1),
        ("\u4f60\u597d: \U0001f44b x", 7, "\u4f60\u597d: \U0001f44b x", 9),
        ("e\u0301: x", 5, "e\u0301: x", 3),
        ("a\u200db: x", 6, "a\u200db: x", 4),
        ("a\x1b: x", 5, "a\\x1b: x", 7),
        ("name", 5, "name", 4),
        ("x" * 500, 400, "\u2026" + "x" * 100 + "\u2026", 51),
    ],
)
def test_the_caret_stands_below_what_it_means(line: str, column: int, shown: str, caret: int) -> None:
    found = [Diagnostic("r", Severity.ERROR, "m", Location("a.yaml", 1, column))]
    _, _, drawn, below, *_ = text.render(found, LintContext(lambda _: [line])).splitlines()
    assert drawn == " " * 10 + "\u2502 " + shown
    assert below == " " * 10 + "\u2502 " + " " * caret + "^"


def test_far_down_in_a_file_everything_stays_in_columns() -> None:
    found = [Diagnostic("r", Severity.ERROR, "m", Location("a.yaml", line, 10)) for line in (2, 123_456)]
    assert text.render(found, LintContext(lambda _: [])).splitlines()[1:3] == [
        "  2:10      error   m  r",
        "  123456:10 error   m  r",
    ]


BROKEN = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
name: again
template: {channel: sms, content: {type: text, text: Hello}}
audience:
  recipients:
    - {msisdn: "+447700900123"}
    - {msisdn: "+447700900123"}
naem: x
"""


@pytest.mark.parametrize("form", ["sarif", "gitlab"])
def test_lines_inserted_above_change_no_fingerprint(
    form: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notifyctl.yaml").write_text("apiVersion: notifyctl/v1\nkind: Project\nname: acme\n")
    seen = []
    for source in (BROKEN, "# one\n\n# two\n" + BROKEN.replace("audience:", "# three\naudience:")):
        (tmp_path / "bad.yaml").write_text(source)
        run(["-C", str(tmp_path), "lint", "--format", form])
        report = json.loads(capsys.readouterr().out)
        if form == "sarif":
            seen.append([each["partialFingerprints"] for each in report["runs"][0]["results"]])
        else:
            seen.append([each["fingerprint"] for each in report])
    assert seen[0] == seen[1]
    assert len(seen[0]) >= 2


def test_github_commands_cannot_be_ended_or_begun_by_a_message() -> None:
    lines = github.render([*reversed(PROBLEMS)], HERE).splitlines()
    assert lines == [
        "::error file=sub/notifications/a.yaml,line=2,col=7,title=unknown-kind::there is no kind `Notifcation`%0ANotification",
        (
            "::warning file=sub/notifications/a.yaml,line=3,col=302,title=odd::"
            "::error::</details> `@all` \\x1b[31m\\u202e%250A%0Asecond: line, too"
        ),
        "::notice file=sub/notifications/b%2Cb.yaml,title=told::only told",
    ]


def test_github_gets_no_more_than_it_shows() -> None:
    many = [Diagnostic("r", Severity.ERROR, f"n{n}", Location("a.yaml", n, 1)) for n in range(1, 26)]
    lines = github.render([*PROBLEMS[1:], *many], HERE).splitlines()
    assert len(lines) == 10 + 1 + 1 + 1
    assert lines[0].startswith("::error")
    assert lines[-1] == "Not shown above, because GitHub shows 10 of a kind: 15 errors."


def moved(problems: list[Diagnostic]) -> list[Diagnostic]:
    return [
        Diagnostic(p.rule, p.severity, p.message, Location(p.location.file, p.location.line + 7, 1), p.hint)
        for p in problems
    ]


def test_gitlab_has_what_a_code_quality_report_needs() -> None:
    report = json.loads(gitlab.render(PROBLEMS, HERE))
    assert [set(entry) for entry in report] == [
        {"description", "check_name", "fingerprint", "severity", "location"}
    ] * 3
    assert [entry["severity"] for entry in report] == ["major", "minor", "info"]
    assert [entry["location"]["lines"]["begin"] for entry in report] == [2, 3, 1]
    assert report[0]["location"]["path"] == "sub/notifications/a.yaml"
    prints = [entry["fingerprint"] for entry in report]
    assert len(set(prints)) == 3
    assert [e["fingerprint"] for e in json.loads(gitlab.render(moved(PROBLEMS), HERE))] == prints
    twice = json.loads(gitlab.render([PROBLEMS[0], *moved(PROBLEMS[:1])], HERE))
    assert twice[0]["fingerprint"] != twice[1]["fingerprint"]


def test_sarif_has_what_code_scanning_needs() -> None:
    document: dict[str, Any] = json.loads(sarif.render(PROBLEMS, HERE))
    assert document["version"] == "2.1.0"
    (only,) = document["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["odd", "told", "unknown-kind"]
    for found in only["results"]:
        assert rules[found["ruleIndex"]]["id"] == found["ruleId"]
        assert found["message"]["text"]
        assert found["partialFingerprints"]["notifyctl/v1"]
    assert [found["level"] for found in only["results"]] == ["error", "warning", "note"]
    first = only["results"][0]["locations"][0]["physicalLocation"]
    assert first["artifactLocation"]["uri"] == "sub/notifications/a.yaml"
    assert first["region"] == {"startLine": 2, "startColumn": 7}
    assert "region" not in only["results"][2]["locations"][0]["physicalLocation"]
    assert only["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith(
        "b%2Cb.yaml"
    )


def test_sarif_keeps_within_what_github_takes() -> None:
    many = [Diagnostic("r", Severity.INFO, f"n{n}", Location("a.yaml", n, 1)) for n in range(5001)]
    (only,) = json.loads(sarif.render([*many, PROBLEMS[0]], HERE))["runs"]
    assert len(only["results"]) == 5000
    assert only["results"][0]["ruleId"] == "unknown-kind"
    (notification,) = only["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "2 more results are left out"


def test_junit_can_be_read_and_only_errors_fail() -> None:
    root = ET.fromstring(junit.render(PROBLEMS, HERE))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [suite.get("name") for suite in root] == ["sub/notifications/a.yaml", "sub/notifications/b,b.yaml"]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "there is no kind `Notifcation`"
    assert "\x1b" not in "".join(root.itertext())
    sound = ET.fromstring(junit.render([], HERE))
    assert (sound.get("tests"), sound.get("failures")) == ("1", "0")


@pytest.mark.parametrize("form", ["text", "json", "github", "gitlab", "sarif", "junit"])
def test_each_form_through_the_command(
    form: str, tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "messages"
    project.mkdir()
    (project / "notifyctl.yaml").write_text("apiVersion: notifyctl/v1\nkind: Project\nname: acme\n")
    (project / "bad.yaml").write_text("apiVersion: notifyctl/v1\nkind: Notifcation\nname: x\n")
    monkeypatch.chdir(tmp_path)
    assert run(["-C", "messages", "lint", "--format", form]) == 1
    out = capsys.readouterr().out
    assert "unknown-kind" in out
    assert ("bad.yaml" if form in {"text", "json"} else "messages/bad.yaml") in out
