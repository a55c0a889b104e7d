"""`send-test`: one real message with a recipient's values to an allowed address, recorded, and counted for nobody."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template:
  channel: sms
  content: {type: text, text: Hello $(name)}
  locales: {fr: {content: {text: Bonjour $(name)}}}
audience: {source: {file: people.csv}}
"""
LETTER = """\
apiVersion: notifyctl/v1
kind: Notification
name: letter
template: {channel: email, content: {type: text, subject: Dear $(name), text: Hello $(name)}}
audience: {source: {file: mails.csv}}
cc: [boss@acme.example]
bcc: [archive@acme.example, second@acme.example]
"""
ADA, BEN, CY = "+447700900001", "+447700900002", "+447700900003"
ME = "+447700900077"
ALLOW = f'    tests: {{allow: ["{ME}", "{CY}", "*@me.example"]}}\n'
PEOPLE = f"msisdn,name,locale,correlationId\n{ADA},Ada,,order-1\n{BEN},Ben,fr,order-2\n{CY},Cy,,order-3\n"


@pytest.fixture
def project(production: Any) -> Any:
    text = (production.root / "notifyctl.yaml").read_text()
    production.write(
        notifyctl=text + ALLOW,
        hello=HELLO,
        letter=LETTER,
        **{"people.csv": PEOPLE, "mails.csv": "email,name\nada@acme.example,Ada\n"},
    )
    return production


def send(cli: Any, *arguments: str, name: str = "hello", values: str = ADA, to: str = ME) -> Any:
    return cli("send-test", name, "--as", values, "--to", to, "--yes", *arguments)


def standing(cli: Any) -> Any:
    """A plan without what the clock moves."""
    found = cli.plan()
    for each in found["notifications"]:
        del each["ends"]
    return {key: value for key, value in found.items() if key not in {"as_of", "valid_until"}}


def bodies(foreign: Any) -> list[Any]:
    return [request.body for request in foreign.requests]


# What is sent


def test_one_message_with_the_values_of_a_recipient_goes_to_the_address(project: Any, foreign: Any) -> None:
    result = send(project)
    assert result.code == 0
    [body] = bodies(foreign)
    assert [entry["msisdn"] for entry in body["to"]] == [[ME]]
    assert body["to"][0]["substitutions"] == {"name": "Ada"}
    assert body["content"] == {"type": "text", "text": "Hello $(name)"}
    assert "Sent a test of `hello` to +44••••••0077." in result.out
    assert "test 1; it does not count as sent to a recipient" in result.out
    assert "Hello Ada" in result.err
    assert ADA not in result.out + result.err
    assert ME not in result.out + result.err


def test_the_locale_is_the_recipients_or_the_one_that_is_asked_for(project: Any, foreign: Any) -> None:
    assert send(project, values=BEN).code == 0
    assert send(project, "--locale", "fr").code == 0
    assert [body["content"]["text"] for body in bodies(foreign)] == ["Bonjour $(name)"] * 2
    wrong = send(project, "--locale", "de")
    assert wrong.code == 64
    assert "`hello` has no text for locale `de`" in wrong.err
    assert len(foreign.requests) == 2


def test_copies_are_left_out_and_that_is_said(project: Any, foreign: Any) -> None:
    result = send(project, "--format", "json", name="letter", values="ada@acme.example", to="i@me.example")
    assert result.code == 0
    [body] = bodies(foreign)
    assert body.keys().isdisjoint({"cc", "bcc"})
    assert body["content"]["subject"] == "Dear $(name)", "the subject is that of the real message"
    assert [each["what"] for each in result.json["left_out"]] == ["cc 1", "bcc 1", "bcc 2"]
    for copy in ("cc 1", "bcc 1", "bcc 2"):
        assert f"without {copy}: a test is sent to one address only" in result.err


def test_a_schedule_does_not_hold_it_back(project: Any, foreign: Any) -> None:
    timed = (
        "schedule: far\n---\napiVersion: notifyctl/v1\nkind: Schedule\nname: far\n"
        "at: 2199-01-01T09:00\nhandOff: provider\n"
    )
    project.write(hello=HELLO + timed)
    assert send(project).code == 0
    assert "sendAt" not in bodies(foreign)[0]


