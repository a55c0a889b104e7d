"""An audience that is examined by columns: the same plan whatever the memory, told how far it is, and rejects that can be mended."""

from __future__ import annotations

import os
import pty
import sys
from typing import Any

import pytest

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  sandbox: {provider: sandbox, limits: {tps: 1000000}}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), your area is $(area)"}}
audience: {source: {file: people.csv}, columns: {msisdn: phone}, where: "area <> 'NW1'"}
"""


@pytest.fixture
def large(cli: Any) -> Any:
    """Six megabytes: numbers of a code that no country has, one row in fifty bad."""
    cli.write(notifyctl=PROJECT, hello=HELLO)
    with (cli.root / "people.csv").open("w") as file:
        file.write("phone,name,area,remark\n")
        for n in range(100_000):
            phone = "unknown" if n % 50 == 7 else f"+990{n * 7919 % 1_000_003:09}"
            file.write(f"{phone},Person {n},{'NW1' if n % 10 == 3 else 'EC1M'},{'x' * 30}\n")
    return cli


def test_the_memory_changes_nothing(large: Any) -> None:
    plans = [large.plan(*given) for given in ((), ("--memory", "64M"), ("--memory", "2G"))]
    for each in plans:
        del each["as_of"], each["valid_until"]
    assert plans[0] == plans[1] == plans[2]
    assert plans[0]["summary"]["send"] == 88_000
    assert large("plan", "--memory", "1k").code == 64


def test_rejects_are_rows_of_the_file_and_can_be_used_again(large: Any) -> None:
    file = large.root / "mend.csv"
    assert large("plan", "--rejects", str(file)).code == 0
    assert file.stat().st_mode & 0o077 == 0, "for its owner alone"
    rows = file.read_text().splitlines()
    assert rows[0] == "phone,name,area,remark,reason"
    assert len(rows) == 1 + 2000
    assert rows[1].startswith("unknown,Person 7,EC1M,")
    assert "people.csv:9: msisdn: " in rows[1]
    mended = file.read_text().replace("unknown", "+447700900123", 1)
    large.write(**{"people.csv": mended})
    assert large.plan()["summary"]["send"] == 1


def test_a_terminal_is_told_how_far_a_plan_is(large: Any) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="120")
        os.execv(sys.executable, [sys.executable, "-m", "notifyctl", "plan", "-C", str(large.root)])
    said = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how a terminal ends
            break
        if not piece:
            break
        said += piece
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0, said.decode(errors="replace")
    assert b"Planning hello: " in said
    assert b"88,000" in said


def test_a_large_audience_is_sent_once(large: Any) -> None:
    first = large("apply", "--format", "json", "--memory", "128M")
    assert first.code == 0, first.err
    assert first.json["outcomes"]["accepted"] == 88_000
    second = large("apply", "--format", "json")
    assert (second.code, second.json["requests"]) == (0, 0)
