"""What was decided by hand, by whom, and how each run ended: in `history`, `status` and `explain`, as sentences."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from notifyctl.app.actor import CI_VARIABLES, find_actor, system_user

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
PEOPLE = [f"+44770090000{n}" for n in range(1, 5)]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CI, and git knows no author."""
    for variable in (*CI_VARIABLES, "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def hello(production: Any) -> Any:
    rows = [f"{phone},P{n}" for n, phone in enumerate(PEOPLE)]
    production.write(hello=HELLO, **{"people.csv": "\n".join(["msisdn,name", *rows]) + "\n"})
    return production


@pytest.fixture
def uncertain(hello: Any, foreign: Any) -> Any:
    foreign.answers[:] = [(500, b"")]
    assert hello.apply().code == 7
    return hello


@pytest.mark.parametrize("variable", CI_VARIABLES)
def test_the_person_behind_a_ci_job_is_named_before_all_others(
    variable: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "bot@acme.example")
    assert find_actor(tmp_path, {**os.environ, variable: "octocat"}) == "octocat"
    assert find_actor(tmp_path, {**os.environ, variable: " "}) == "bot@acme.example"


def test_else_the_author_that_git_knows_and_else_the_user(tmp_path: Any) -> None:
    subprocess.run(["git", "-C", str(tmp_path), "init", "-q"], check=True)
    assert find_actor(tmp_path, os.environ) == system_user()
    subprocess.run(["git", "-C", str(tmp_path), "config", "user.email", "ada@acme.example"], check=True)
    assert find_actor(tmp_path, os.environ) == "ada@acme.example"


def test_a_name_cannot_steer_a_terminal_or_fill_a_ledger(tmp_path: Any) -> None:
    assert find_actor(tmp_path, {"GITHUB_ACTOR": "a\x1b[31m\nb" + "c" * 1000}) == "a[31mb" + "c" * 194


@pytest.mark.parametrize(("verdict", "what"), [("sent", "sent"), ("not-sent", "not sent")])
def test_resolve_stands_in_history_status_and_explain_with_who_and_why(
    uncertain: Any, monkeypatch: pytest.MonkeyPatch, verdict: str, what: str
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    arguments = ("--as", verdict, "--reason", "ticket 4711", "--yes", "--quarantine", "0s")
    assert uncertain("resolve", "hello", *arguments).code == 0
    told = f"4 recipients recorded as {what} (batch 1): ticket 4711 · by octocat"
    for command in (("history",), ("history", "hello"), ("status",), ("status", "hello")):
        assert told in uncertain(*command).out, command
    explained = uncertain("explain", "hello", "--recipient", PEOPLE[0])
    assert f"recorded as {what} by octocat: ticket 4711" in explained.out
    for name, key in (("history", "statements"), ("status", "decisions")):
        [decision] = uncertain(name, "--format", "json").json[key]
        assert {each: decision[each] for each in ("kind", "as", "recipients", "detail", "who")} == {
            "kind": "resolve",
            "as": verdict,
            "recipients": 4,
            "detail": "ticket 4711",
            "who": "octocat",
        }
    [received] = uncertain("explain", "hello", "--recipient", PEOPLE[0], "--format", "json").json["received"]
    assert {key: received["resolved"][key] for key in ("as", "reason", "who")} == {
        "as": verdict,
        "reason": "ticket 4711",
        "who": "octocat",
    }


def test_status_gives_the_reason_of_the_decision_and_no_batch_stays_unknown(uncertain: Any) -> None:
    arguments = ("--as", "not-sent", "--reason", "ticket 4711", "--yes", "--quarantine", "0s")
    assert uncertain("resolve", "--recipient", PEOPLE[0], *arguments).code == 0
    assert "batches           1 outcome unknown" in uncertain("ledger", "show").out
    assert uncertain("resolve", *arguments).code == 0
    reasons = uncertain("status", "--format", "json").json["notifications"][0]["reasons"]
    [(reason, count)] = reasons.items()
    assert count == 4
    assert reason.startswith("recorded as not sent by ")
    assert reason.endswith(": ticket 4711")
    shown = uncertain("ledger", "show").out
    assert "batches           1 not accepted" in shown
    assert "recipients        4 not accepted" in shown


def test_withdraw_stands_there_too_even_if_nothing_was_sent(
    hello: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_USER_LOGIN", "ada")
    result = hello("withdraw", "hello", "--reason", "the outage was cancelled")
    assert result.out == "Withdrew edition 1 of `hello`. Messages already accepted are not affected.\n"
    for command in (("history",), ("status",), ("explain", "hello", "--recipient", PEOPLE[0])):
        out = hello(*command).out
        assert "withdraw: hello edition 1: the outage was cancelled · by ada" in out, command
    for name, key in (("history", "statements"), ("status", "decisions")):
        [decision] = hello(name, "--format", "json").json[key]
        assert (decision["kind"], decision["who"]) == ("withdraw", "ada")


def test_a_document_that_withdraws_is_recorded_with_who_applied_it(
    hello: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_REQUESTEDFOR", "Ada Lovelace")
    document = (
        "---\napiVersion: notifyctl/v1\nkind: Withdraw\nnotification: hello\nedition: 1\nreason: moved on\n"
    )
    hello.write(hello=HELLO + document)
    assert hello.apply().code == 0
    assert "withdraw: hello edition 1: moved on · by Ada Lovelace" in hello("history").out


def test_each_run_names_who_was_behind_it(hello: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert hello.apply().code == 0
    [run] = hello("history", "--format", "json").json["runs"]
    assert (run["actor"], run["how"], run["ending"]) == ("octocat", "finished", "completed")
    assert f" · octocat · {run['holder']} · completed" in hello("history").out


# How runs end


def start_apply(cli: Any) -> subprocess.Popen[str]:
    digest = cli.plan()["digest"]
    return subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(cli.root), "apply", "--expect", digest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_request(process: subprocess.Popen[str], foreign: Any) -> None:
    while not foreign.requests:
        assert process.poll() is None
        time.sleep(0.01)


def endings(cli: Any) -> list[str]:
    return [run["ending"] for run in cli("history", "--format", "json").json["runs"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so(hello: Any, foreign: Any, number: int) -> None:
    foreign.delay = 0.3
    process = start_apply(hello)
    wait_for_request(process, foreign)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert endings(hello) == ["interrupted"]
    assert hello("history").out.splitlines()[0].endswith(" · interrupted")


def test_a_run_that_is_interrupted_twice_says_so_too(hello: Any, foreign: Any) -> None:
    foreign.delay = 60.0
    process = start_apply(hello)
    wait_for_request(process, foreign)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Stopping" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert endings(hello) == ["interrupted"]


def test_of_a_killed_run_nobody_can_tell_whether_it_goes_on(hello: Any, foreign: Any) -> None:
    foreign.delay = 60.0
    process = start_apply(hello)
    wait_for_request(process, foreign)
    process.kill()
    process.communicate(timeout=30)
    assert endings(hello) == ["interrupted or still running"]


def test_errors_are_sentences_and_no_class_names(hello: Any) -> None:
    assert hello("apply", "--expect", "sha256:" + "0" * 64).code == 4
    [run] = hello("history", "--format", "json").json["runs"]
    assert (run["how"], run["ending"]) == ("PlanRefusedError", "refused: plan not confirmed or changed")
    out = hello("history").out
    assert "refused: plan not confirmed or changed" in out
    assert "Error" not in out


def test_every_error_of_ours_has_a_sentence() -> None:
    from notifyctl import errors
    from notifyctl.views.history import ENDINGS

    ours = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.NotifyctlError)
    }
    assert ours - {"NotifyctlError"} <= ENDINGS.keys()
    assert not any("Error" in sentence for sentence in ENDINGS.values())


def test_an_empty_ledger_says_what_it_lacks(hello: Any) -> None:
    assert hello("history").out == "No runs recorded in environment `production`.\n"
    assert hello("status").out == "No messages have been sent in environment `production`.\n"
    assert hello("resolve").out == "No unknown outcomes.\n"


def test_a_waiting_period_is_said_in_words(uncertain: Any) -> None:
    result = uncertain("resolve", "--as", "not-sent", "--reason", "x", "--yes")
    assert result.code == 1
    assert "batch 1 was attempted less than 15 minutes ago" in result.err
    assert "run the command again in 15 minutes" in result.err


def test_a_ledger_without_actors_stays_readable_and_gets_them(cli: Any) -> None:
    import shutil
    from pathlib import Path

    former = Path(__file__).parents[1] / "fixtures" / "b559261" / "former"
    shutil.copytree(former, cli.root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("ledger.db"))
    (cli.root / ".notifyctl").mkdir(mode=0o700)
    shutil.copyfile(former / "ledger.db", cli.root / ".notifyctl" / "sandbox.db")
    before = cli("history", "--format", "json").json["runs"]
    assert [run["actor"] for run in before] == [None] * len(before)
    assert cli("withdraw", "numbers", "--reason", "no more").code == 0
    after = cli("history", "--format", "json").json["runs"]
    assert after[0]["actor"] == system_user()
    assert after[1:] == before


def test_an_unused_sandbox_has_no_runs_and_needs_no_ledger(cli: Any) -> None:
    cli.write(
        notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments: {sandbox: {provider: sandbox}}\n"
    )
    assert cli("history").out == "No runs recorded in environment `sandbox`.\n"
