"""Names on the command line that are in neither project nor ledger, patterns, and rules that do not exist."""

from __future__ import annotations

from typing import Any

import pytest

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments: {sandbox: {provider: sandbox, limits: {tps: 100000}}}
"""


@pytest.fixture
def project(cli: Any) -> Any:
    text = (
        "apiVersion: notifyctl/v1\nkind: Notification\nname: {}\n"
        "template: {{channel: sms, content: {{type: text, text: Hello}}}}\n"
        'audience: {{recipients: [{{msisdn: "+447700900123"}}]}}\n'
    )
    names = [*(f"outage-{number}" for number in range(40)), "bill"]
    cli.write(notifyctl=PROJECT, all="---\n".join(map(text.format, names)))
    return cli


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("command", ["status", "history", "render", "preview", "resolve", "plan", "withdraw"])
def test_an_unknown_name_is_an_error_with_the_nearest(project: Any, command: str, *, applied: bool) -> None:
    if applied:
        assert project("apply").code == 0
    elif command in {"resolve", "withdraw"}:
        pytest.skip("needs a ledger")
    extra = {"plan": ["--only", "bil"], "withdraw": ["bil", "--reason", "x"]}.get(command, ["bil"])
    result = project(command, *extra)
    assert result.code == 64, result
    assert "unknown notification `bil`" in result.err
    assert "did you mean `bill`?" in result.err
    assert len(result.err) < 400


def test_only_takes_patterns(project: Any) -> None:
    assert len(project.plan("--only", "outage-1*")["notifications"]) == 11
    assert len(project.plan("--only", "bill", "--only", "outage-?")["notifications"]) == 11
    result = project("plan", "--only", "no-*")
    assert result.code == 64
    assert "no notification matches `no-*`" in result.err


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_an_unknown_rule_is_an_error_with_the_nearest(project: Any, option: str) -> None:
    result = project("lint", option, "needs-unicod")
    assert result.code == 64
    assert "unknown rule `needs-unicod`" in result.err
    assert "did you mean `needs-unicode`?" in result.err
