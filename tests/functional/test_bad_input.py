"""Whatever a user does wrong gets a sentence, a way out and an exit code of its own; never a traceback."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from notifyctl.cli.console import GlobalOptions
from notifyctl.cli.error_handler import run_guarded
from notifyctl.cli.main import run
from notifyctl.exit_codes import ExitCode

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: acme\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
PEOPLE = "msisdn,name\n+447700900123,Ada\n"


@pytest.fixture
def sandbox(cli: Any) -> Any:
    cli.write(notifyctl=PROJECT, hello=HELLO)
    cli.write(**{"people.csv": PEOPLE})
    return cli


def told(result: Any, code: int, *words: str) -> None:
    """The exit code is right, each word was said, and nothing looks like a defect."""
    said = result.out + result.err
    assert result.code == code, said
    assert "Traceback" not in said
    assert "defect" not in said
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            HELLO.replace("audience:", "audiense:"),
            ["unknown-key", "audiense", "`audience`", "hello.yaml", "5:1"],
        ),
        (HELLO.replace("{source: {file: people.csv}}", "peopel"), ["unknown-reference", "peopel"]),
        (HELLO.replace("people.csv", "nobody.csv"), ["unreadable-file", "nobody.csv"]),
        (HELLO.replace("people.csv", "folder"), ["folder"]),
        (HELLO.replace("people.csv", "../outside.csv"), ["../outside.csv"]),
        (HELLO.replace("sms", "fax", 1), ["fax", "sms"]),
        (HELLO.replace("text: Hello $(name)", "text: '{{ brand'"), ["template-syntax"]),
        (HELLO.replace("name: hello", "name: Hello World"), ["Hello World"]),
        (HELLO + "name: again\n", ["duplicate-key"]),
        (HELLO + "priority: 4\n", ["priority", "3"]),
        (HELLO + "priority: [\n", ["yaml-syntax"]),
        ("\x00\x01\x02", ["yaml-syntax"]),
        ("name: other tool\n", ["not-ours", ".notifyctlignore"]),
        ("[" * 20_000, ["yaml-limits"]),
        ("a: !!python/object/apply:os.system [ls]\n", ["hello.yaml"]),
    ],
)
def test_what_is_wrong_in_a_file(sandbox: Any, text: str, words: list[str]) -> None:
    (sandbox.root / "folder").mkdir()
    sandbox.write(hello=text)
    told(sandbox("lint"), 1, *words)
    told(sandbox("plan"), 1, "no plan was made")
    told(sandbox("apply"), 1)


def test_one_broken_file_hides_no_other(sandbox: Any) -> None:
    sandbox.write(
        a="{", b="kind: [", c=HELLO.replace("name: hello", "name: c").replace("template", "tempalte")
    )
    told(sandbox("lint"), 1, "a.yaml", "b.yaml", "c.yaml", "tempalte")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plna",), ["plna", "`plan`"]),
        (("plan", "--ofline"), ["--ofline"]),
        (("plan", "-e", "prodction"), ["prodction", "sandbox"]),
        (("lint", "-e", "prodction"), ["prodction", "sandbox"]),
        (("plan", "--only", "helo"), ["helo", "hello"]),
        (
            ("plan", "--as-of", "tomorrow"),
            ["tomorrow", "not a valid time", "2026-12-01T09:00 (in the project's"],
        ),
        (("apply", "--as-of", "2026-12-01"), ["--dry-run", "nothing was sent"]),
        (("explain", "needs-unicode", "--as-of", "2026-12-01"), ["--recipient"]),
        (("render", "helo"), ["helo", "hello"]),
        (("render", "hello", "--recipient", "07700900123"), ["country code"]),
        (("render", "hello", "--recipient", "+447700900999"), ["no recipient"]),
        (("schema", "templat"), ["templat", "template"]),
        (("completion", "tcsh"), ["tcsh", "bash"]),
        (("lint", "nowhere.yaml"), ["nowhere.yaml"]),
        (("sandbox", "inbox", "--to", "x"), ["--to"]),
    ],
)
def test_what_is_wrong_on_the_command_line_is_64(
    sandbox: Any, arguments: tuple[str, ...], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(sandbox.root), *arguments]) == 64
    said = capsys.readouterr().err
    assert "Traceback" not in said
    for word in words:
        assert word in said


def test_without_a_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["plan"]) == 1
    assert "notifyctl init" in capsys.readouterr().err
    assert run(["-C", str(tmp_path / "nowhere"), "plan"]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_an_endpoint_without_tls_that_is_not_this_machine(sandbox: Any) -> None:
    sandbox.write(
        notifyctl=PROJECT
        + "environments:\n  p: {provider: webexconnect, endpoint: 'http://api.acme.example/v2/messages'}\n"
    )
    told(sandbox("lint"), 1, "https")


def test_a_ledger_is_made_once(production: Any) -> None:
    told(production("ledger", "init"), 1, "production")


def test_a_corrupt_ledger_is_refused_and_left_as_it_is(production: Any, foreign: Any) -> None:
    production.write(hello=HELLO)
    production.write(**{"people.csv": PEOPLE})
    path = production.root / ".notifyctl" / "production.db"
    path.write_bytes(b"this is no database" * 1000)
    for command in (("plan",), ("apply", "--expect", "sha256:0"), ("status",), ("ledger", "show")):
        told(production(*command), 1)
    assert path.read_bytes() == b"this is no database" * 1000
    assert foreign.requests == []


def test_a_wrong_ledger_key_is_refused(production: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(notifyctl=project + "    ledger: {recipientKeyEnv: RECIPIENT_KEY}\n", hello=HELLO)
    production.write(**{"people.csv": PEOPLE})
    ledger = production.root / ".notifyctl" / "production.db"
    ledger.unlink()
    told(production("plan"), 1, "RECIPIENT_KEY")
    monkeypatch.setenv("RECIPIENT_KEY", "one made-up key of many characters")
    told(production("ledger", "init"), 1, "--replace-lost", "everything is then sent again")
    assert not ledger.exists()
    assert production("ledger", "init", "--replace-lost", "acme/production").code == 0
    assert production.plan()["summary"]["send"] == 1
    monkeypatch.setenv("RECIPIENT_KEY", "another made-up key of many characters")
    result = production("plan")
    told(result, 1, "key")
    assert "another made-up key" not in result.err


def test_nobody_at_the_endpoint_is_certain_and_comes_again_as_retry(production: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    project = (production.root / "notifyctl.yaml").read_text()
    endpoint = next(line for line in project.splitlines() if "endpoint:" in line)
    production.write(
        notifyctl=project.replace(endpoint, f"    endpoint: http://127.0.0.1:{port}/v2/messages"), hello=HELLO
    )
    production.write(**{"people.csv": PEOPLE})
    result = production.apply()
    assert result.code == 6
    assert production.plan()["summary"]["retry"] == 1


def test_colours_and_control_characters(sandbox: Any) -> None:
    sandbox.write(hello=HELLO.replace("type: text", "type: unicode"))
    sandbox.write(**{"people.csv": 'msisdn,name\n+447700900123,"\x1b[31mred\u202e\x07"\n'})
    plain = sandbox("plan").out
    assert "\x1b" not in plain
    assert "\u202e" not in plain
    assert "\\x1b[31mred\\u202e\\x07" in plain
    painted = sandbox("plan", "--color", "always").out
    assert "\x1b[1m" in painted
    assert "\x1b[31mred" not in painted


def shell(cli: Any, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = line.replace("notifyctl", f"{sys.executable} -m notifyctl -C {cli.root}", 1)
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=False, env={**os.environ, **environ}
    )


def test_a_reader_that_goes_away_is_no_error(sandbox: Any) -> None:
    people = "".join(f"+336399{80000 + n},P{n}\n" for n in range(3000))
    sandbox.write(**{"people.csv": "msisdn,name\n" + people})
    result = shell(sandbox, "notifyctl apply --dry-run --reveal --format json | head -c 10")
    assert result.stdout == '{"method":'
    assert "Traceback" not in result.stderr
    assert "Error" not in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_finishes_what_is_in_flight_and_goes_on_next_time(
    production: Any, foreign: Any, number: int
) -> None:
    foreign.delay = 0.3
    project = (production.root / "notifyctl.yaml").read_text()
    production.write(
        notifyctl=project.replace(
            "tps: 100000, concurrency: 4", "tps: 100000, destinationsPerRequest: 5, concurrency: 2"
        ),
        hello=HELLO,
    )
    people = [f"+336399{80000 + n}" for n in range(60)]
    production.write(**{"people.csv": "msisdn,name\n" + "".join(f"{number},P\n" for number in people)})
    digest = production.plan()["digest"]
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(production.root), "apply", "--expect", digest],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(foreign.requests) < 3:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopping" in err
    assert "not attempted" in out
    sent = len(foreign.addresses)
    assert 0 < sent < 60
    plan = production.plan()
    # Who was recorded as begun with others, and had not left, is certainly not accepted: that is a retry.
    summary = plan["summary"]
    assert (summary["unchanged"], summary["send"] + summary["retry"]) == (sent, 60 - sent)
    assert summary["uncertain"] == 0
    foreign.delay = 0.0
    assert production.apply().code == 0
    assert sorted(foreign.addresses) == people


def test_interrupted_twice_it_ends_at_once_and_says_where_it_stands(production: Any, foreign: Any) -> None:
    production.write(hello=HELLO, **{"people.csv": PEOPLE})
    foreign.delay = 60.0
    digest = production.plan()["digest"]
    process = subprocess.Popen(
        [sys.executable, "-m", "notifyctl", "-C", str(production.root), "apply", "--expect", digest],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not foreign.requests:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "Stopping" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Error: interrupted" in err
    assert "to see it, run: notifyctl -C" in err
    assert production.plan()["summary"]["uncertain"] > 0


def test_an_interrupt_of_a_command_that_sends_nothing_speaks_of_nothing_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work() -> int:
        raise KeyboardInterrupt

    assert run_guarded(GlobalOptions(), work) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "Error: interrupted\n"