def test_a_dry_run_shows_the_exact_request_and_changes_nothing(project: Any, foreign: Any) -> None:
    before = project.files()
    shown = send(project, "--dry-run", "--reveal", "--format", "json").json
    assert project.files() == before
    assert foreign.requests == []
    assert send(project).code == 0
    assert shown["body"] == bodies(foreign)[0]


# What is refused


@pytest.mark.parametrize(
    ("more", "arguments", "message"),
    [
        ("", {"to": "+447700900078"}, "is not allowed for tests in environment `production`"),
        ("", {"to": "nobody"}, "`--to` is not a phone number"),
        ("", {"to": "i@me.example"}, "`--to` must be a phone number"),
        ("", {"values": "+447700900099"}, "is not a recipient of `hello`: the audience does not have it"),
        ("", {"name": "hullo"}, "hullo"),
        ('    fence: {allow: ["+447700900001"]}\n', {}, "is not on the allow-list (`fence`)"),
        ("    suppressions: [opt-out.csv]\n", {}, "is suppressed (opted-out: moved away)"),
    ],
)
def test_nothing_is_sent_where_it_must_not(
    project: Any, foreign: Any, more: str, arguments: dict[str, str], message: str
) -> None:
    project.write(
        notifyctl=(project.root / "notifyctl.yaml").read_text() + more,
        **{"opt-out.csv": f"address,reason\n{ME},moved away\n"},
    )
    result = send(project, **arguments)
    assert result.code == 64
    assert message in result.err
    assert foreign.requests == []
    assert project("status", "--format", "json").json["tests"] == []


def test_without_an_allowed_address_there_are_no_tests(project: Any, foreign: Any) -> None:
    text = (project.root / "notifyctl.yaml").read_text()
    project.write(notifyctl=text.replace(ALLOW, ""))
    result = send(project)
    assert result.code == 1
    assert "environment `production` allows no test messages; nothing was sent" in result.err
    assert "tests: {allow:" in result.err
    assert send(project, "--dry-run").code == 1
    assert foreign.requests == []


def test_what_a_plan_would_block_is_not_sent_as_a_test(project: Any, foreign: Any) -> None:
    project.write(**{"people.csv": f"msisdn,name\n{ADA},\n"})
    result = send(project)
    assert result.code == 1
    assert "missing-variable name" in result.err
    assert foreign.requests == []


def test_a_project_with_errors_sends_no_test(project: Any, foreign: Any) -> None:
    project.write(hello=HELLO.replace("$(name)", "$(nmae)"))
    assert send(project).code == 1
    assert foreign.requests == []


def test_a_recipient_who_opted_out_can_lend_their_values(project: Any, foreign: Any) -> None:
    text = (project.root / "notifyctl.yaml").read_text()
    project.write(
        notifyctl=text + "    suppressions: [opt-out.csv]\n", **{"opt-out.csv": f"address\n{ADA}\n"}
    )
    assert send(project).code == 0
    assert foreign.addresses == [ME]


# Confirmation


def at_terminal(cli: Any, answer: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "notifyctl",
            "-C",
            str(cli.root),
            "send-test",
            "hello",
            "--as",
            ADA,
            "--to",
            ME,
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):
        while chunk := os.read(ours, 4096):
            shown += chunk
            if answer and b"continue" in shown:
                os.write(ours, answer.encode() + b"\n")
                answer = ""
    os.close(ours)
    return process.wait(timeout=30), shown.decode("utf-8", "replace")


@pytest.mark.parametrize(("answer", "code", "sent"), [("1", 0, 1), ("2", 4, 0), ("yes", 4, 0)])
def test_at_a_terminal_it_shows_the_message_and_asks(
    project: Any, foreign: Any, answer: str, code: int, sent: int
) -> None:
    ended, shown = at_terminal(project, answer)
    assert (ended, len(foreign.requests)) == (code, sent)
    assert "Hello Ada" in shown
    assert "in environment `production`" in " ".join(shown.split())


def test_without_a_terminal_it_needs_yes(project: Any, foreign: Any) -> None:
    result = project("send-test", "hello", "--as", ADA, "--to", ME)
    assert result.code == 64
    assert "add --yes" in result.err
    assert foreign.requests == []


