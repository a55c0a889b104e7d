"""Living with lint: one line excepted with a reason, a rule weighed by the project, rules chosen on the command line."""

from __future__ import annotations

from typing import Any

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template:
  channel: sms
  content: {type: text, text: Hello}
  options: {trackClicks: true}
audience: {recipients: [{msisdn: "+447700900123"}]}
"""
RULE = "clicks-need-short-links"


@pytest.fixture
def broken(cli: Any) -> Any:
    cli.write(notifyctl=PROJECT, hello=HELLO)
    assert rules(cli) == {RULE: "error"}
    return cli


def rules(cli: Any, *arguments: str) -> dict[str, str]:
    found = cli("lint", "--format", "json", *arguments).json["diagnostics"]
    return {d["rule"]: d["severity"] for d in found if d["rule"] != "longest-text"}


def test_a_line_is_excepted_with_a_reason_for_lint_and_plan(broken: Any) -> None:
    assert broken("plan").code == 1
    broken.write(
        hello=HELLO.replace("true}", f"true}} # notifyctl: ignore[{RULE}] the provider turned it on for us")
    )
    assert rules(broken) == {}
    assert broken("plan").code == 0


def test_an_exception_that_excepts_nothing_is_told(broken: Any) -> None:
    broken.write(hello=HELLO.replace("{trackClicks: true}", "{} # notifyctl: ignore[needs-unicode] no more"))
    assert rules(broken) == {"unused-exception": "warning"}


def test_an_exception_gives_a_reason(broken: Any) -> None:
    broken.write(hello=HELLO.replace("true}", f"true}} # notifyctl: ignore[{RULE}]"))
    assert rules(broken) == {"exception-without-reason": "warning"}


def test_another_line_or_rule_is_not_excepted(broken: Any) -> None:
    broken.write(hello=HELLO.replace("true}", "true} # notifyctl: ignore[needs-unicode] why"))
    assert rules(broken) == {RULE: "error", "unused-exception": "warning"}


@pytest.mark.parametrize(
    ("weight", "expected"), [("warning", {RULE: "warning"}), ("off", {}), ("error", {RULE: "error"})]
)
def test_a_project_weighs_its_rules(broken: Any, weight: str, expected: dict[str, str]) -> None:
    broken.write(notifyctl=PROJECT + f"lint: {{{RULE}: {weight}}}\n")
    assert rules(broken) == expected
    assert broken("plan").code == (1 if weight == "error" else 0)


def test_an_unknown_rule_in_a_comment_is_an_error_at_the_comment_and_not_reported_as_unused(
    broken: Any,
) -> None:
    comment = "# notifyctl: ignore[clicks-need-short-link, needs-unicode] the provider turned it on for us"
    broken.write(hello=HELLO.replace("true}", f"true}} {comment}"))
    assert rules(broken) == {RULE: "error", "unknown-rule": "error", "unused-exception": "warning"}
    [unknown] = broken("lint", "--select", "unknown-rule", "--format", "json").json["diagnostics"]
    assert (unknown["line"], unknown["column"]) == (7, HELLO.splitlines()[6].index("}") + 3)
    assert (unknown["message"], unknown["hint"]) == (
        "unknown rule `clicks-need-short-link`",
        f"did you mean `{RULE}`?",
    )
    assert "unknown-rule" in broken("plan").err


def test_an_unknown_rule_of_the_project_is_an_error_at_its_key(broken: Any) -> None:
    broken.write(notifyctl=f"{PROJECT}lint:\n  {RULE}: off\n  needs-unicod:\n    warning\n")
    [unknown] = broken("lint", "--select", "unknown-rule", "--format", "json").json["diagnostics"]
    assert (unknown["file"], unknown["line"], unknown["column"]) == ("notifyctl.yaml", 6, 3)
    assert unknown["hint"] == "did you mean `needs-unicode`?"
    assert broken("plan").code == 1
    broken.write(notifyctl=f"{PROJECT}lint: {{{RULE}: off, zzzzzzzz: off, unknown-rule: warning}}\n")
    assert rules(broken) == {"unknown-rule": "warning"}
    assert "to list all rules, run: notifyctl" in broken("lint").out
    assert broken("plan").code == 0


def test_a_file_that_cannot_be_read_is_not_made_readable_by_a_comment(broken: Any) -> None:
    broken.write(
        notifyctl=PROJECT + "lint: {unknown-key: off}\n",
        hello=HELLO + "audiense: x # notifyctl: ignore[unknown-key] really\n",
    )
    assert rules(broken)["unknown-key"] == "error"


def test_rules_are_chosen_on_the_command_line(broken: Any) -> None:
    assert rules(broken, "--ignore", RULE) == {}
    assert rules(broken, "--select", RULE) == {RULE: "error"}
    assert rules(broken, "--select", "needs-unicode") == {}
    assert broken("lint", "--ignore", RULE).code == 0
