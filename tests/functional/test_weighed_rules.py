"""No combination of `lint:` severities, exceptions and commands ends as a defect of ours, however broken a small project is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifyctl.cli.main import run
from notifyctl.exit_codes import ExitCode
from notifyctl.lint.rule_pages import PAGES

RULES = sorted(PAGES)
STOPPING = (
    "template-syntax", "template-undefined", "template-include", "template-limit", "template-security", "template-error",
    "unreadable-file", "unknown-column", "unsupported-source", "bad-where", "bad-schedule", "no-sender", "missing-variable",
    "bad-suppression", "undeclared-variable", "sms-text", "needs-unicode",
)  # fmt: skip
TEXTS = (
    "Hi $(name)",
    "Hi {{ name }}",
    "Hi {{ name",
    "{% include 'none.txt' %}",
    "{{ 1 / 0 }}",
    "{{ ''.__class__ }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{#var#}",
    "{{ '' }}",
    "Your engineer\u2019s here",
    "$( name ) $(unsubscribe) ${x}",
    "Token ghp_a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
    "x" * 5000,
)
AUDIENCES = (
    "{recipients: [{msisdn: '+447700900123', substitutions: {name: Ada}}]}",
    "{recipients: [{msisdn: '+447700900123'}, {msisdn: nobody}]}",
    "{recipients: [{email: ada@acme.example}]}",
    "{source: {file: people.csv}}",
    "{source: {file: people.csv}, where: 'nothing = 1'}",
    "{source: {file: people.csv}, where: '('}",
    "{source: {file: people.csv}, columns: {msisdn: none}}",
    "{source: {file: people.csv}, substitutions: {name: none}}",
    "{source: {file: none.csv}}",
    "{source: {file: people.xyz}}",
    "{source: {file: people.csv, encoding: utf-16}}",
    "{source: {sql: select 1, urlEnv: NO_SUCH_URL}}",
)
SCHEDULES = (
    "at: 2026-12-01T09:00",
    "cron: '99 99 * * *'",
    "{cron: '0 9 * * *', timezone: recipient}",
    "cron: '0 9 30 2 *'",
    "{at: 2020-01-01T00:00, expireAt: 2019-01-01T00:00}",
)
CHANNELS = ("sms, content: {{type: text, text: {text}}}", "email, content: {{type: text, subject: Hi, text: {text}}}",
            "rcs, content: {{type: text, text: {text}}}", "sms, content: {{type: text, textFile: none.txt}}",
            "sms, content: {{type: text, text: Hi}}, locales: {{fr: {{content: {{text: {text}}}}}}}")  # fmt: skip
COMMANDS = (
    ("lint",), ("lint", "--format", "json"), ("lint", "--format", "sarif"), ("lint", "--all"), ("lint", "--fix"), ("plan",),
    ("plan", "--offline"), ("plan", "-e", "priced"), ("plan", "-e", "real", "--offline"), ("apply", "--dry-run"), ("render", "n"),
    ("preview", "--out", "-"), ("fmt", "--check"), ("explain", "needs-unicode"),
)  # fmt: skip
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: case
lint: {lint}
suppressions: {lists}
environments:
  priced: {{provider: sandbox, pricing: none.csv}}
  real: {{provider: webexconnect, endpoint: "https://api.example/v2/messages"}}
"""


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str]:
    weights = draw(
        st.dictionaries(
            st.one_of(st.sampled_from(STOPPING), st.sampled_from(RULES)),
            st.sampled_from(["error", "warning", "info", "'off'"]),
            max_size=6,
        )
    )
    excepted = draw(st.lists(st.one_of(st.sampled_from(STOPPING), st.sampled_from(RULES)), max_size=4))
    comment = draw(st.sampled_from(["", f" # notifyctl: ignore[{', '.join(excepted)}] as it is"]))
    documents = []
    for number in range(draw(st.integers(1, 2))):
        text = '"' + draw(st.sampled_from(TEXTS)) + '"'
        template = draw(st.sampled_from(CHANNELS)).format(text=text)
        lines = [
            "apiVersion: notifyctl/v1",
            "kind: Notification",
            f"name: n{number or ''}",
            f"template: {{channel: {template}}}{comment}",
            f"audience: {draw(st.sampled_from(AUDIENCES))}{comment}",
            draw(st.sampled_from(["", f"schedule: s{comment}", "from: ACME", "acknowledge: 'd1:00'"])),
        ]
        documents.append("\n".join(lines))
    schedule = (
        f"apiVersion: notifyctl/v1\nkind: Schedule\nname: s\n{draw(st.sampled_from(SCHEDULES))}{comment}\n"
    )
    if "\n{" in schedule:
        schedule = schedule.replace("\n{", "\n").replace("}", "").replace(", ", "\n")
    listed = draw(st.sampled_from(["[]", "[none.csv]", "[people.csv]", "[wrong.csv]"]))
    return {
        "notifyctl.yaml": PROJECT.format(
            lint="{" + ", ".join(f"{rule}: {weight}" for rule, weight in weights.items()) + "}", lists=listed
        ),
        "n.yaml": "\n---\n".join(documents) + "\n",
        "s.yaml": schedule,
        "people.csv": "msisdn,email,name\n+447700900123,ada@acme.example,Ada\n+447700900124,,\n",
        "people.xyz": "msisdn\n",
        "wrong.csv": 'address\nnobody\n"open\n',
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "project"


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(files=projects(), commands=st.lists(st.sampled_from(COMMANDS), min_size=2, max_size=3))
def test_it_never_ends_as_a_defect(
    folder: Path, files: dict[str, str], commands: list[tuple[str, ...]]
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    for command, *rest in commands:
        assert run([command, "-C", str(folder), *rest]) != ExitCode.DEFECT, (command, rest)