def test_the_sandbox_asks_nothing_and_has_it_in_its_inbox(cli: Any) -> None:
    cli.write(
        notifyctl=(
            "apiVersion: notifyctl/v1\nkind: Project\nname: acme\nenvironments:\n"
            f'  sandbox:\n    provider: sandbox\n    tests: {{allow: ["{ME}"]}}\n'
        ),
        hello=HELLO,
        **{"people.csv": PEOPLE},
    )
    assert cli("send-test", "hello", "--as", ADA, "--to", ME).code == 0
    [entry] = cli("sandbox", "inbox", "--reveal", "--format", "json").lines
    assert ME in json.dumps(entry)
    assert "Hello Ada" in json.dumps(entry)
    assert cli.plan()["summary"]["send"] == 3


# Never counted


def test_a_later_apply_sends_as_if_nothing_had_happened(project: Any, foreign: Any) -> None:
    before = standing(project)
    assert send(project, to=CY).code == 0, "one who is a recipient too"
    assert standing(project) == before
    assert project.apply().code == 0
    assert sorted(foreign.addresses[1:]) == sorted([ADA, BEN, CY, "ada@acme.example"])
    after = standing(project)
    assert send(project, to=CY).code == 0
    assert standing(project) == after


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tests=st.lists(
        st.tuples(
            st.sampled_from([ADA, BEN, CY]),
            st.sampled_from([ME, CY]),
            st.sampled_from([(201, None), (400, b"{}"), (429, b""), (500, b""), (401, b"")]),
        ),
        max_size=3,
    ),
    applies=st.booleans(),
)
def test_no_test_ever_changes_a_plan(
    project: Any, foreign: Any, tests: list[tuple[str, str, tuple[int, bytes | None]]], *, applies: bool
) -> None:
    foreign.answers.clear()
    before = standing(project)
    for values, to, (status, answer) in tests:
        foreign.answers[:] = [] if answer is None else [(status, answer)]
        send(project, values=values, to=to)
        assert standing(project) == before
    foreign.answers.clear()
    if applies:
        sent = len(foreign.addresses)
        assert project.apply().code == 0
        assert len(foreign.addresses) - sent == before["summary"]["send"]


def test_it_stands_apart_in_status_history_explain_and_verify(
    project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert send(project).code == 0
    line = "test 1: hello (sms, edition 1): accepted · by octocat"
    assert "No messages have been sent in environment `production`." in project("status").out
    assert line in project("status").out
    assert line in project("history").out
    assert "completed\n" in project("history").out
    assert [run["tests"][0]["test"] for run in project("history", "--format", "json").json["runs"]] == [1]
    for address, role in ((ADA, "with this recipient's values"), (ME, "sent to this address")):
        out = project("explain", "hello", "--recipient", address).out
        assert f"{line} · {role}" in out
    assert "Attempts\n  none" in project("explain", "hello", "--recipient", ADA).out
    assert project("ledger", "verify").code == 0
    shown = project("ledger", "show", "--format", "json").json
    assert (shown["tests"], sum(shown["batches"].values()), sum(shown["recipients"].values())) == (1, 0, 0)
    assert {line["fact"] for line in project("ledger", "export").lines} >= {"test", "test_result"}


# The protocol


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [((400, b"{}"), 6, "rejected"), ((500, b""), 7, "uncertain"), ((401, b""), 1, "rejected")],
)
def test_what_the_provider_says_is_recorded_and_nothing_is_retried(
    project: Any, foreign: Any, answer: tuple[int, bytes], code: int, outcome: str
) -> None:
    foreign.answers[:] = [answer]
    result = send(project, "--format", "json")
    assert (result.code, result.json["outcome"]) == (code, outcome)
    assert len(foreign.requests) == 1
    [test] = project("status", "--format", "json").json["tests"]
    assert test["outcome"] == outcome
    assert project("status").code == 0, "a test leaves nobody to resolve"


