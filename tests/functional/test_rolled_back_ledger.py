"""A ledger that lost what a run had recorded when it was killed is noticed; so is one that this machine has never used."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
joiners: send
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {source: {file: people.csv}}
"""
PEOPLE = 12


@pytest.fixture
def hello(production: Any) -> Any:
    """A request for each of twelve people, one after the other."""
    project = production.root / "notifyctl.yaml"
    project.write_text(
        project.read_text().replace("concurrency: 4", "concurrency: 1, destinationsPerRequest: 1")
    )
    rows = "".join(f"+4477009000{n:02d},P{n}\n" for n in range(PEOPLE))
    production.write(hello=HELLO, **{"people.csv": f"msisdn,name\n{rows}"})
    return production


@pytest.fixture
def ledger(hello: Any) -> Path:
    return Path(hello.root) / ".notifyctl" / "production.db"


def killed(cli: Any, foreign: Any, *, at: dict[int, Callable[[], object]], dead: int) -> None:
    """An apply that is killed while its request number `dead` waits for an answer; `at`: what is done in earlier ones."""
    command = [sys.executable, "-m", "notifyctl", "-C", str(cli.root), "apply"]
    digest = cli.plan()["digest"]
    with subprocess.Popen(
        [*command, "--expect", digest], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:

        def act() -> None:
            count = len(foreign.requests)
            if count in at:
                at[count]()
            if count == dead:
                process.send_signal(signal.SIGKILL)

        foreign.on_request = act
        assert process.wait(timeout=60) == -signal.SIGKILL
    foreign.on_request = None
    assert len(foreign.requests) == dead


def backup(ledger: Path, target: Path) -> None:
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def checkpoint(ledger: Path) -> None:
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


def lose_log(ledger: Path) -> None:
    for suffix in ("-wal", "-shm"):
        ledger.with_name(ledger.name + suffix).unlink(missing_ok=True)


def put_back(copy: Path, ledger: Path) -> None:
    lose_log(ledger)
    shutil.copy(copy, ledger)


def refused(cli: Any, foreign: Any, said: str) -> None:
    """Nobody plans or applies with it, and whoever asks about it is told."""
    before = len(foreign.requests)
    for arguments in (("plan",), ("apply", "--expect", "sha256:" + "0" * 64), ("apply", "--dry-run")):
        result = cli(*arguments)
        assert (result.code, said in result.err) == (1, True), result.err
        assert "ledger adopt" in result.err
    for arguments in (("status",), ("history",), ("ledger", "show"), ("ledger", "verify")):
        result = cli(*arguments)
        assert said in result.err, arguments
    assert len(foreign.requests) == before


def test_a_killed_run_goes_on_with_the_ledger_that_it_left(hello: Any, foreign: Any) -> None:
    killed(hello, foreign, at={}, dead=5)
    assert hello.plan()["summary"] | {} == hello.plan()["summary"]
    assert hello.plan()["summary"]["send"] == PEOPLE - 5
    assert hello.apply().code == 7
    assert len(set(foreign.addresses)) == len(foreign.addresses) == PEOPLE


@pytest.mark.parametrize("taken", [1, 4, 6])
def test_a_backup_of_the_middle_of_a_killed_run_is_refused(
    hello: Any, foreign: Any, ledger: Path, tmp_path: Path, taken: int
) -> None:
    copy = tmp_path / "backup.db"
    killed(hello, foreign, at={taken: lambda: backup(ledger, copy)}, dead=7)
    put_back(copy, ledger)
    refused(hello, foreign, "restored from a backup")
    assert hello("ledger", "verify").code == 1


def test_a_log_lost_after_a_checkpoint_is_noticed(hello: Any, foreign: Any, ledger: Path) -> None:
    killed(hello, foreign, at={4: lambda: checkpoint(ledger)}, dead=7)
    lose_log(ledger)
    refused(hello, foreign, "restored from a backup")


def test_a_file_copied_without_its_log_is_noticed(
    hello: Any, foreign: Any, ledger: Path, tmp_path: Path
) -> None:
    killed(hello, foreign, at={4: lambda: checkpoint(ledger)}, dead=7)
    moved = tmp_path / "moved"
    shutil.copytree(hello.root, moved, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    shutil.rmtree(hello.root)
    hello.root = moved
    refused(hello, foreign, "restored from a backup")


# Marks in a place of their own


def test_another_machine_asks_for_adopt_once(
    hello: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert hello.apply().code == 0
    facts = hello("ledger", "show", "--format", "json").json
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    refused(hello, foreign, "never used")
    assert hello("ledger", "verify").code == 0, "it may be the right one"
    adopt = ("ledger", "adopt", "--ledger", facts["lineage"], "--facts")
    assert hello(*adopt, str(facts["serial"] + 1)).code == 1
    assert hello("ledger", "adopt", "--ledger", "another", "--facts", "1").code == 1
    assert hello("ledger", "adopt", "--ledger", facts["lineage"]).code == 64
    refused(hello, foreign, "never used")
    assert hello(*adopt, str(facts["serial"])).code == 0
    assert hello.plan()["summary"]["unchanged"] == PEOPLE
    assert hello.apply().code == 0


def test_the_place_of_the_marks_can_be_named(
    hello: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on a runner that keeps only that folder and the ledger: with it nothing is asked, and a lost ledger is noticed."""
    monkeypatch.setenv("NOTIFYCTL_STATE_DIR", str(tmp_path / "kept"))
    hello("ledger", "adopt", "--yes")
    assert hello.apply().code == 0
    assert [file.parent.name for file in (tmp_path / "kept").rglob("*.json")] == ["ledgers"]
    for gone in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(gone)
    assert hello.plan()["summary"]["unchanged"] == PEOPLE
    (hello.root / ".notifyctl" / "production.db").unlink()
    assert "is missing" in hello("plan").err
    assert hello("ledger", "init").code == 1


def test_without_a_state_folder_nothing_is_applied(
    hello: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hello.plan()["digest"]
    for gone in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(gone)
    result = hello("apply", "--expect", digest)
    assert result.code == 1
    assert "NOTIFYCTL_STATE_DIR" in result.err
    assert foreign.requests == []
    assert hello("ledger", "adopt", "--yes").code == 1
    assert hello("plan").code == 0


def test_a_state_folder_that_cannot_be_written_sends_nothing(
    hello: Any, foreign: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    digest = hello.plan()["digest"]
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NOTIFYCTL_STATE_DIR", str(tmp_path / "file"))
    result = hello("apply", "--expect", digest)
    assert result.code == 1
    assert "NOTIFYCTL_STATE_DIR" in result.err
    assert foreign.requests == []


def test_a_sandbox_needs_no_state_folder(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for gone in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(gone)
    cli.write(
        notifyctl="apiVersion: notifyctl/v1\nkind: Project\nname: acme\n",
        hello=HELLO,
        **{"people.csv": "msisdn,name\n+447700900001,Ada\n"},
    )
    assert cli("apply").code == 0
    assert os.environ.get("HOME") is None
