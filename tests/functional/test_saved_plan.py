"""A plan in a file: reviewed once, applied once, less than it and never more or other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
joiners: send
template: {{channel: sms, content: {{type: text, text: {text} $(name)}}}}
audience: {{source: {{file: people.csv}}}}
"""
ROWS = ["+447700900001,Ada", "+447700900002,Grace", "+447700900003,Linus"]


def people(cli: Any, rows: list[str]) -> None:
    cli.write(**{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})


@pytest.fixture
def hello(production: Any) -> Any:
    production.write(hello=HELLO.format(text="Hello"))
    people(production, ROWS)
    return production


@pytest.fixture
def saved(hello: Any, tmp_path: Path) -> tuple[str, str]:
    """The file and its digest."""
    path = tmp_path / "december.plan"
    result = hello("plan", "--format", "json", "--out", str(path))
    assert result.code == 0
    return str(path), result.json["digest"]


def apply(cli: Any, saved: tuple[str, str], *arguments: str) -> Any:
    return cli("apply", saved[0], "--expect", saved[1], "--format", "json", *arguments)


def test_it_is_applied_as_it_was_reviewed(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    result = apply(hello, saved)
    assert (result.code, result.json["outcomes"]["accepted"], len(foreign.addresses)) == (0, 3, 3)


def test_it_holds_no_address_and_no_secret(saved: tuple[str, str]) -> None:
    text = Path(saved[0]).read_text()
    assert "7700900001" not in text
    assert "SERVICE" not in text


def test_it_is_used_once(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    assert apply(hello, saved).code == 0
    again = apply(hello, saved)
    assert again.code == 4
    assert "was used" in again.err
    assert len(foreign.addresses) == 3


def test_again_it_resumes_what_was_never_attempted(hello: Any, foreign: Any, tmp_path: Path) -> None:
    """The first request is refused for good, and ends the run; the second batch was never begun."""
    project = hello.root / "notifyctl.yaml"
    project.write_text(project.read_text().replace("tps: 100000, concurrency: 4", "tps: 2, concurrency: 1"))
    path = tmp_path / "p.plan"
    digest = hello("plan", "--format", "json", "--out", str(path)).json["digest"]
    foreign.answers[:] = [(401, b"")]
    assert apply(hello, (str(path), digest)).code == 1
    result = apply(hello, (str(path), digest))
    assert result.json["outcomes"]["accepted"] == 1, "whoever was rejected is for another plan"
    assert hello.plan()["summary"]["retry"] == 2


def test_less_than_what_was_reviewed_is_sent(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    people(hello, ROWS[:2])
    assert apply(hello, saved).code == 0
    assert len(foreign.addresses) == 2


@pytest.mark.parametrize(
    ("text", "rows", "said"),
    [
        ("Hello", [*ROWS, "+447700900004,Mallory"], "1 person who are not in the plan"),
        ("Goodbye", ROWS, "3 people would get another text"),
        ("Hello", [*ROWS[:2], "+447700900003,Linus T."], "1 person would get another text"),
    ],
)
def test_more_or_other_is_refused_and_named(
    hello: Any, foreign: Any, saved: tuple[str, str], text: str, rows: list[str], said: str
) -> None:
    hello.write(hello=HELLO.format(text=text))
    people(hello, rows)
    result = apply(hello, saved)
    assert result.code == 4
    assert "hello (edition 1, once, sms)" in result.err
    assert said in result.err
    assert foreign.requests == []


def test_another_digest_than_the_file_s_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    result = hello("apply", saved[0], "--expect", "sha256:" + "0" * 64)
    assert result.code == 4
    assert foreign.requests == []


def test_without_a_digest_and_a_terminal_nothing_is_sent(
    hello: Any, foreign: Any, saved: tuple[str, str]
) -> None:
    assert hello("apply", saved[0]).code == 64
    assert foreign.requests == []


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["authorised"][0]["policy"].update(max_recipients=None),
        lambda document: document.update(environment="staging"),
        lambda document: document["authorised"].clear(),
        lambda document: document["authorised"][0].update(units="AAAA"),
        lambda document: document.update(ledger="another"),
        lambda document: document.update(format_version="9.0"),
        lambda document: document.pop("plan_id"),
    ],
)
def test_a_file_that_was_changed_is_refused(
    hello: Any, foreign: Any, saved: tuple[str, str], change: Any
) -> None:
    document = json.loads(Path(saved[0]).read_text())
    change(document)
    Path(saved[0]).write_text(json.dumps(document))
    assert apply(hello, saved).code == 4
    assert hello("show", saved[0]).code == 4
    assert foreign.requests == []


def test_a_file_with_a_key_twice_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    """A reviewer's tool may show the first of two values, and ours would use the last."""
    plan = Path(saved[0])
    plan.write_text(plan.read_text().replace("{", '{"environment": "staging", ', 1))
    assert apply(hello, saved).code == 4
    assert hello("show", saved[0]).code == 4
    assert foreign.requests == []


def test_a_plan_that_is_too_old_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    document = json.loads(Path(saved[0]).read_text())
    document["valid_until"] = "2020-01-01T00:00:00+00:00"
    Path(saved[0]).write_text(json.dumps(document))
    result = apply(hello, saved)
    assert result.code == 4
    assert "valid until 2020-01-01" in result.err
    assert foreign.requests == []


def test_a_plan_for_another_ledger_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    (hello.root / ".notifyctl" / "production.db").unlink()
    assert hello("ledger", "init", "--replace-lost", "acme/production").code == 0
    result = apply(hello, saved)
    assert result.code == 4
    assert "another ledger" in result.err
    assert foreign.requests == []


def test_a_plan_for_another_provider_is_refused(hello: Any, foreign: Any, saved: tuple[str, str]) -> None:
    project = hello.root / "notifyctl.yaml"
    project.write_text(project.read_text().replace(foreign.url, "http://127.0.0.1:9/v2/messages"))
    result = apply(hello, saved)
    assert result.code == 4
    assert "for the provider" in result.err


def test_show_draws_what_was_reviewed(hello: Any, saved: tuple[str, str]) -> None:
    shown = hello("show", saved[0])
    assert shown.code == 0
    for part in ("Hello Ada", saved[1], "Saved as", "send"):
        assert part in shown.out
    assert hello("show", saved[0], "--format", "json").json["digest"] == saved[1]


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"plan_id": "x"}', "[" * 100_000])
def test_what_is_no_plan_is_called_so(hello: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.plan"
    path.write_text(text)
    assert hello("apply", str(path), "--expect", "sha256:" + "0" * 64).code == 4
    assert hello("apply", str(tmp_path / "none.plan")).code == 64