def test_killed_between_record_and_result_its_outcome_is_unknown(project: Any, foreign: Any) -> None:
    before = standing(project)
    foreign.delay = 60.0
    arguments = ["send-test", "hello", "--as", ADA, "--to", ME, "--yes"]
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(project.root), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not foreign.requests:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait(timeout=30)
    foreign.delay = 0.0
    [test] = project("status", "--format", "json").json["tests"]
    assert (test["outcome"], test["reason"]) == ("uncertain", "no response recorded yet")
    assert "test 1: hello (sms, edition 1): outcome unknown" in project("status").out
    assert "interrupted or still running" in project("history").out
    assert standing(project) == before
    assert send(project).code == 0
    outcomes = [each["outcome"] for each in project("status", "--format", "json").json["tests"]]
    assert outcomes == ["uncertain", "accepted"]
    assert len(foreign.requests) == 2, "nothing is sent again by itself"


def restore_interrupt() -> None:
    """A shell may start the tests with SIGINT ignored, which a process inherits."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_it_says_that_the_outcome_is_unknown(project: Any, foreign: Any) -> None:
    foreign.delay = 60.0
    arguments = ["send-test", "hello", "--as", ADA, "--to", ME, "--yes"]
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(project.root), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restore_interrupt,  # noqa: PLW1509 - no thread runs here
    )
    while not foreign.requests:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    foreign.delay = 0.0
    assert process.returncode == 130
    assert "interrupted: the outcome of test 1 is unknown" in said
    assert project("history").out.splitlines()[0].endswith(" · interrupted")
    assert [each["outcome"] for each in project("status", "--format", "json").json["tests"]] == ["uncertain"]


def receipt(body: Any, address: str, *, status: str = "Delivered", code: str = "7500") -> Any:
    return {
        "deliveryInfoNotification": {
            "deliveryInfo": {
                "code": code,
                "deliveryChannel": "SMS",
                "destination": address.lstrip("+"),
                "destinationType": "msisdn",
                "deliveryStatus": status,
            },
            "transid": "made-up",
            "callbackData": body["callbackData"],
            "correlationid": body["to"][0]["correlationId"],
        }
    }


@pytest.mark.parametrize("bare", [(), ("callbackData",), ("correlationid",)])
@pytest.mark.parametrize(("status", "code"), [("Delivered", "7500"), ("Failed", "7521"), ("Failed", "7241")])
def test_a_receipt_of_a_test_resolves_and_opts_out_nobody(
    project: Any, foreign: Any, bare: tuple[str, ...], status: str, code: str
) -> None:
    """Also if the address is that of a recipient whose outcome is unknown, and only one id came back."""
    text = (project.root / "notifyctl.yaml").read_text()
    project.write(
        notifyctl=f"{text}optOutOn: [complaint, unsubscribed]\n", **{"people.csv": f"msisdn,name\n{CY},Cy\n"}
    )
    (project.root / "letter.yaml").unlink()
    foreign.answers[:] = [(500, b"")]
    assert project.apply().code == 7
    assert send(project, values=CY, to=CY).code == 0
    document = receipt(bodies(foreign)[-1], CY, status=status, code=code)
    for name in bare:
        document["deliveryInfoNotification"][name] = ""
    path = project.root.parent / "receipts.jsonl"
    path.write_text(json.dumps(document) + "\n")
    assert project("receipts", "ingest", str(path)).code == 0
    [row] = project("status", "--format", "json").json["notifications"]
    assert row["outcomes"]["uncertain"] == 1
    assert row["receipts"] == {}
    assert project("receipts", "opt-outs", "--out", "-").out.count("\n") <= 1


def test_the_authors_ids_are_not_on_a_test(project: Any, foreign: Any) -> None:
    project.write(hello=HELLO + "callbackData: campaign-7\n")
    assert send(project).code == 0
    [body] = bodies(foreign)
    assert body["to"][0]["correlationId"].startswith("notifyctl-test-1-")
    assert len(body["to"][0]["correlationId"].encode()) <= 50
    assert body["callbackData"] == "notifyctl-test:acme/production:1"


def test_a_lost_or_missing_ledger_sends_no_test(project: Any, foreign: Any) -> None:
    (project.root / ".notifyctl" / "production.db").unlink()
    assert send(project).code == 1
    assert foreign.requests == []
