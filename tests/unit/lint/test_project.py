"""What lint finds across a project: composed texts against their channel, variables against those who declare and give them."""

from __future__ import annotations

from typing import Any

import pytest

from notifyctl.channels import CHANNELS
from notifyctl.config.load import load_project
from notifyctl.diagnostics import Diagnostic, Severity
from notifyctl.lint.project import check_project
from notifyctl.testing import MemoryFiles

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nvars: {brand: Acme}\n"
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: hello
audience: people
"""
TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: hello
channel: sms
content: {type: text, text: Hi $(name)}
"""
AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Audience
name: people
source: {file: people.csv}
"""
FILES = {
    "notifyctl.yaml": PROJECT,
    "hello.yaml": NOTIFICATION,
    "template.yaml": TEMPLATE,
    "audience.yaml": AUDIENCE,
    "people.csv": "msisdn,name\n+447700900001,Ada\n",
}


def found(environment: str = "sandbox", **changed: str) -> list[Diagnostic]:
    files = MemoryFiles({**FILES, **{name.replace("_", "."): text for name, text in changed.items()}})
    loaded = load_project(files, [channel.shape for channel in CHANNELS.values()])
    assert loaded.project is not None
    assert loaded.diagnostics == []
    chosen = loaded.project.environments[environment]
    return list(check_project(loaded.project, environment=chosen, files=files).diagnostics)


def test_a_sound_project_has_no_problems() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("rule", "severity", "place", "changed"),
    [
        (
            "missing-variable",
            "error",
            "hello.yaml:5:11",
            {"template_yaml": TEMPLATE.replace("name)", "nam)")},
        ),
        (
            "undeclared-variable",
            "error",
            "template.yaml:5:10",
            {"template_yaml": TEMPLATE + "variables: {nam: {required: false}}\n"},
        ),
        (
            "unused-variable",
            "warning",
            "template.yaml:6:29",
            {"template_yaml": TEMPLATE + "variables: {name: {}, area: {required: false}}\n"},
        ),
        (
            "unread-substitution",
            "warning",
            "hello.yaml:6:24",
            {"hello_yaml": NOTIFICATION + "substitutions: {value: 4 h}\n"},
        ),
        (
            "reserved-variable",
            "error",
            "hello.yaml:6:30",
            {"hello_yaml": NOTIFICATION + "substitutions: {unsubscribe: x}\n"},
        ),
        (
            "clicks-need-short-links",
            "error",
            "template.yaml:6:24",
            {"template_yaml": TEMPLATE + "options: {trackClicks: true}\n"},
        ),
        (
            "clicks-need-short-links",
            "error",
            "hello.yaml:6:24",
            {"hello_yaml": NOTIFICATION + "options: {trackClicks: true}\n"},
        ),
        (
            "sms-text-length",
            "error",
            "template.yaml:5:29",
            {"template_yaml": TEMPLATE.replace("Hi", "x" * 1025)},
        ),
        (
            "template-undefined",
            "error",
            "template.yaml:5:33",
            {"template_yaml": TEMPLATE.replace("Hi $(name)", "'{{ brnd }}'")},
        ),
        (
            "unknown-column",
            "error",
            "audience.yaml:5:19",
            {"audience_yaml": AUDIENCE + "columns: {msisdn: phone}\n"},
        ),
        (
            "unreadable-file",
            "error",
            "audience.yaml:4:9",
            {"audience_yaml": AUDIENCE.replace("people.csv", "nobody.csv")},
        ),
        (
            "unsupported-source",
            "error",
            "audience.yaml:4:9",
            {"audience_yaml": AUDIENCE.replace("people.csv", "p.parquet"), "p_parquet": "x"},
        ),
        ("bad-where", "error", "audience.yaml:5:8", {"audience_yaml": AUDIENCE + "where: name ==== 'x'\n"}),
        (
            "bad-schedule",
            "error",
            "schedule.yaml:4:7",
            {"schedule_yaml": 'apiVersion: notifyctl/v1\nkind: Schedule\nname: s\ncron: "61 9 * * *"\n'},
        ),
    ],
)
def test_each_problem_is_told_at_its_place(
    rule: str, severity: str, place: str, changed: dict[str, str]
) -> None:
    named = [d for d in found(**changed) if d.rule == rule]
    assert [(d.severity, str(d.location)) for d in named] == [(Severity(severity), place)]
    assert all(d.message for d in named)


def test_what_nothing_uses_is_told_and_a_waiting_template_is_checked() -> None:
    others = {
        "other_yaml": TEMPLATE.replace("name: hello", "name: other").replace("Hi $(name)", "'{{ brnd }}'"),
        "nobody_yaml": AUDIENCE.replace("name: people", "name: nobody").replace("people.csv", "missing.csv"),
        "never_yaml": "apiVersion: notifyctl/v1\nkind: Schedule\nname: never\n",
    }
    assert sorted((d.rule, d.severity.value, str(d.location)) for d in found(**others)) == [
        ("template-undefined", "error", "other.yaml:5:33"),
        ("unused-audience", "warning", "nobody.yaml:3:7"),
        ("unused-schedule", "warning", "never.yaml:3:7"),
        ("unused-template", "warning", "other.yaml:3:7"),
    ]


def test_a_variant_is_checked_at_its_own_place() -> None:
    changed = TEMPLATE + "locales:\n  fr: {content: {text: 'Bonjour $(nom)'}}\n"
    problems = found(template_yaml=changed)
    assert {(d.rule, d.location.file) for d in problems} == {("missing-variable", "hello.yaml")}
    too_long = TEMPLATE + f"locales:\n  fr: {{content: {{text: '{'x' * 1025}'}}}}\n"
    assert [str(d.location) for d in found(template_yaml=too_long)] == ["template.yaml:7:24"]


def test_outside_the_sandbox_a_sender_is_needed() -> None:
    environments = """\
environments:
  production:
    provider: webexconnect
    endpoint: https://api.eu.webexconnect.io/v2/messages
    auth: {serviceKeyEnv: KEY}
"""
    problems = found("production", notifyctl_yaml=PROJECT + environments)
    assert [d.rule for d in problems] == ["no-sender"]
    named: Any = NOTIFICATION + "from: CNNECT\n"
    assert found("production", notifyctl_yaml=PROJECT + environments, hello_yaml=named) == []


def test_the_profile_of_the_environment_decides_about_limits() -> None:
    newer = PROJECT + "environments: {sandbox: {provider: sandbox, profile: '6.20'}}\n"
    long = TEMPLATE.replace("Hi", "x" * 1025)
    assert found(notifyctl_yaml=newer, template_yaml=long) == []
