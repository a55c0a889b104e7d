"""What `--out`, `--rejects` and `--failures` may overwrite: their own earlier output, and nothing of the project or of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import trustme

PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: acme
suppressions: [stop.csv]
environments: {sandbox: {provider: sandbox, pricing: prices.csv, caFile: certs/ca.pem}}
"""
SMS = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, textFile: hello.txt}}
audience: {source: {file: people.csv}}
"""
MAIL = """\
apiVersion: notifyctl/v1
kind: Notification
name: mail
from: alerts@acme.example
template: {channel: email, content: {type: html, subject: Hi, htmlFile: mail.html}}
audience: {source: {file: readers.jsonl}}
"""
NAMED = {
    "messages/people.csv": "msisdn,name\n+447700900123,Ada\nno number,Bob\n",
    "messages/readers.jsonl": '{"email": "ada@acme.example"}\n{"email": "no address"}\n',
    "messages/hello.txt": "Hello $(name)\n",
    "messages/mail.html": '<p lang="en">Hi</p>\n',
    "stop.csv": "msisdn\n+447700900999\n",
    "prices.csv": "prefix,channel,price,currency\n+44,sms,0.04,EUR\n",
}
DOCUMENTS = {"notifyctl.yaml": PROJECT, "messages/hello.yaml": SMS, "messages/mail.yaml": MAIL}


@pytest.fixture
def project(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, text in {
        **NAMED,
        **DOCUMENTS,
        "certs/ca.pem": trustme.CA().cert_pem.bytes().decode(),
        "notes.txt": "mine\n",
    }.items():
        path = cli.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(cli.root)
    return cli


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git/" not in f"{path}/"
    }


COMMANDS = [("plan", "--out"), ("plan", "--rejects"), ("apply", "--failures"), ("preview", "--out")]


@pytest.mark.parametrize("name", [*NAMED, *DOCUMENTS, "certs/ca.pem"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_a_file_of_the_project_is_never_overwritten(
    project: Any, command: tuple[str, str], name: str, force: tuple[str, ...]
) -> None:
    before = contents(project.root)
    result = project(*command, name, *force)
    assert result.code == 64
    assert "nothing was written" in result.err
    assert contents(project.root) == before, "and nothing was sent"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("way", ["symlink", "linked folder", "hard link", "case", "dots", "absolute"])
def test_nor_by_another_name_of_it(project: Any, command: tuple[str, str], way: str, tmp_path: Path) -> None:
    people = project.root / "messages" / "people.csv"
    other = tmp_path / "elsewhere"
    match way:
        case "symlink":
            other.symlink_to(people)
        case "linked folder":
            other.symlink_to(people.parent)
            other /= "people.csv"
        case "hard link":
            os.link(people, other)
        case "case":
            other = people.with_name("PEOPLE.csv")
        case "dots":
            other = project.root / "messages" / ".." / "messages" / "people.csv"
        case "absolute":
            other = people
    before = people.read_bytes()
    result = project(*command, str(other), "--force")
    assert result.code == 64
    assert people.read_bytes() == before


def test_nor_what_is_named_and_not_there(project: Any) -> None:
    """The rejected rows of one list must not become another one."""
    people = project.root / "messages" / "people.csv"
    people.rename(project.root / "gone.csv")
    assert project("plan", "--offline", "--out", "messages/people.csv").code == 64
    assert not people.exists()


@pytest.mark.parametrize("name", [".git/config", ".notifyctl/sandbox.db", ".notifyctl/new.csv", ".GIT/new"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nor_what_git_and_the_ledger_keep(project: Any, command: tuple[str, str], name: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project.root, check=True)
    before = contents(project.root)
    assert project(*command, name, "--force").code == 64
    assert contents(project.root) == before


@pytest.mark.parametrize("name", ["notes.txt", "NOTES.txt"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nor_what_git_tracks(project: Any, command: tuple[str, str], name: str) -> None:
    for arguments in (["init", "-q"], ["add", "notes.txt"]):
        subprocess.run(["git", *arguments], cwd=project.root, check=True)
    if name != "notes.txt":
        (project.root / "notes.txt").rename(project.root / name)
    result = project(*command, name, "--force")
    assert result.code == 64
    assert "tracked by git" in result.err
    assert (project.root / name).read_text() == "mine\n"


@pytest.mark.parametrize(
    "command", [("plan", "--out"), ("plan", "--rejects"), ("preview", "--out")], ids=" ".join
)
def test_a_strangers_file_needs_force(project: Any, command: tuple[str, str]) -> None:
    arguments = (
        (*command, "notes.txt", "--only", "hello") if command[0] == "plan" else (*command, "notes.txt")
    )
    result = project(*arguments)
    assert result.code == 64
    assert "--force" in result.err
    assert (project.root / "notes.txt").read_text() == "mine\n"
    assert project(*arguments, "--force").code == 0
    assert (project.root / "notes.txt").read_text() != "mine\n"


@pytest.mark.parametrize(
    "command", [("plan", "--out"), ("plan", "--rejects"), ("preview", "--out")], ids=" ".join
)
def test_its_own_earlier_output_does_not(project: Any, command: tuple[str, str]) -> None:
    arguments = (*command, "own", "--only", "hello") if command[0] == "plan" else (*command, "own")
    assert project(*arguments).code == 0
    assert project(*arguments).code == 0
    assert (project.root / "own").exists()
    assert not (project.root / "own.new").exists()


def test_rejected_rows_that_somebody_corrected_are_kept(project: Any) -> None:
    arguments = ("plan", "--rejects", "mend.csv", "--only", "hello")
    assert project(*arguments).code == 0
    mended = project.root / "mend.csv"
    mended.write_text(mended.read_text().replace("no number", "+447700900124"))
    assert project(*arguments).code == 64
    assert "+447700900124" in mended.read_text()


def test_a_plan_file_of_an_earlier_format_is_its_own(project: Any) -> None:
    (project.root / "old.plan").write_text('{"format_version": "1.0", "plan_id": "x", "authorised": []}')
    assert project("plan", "--out", "old.plan").code == 0
    (project.root / "list.json").write_text('{"format_version": "1.0"}')
    assert project("plan", "--out", "list.json").code == 64


def test_each_file_of_several_audiences_is_checked_first(project: Any) -> None:
    (project.root / "mend.hello.csv").write_text("mine\n")
    audience = next(each for each in project("plan", "--rejects", "try.csv").err.split() if "try." in each)
    other = Path(audience).name.replace("try.", "mend.", 1)
    (project.root / other).write_text("mine\n")
    assert project("plan", "--rejects", "mend.csv").code == 64
    assert (project.root / other).read_text() == "mine\n"


def test_failures_are_checked_before_anything_is_sent(project: Any) -> None:
    assert project("apply", "--failures", "notes.txt").code == 64
    assert project("apply").code in {0, 3}
    assert "unchanged" in project("plan").out


def test_two_options_need_two_files(project: Any) -> None:
    assert project("plan", "--out", "one", "--rejects", "one").code == 64
    assert not (project.root / "one").exists()


def test_another_name_of_what_is_overwritten_keeps_its_content(project: Any, tmp_path: Path) -> None:
    os.link(project.root / "notes.txt", tmp_path / "copy")
    assert project("plan", "--out", "notes.txt", "--force").code == 0
    assert (tmp_path / "copy").read_text() == "mine\n"


def test_a_list_of_opt_outs_replaces_only_its_own(project: Any) -> None:
    """It is kept in git and named by the project: each export replaces the one before."""
    assert project("apply").code in {0, 3}
    assert project("receipts", "opt-outs", "--out", "stop.csv", "--force").code == 64
    assert (project.root / "stop.csv").read_text() == NAMED["stop.csv"]
    (project.root / "stop.csv").write_bytes(b"msisdn,reason\n+447700900999,\xfcber\n")
    assert project("receipts", "opt-outs", "--out", "stop.csv", "--force").code == 64, "not even UTF-8"
    assert b"\xfcber" in (project.root / "stop.csv").read_bytes()
    text = PROJECT.replace("[stop.csv]", "[{file: learnt.csv, key: ledger}]")
    for _ in range(2):
        assert project("receipts", "opt-outs", "--out", "learnt.csv").code == 0
        project.write(notifyctl=text)
        for arguments in (["init", "-q"], ["add", "learnt.csv"]):
            subprocess.run(["git", *arguments], cwd=project.root, check=True)
    with (project.root / "learnt.csv").open("a") as stream:
        stream.write("+447700900123,sms,by letter,2026-12-01\n")
    assert project("receipts", "opt-outs", "--out", "learnt.csv", "--force").code == 64


def test_schemas_replace_only_schemas(project: Any) -> None:
    assert project("schema", "--write", "schemas").code == 0
    assert project("schema", "--write", "schemas").code == 0
    (project.root / "schemas" / "audience.json").write_text('[{"email": "ada@acme.example"}]')
    assert project("schema", "--write", "schemas").code == 64
    assert "ada@" in (project.root / "schemas" / "audience.json").read_text()
