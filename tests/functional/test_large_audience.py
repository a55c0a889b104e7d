"""A large audience: the same plan whatever the memory, its progress, and rejects that can be mended."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import Any

import pytest

from notifyctl.lint.recipient_pass import SHOWN

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
environments:
  sandbox: {provider: sandbox, limits: {tps: 1000000}}
policy: {maxRejectedPercent: 100}
"""
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), your area is $(area)"}}
audience: {source: {file: people.csv}, columns: {msisdn: phone}, numbers: form, where: "area <> 'NW1'"}
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
    at = ("--as-of", "2030-01-01T09:00:00Z")
    plans = [large.plan(*at, *given) for given in ((), ("--memory", "64M"), ("--memory", "2G"))]
    for plan in plans:
        del plan["made_at"], plan["valid_until"]
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


def test_lint_reads_a_hostile_large_file_and_counts_what_it_does_not_list(cli: Any) -> None:
    """Cells of 5 MB, NULs, mixed line ends, quotes and rows of another width; `--all` lists what is counted otherwise."""
    cli.write(notifyctl=PROJECT, hello=HELLO)
    ends = ["\n", "\r\n", "\r"]
    with (cli.root / "people.csv").open("w", newline="") as file:
        file.write("phone,name,area,remark\n")
        for n in range(60_000):
            if n in (7, 30_000):
                file.write(f"+44770090{n % 10_000:04},{'x' * 5_000_000},EC1M,\n")
            row = f"+990{n * 7919 % 50_021:09},Person {n},{'NW1' if n % 10 == 3 else 'EC1M'},{'x' * 500}"
            odd = {11: "unknown,a,b,c", 22: row + ",more", 33: "+1", 44: row.replace("P", "\0"), 66: ""}
            row = row.replace(f"Person {n}", f'"Person ""{n}"""') if n % 5 == 0 else row
            file.write(odd.get(n % 1000, row) + ends[n % 3])
    brief, full = cli("lint", "--format", "json").json, cli("lint", "--all", "--format", "json").json
    rules = {each["rule"] for each in full["diagnostics"]}
    assert rules == {"bad-row", "bad-address", "duplicate-address", "longest-text"}
    column = "'name' contains a NUL character: 60 rows, the first in line "
    for document in (brief, full):
        assert [column in each["message"] for each in document["diagnostics"]].count(True) == 1, (
            "of the whole column"
        )
    for rule in rules:
        told, every = (
            [
                each
                for each in document["diagnostics"]
                if each["rule"] == rule and column not in each["message"]
            ]
            for document in (brief, full)
        )
        assert told[:SHOWN] == every[:SHOWN]
        if len(every) > SHOWN:
            assert told[SHOWN]["line"] == every[-1]["line"]
            assert told[SHOWN]["message"].startswith(f"{len(every) - SHOWN:,} more rows with this problem")


def test_nothing_that_was_put_aside_outlives_a_plan(large: Any, tmp_path: Any) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    command = [sys.executable, "-m", "notifyctl", "-C", str(large.root), "plan", "--memory", "64M"]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(aside)}
    )
    assert "88,000" in done.stdout
    assert list(aside.iterdir()) == []
