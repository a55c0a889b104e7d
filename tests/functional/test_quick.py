"""The first look at a command line says and does what click would; and what is fast to start stays so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from notifyctl.cli.linting import FORMS as LINT_FORMS
from notifyctl.cli.main import run
from notifyctl.cli.quick import FORMS, answer

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: quick\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), http://acme.example"}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada, nick: A}}]}
"""
MODULES = """\
import sys
from notifyctl.__main__ import main, quickly
sys.argv[0] = "notifyctl"
try:
    if quickly(sys.argv[1:]) is None:
        main()
finally:
    print(*sys.modules)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "notifyctl.yaml").write_text(PROJECT)
    (tmp_path / "hello.yaml").write_text(HELLO)
    (tmp_path / "broken.yaml").write_text(HELLO.replace("kind: Notification", "kind: Notifcation"))
    return tmp_path


LOOKED_AT = [
    ["--version"],
    ["lint"],
    ["lint", "hello.yaml"],
    ["lint", "hello.yaml", "broken.yaml"],
    ["lint", "nowhere.yaml"],
    ["lint", ""],
    ["lint", "--ignore", "insecure-link", "hello.yaml", "--ignore", "unread-substitution"],
    ["lint", "--select", "insecure-link"],
    ["-C", "nowhere", "lint"],
    ["-C", ".", "lint", "-C", "nowhere"],
    *(["lint", "--format", form] for form in sorted(FORMS)),
]
LEFT_TO_CLICK = [
    [],
    ["lint", "--help"],
    ["lint", "--fix"],
    ["lint", "--format"],
    ["lint", "--format", "yaml"],
    ["lint", "--format=json"],
    ["lint", "--form", "json"],
    ["lint", "-v"],
    ["lint", "--"],
    ["lint", "--ignore", "--all"],
    ["--format", "json", "lint"],
    ["-Cnowhere", "lint"],
    ["-C", "lint"],
    ["plan"],
    ["--version", "lint"],
]


@pytest.mark.parametrize("words", LOOKED_AT, ids=" ".join)
def test_a_first_look_answers_as_click_does(
    words: Sequence[str], project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    quick = answer(words, {}), capsys.readouterr()
    assert quick == (run(words), capsys.readouterr())


@pytest.mark.parametrize("words", LEFT_TO_CLICK, ids=" ".join)
def test_what_is_not_plain_is_left_to_click(words: Sequence[str]) -> None:
    assert answer(words, {}) is None


@pytest.mark.parametrize("name", ["NOTIFYCTL_LINT_IGNORE", "NOTIFYCTL_CHDIR", "_NOTIFYCTL_COMPLETE"])
def test_settings_in_the_environment_are_left_to_click(name: str) -> None:
    assert answer(["lint"], {name: "x"}) is None


@pytest.mark.parametrize("columns", ["80", "110", "200", "0", "wide"])
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_is_what_click_lays_out(
    word: str, columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    quick = answer([word], {"COLUMNS": columns}), capsys.readouterr()
    assert quick == (run([word]), capsys.readouterr())


@pytest.mark.parametrize("columns", ["60", "100"])
def test_help_at_other_widths_is_left_to_click(columns: str) -> None:
    assert answer(["--help"], {"COLUMNS": columns}) is None


@pytest.mark.parametrize(
    "words", [["lint"], ["lint", "--format", "json"], ["lint", "nowhere.yaml"]], ids=" ".join
)
def test_a_process_says_it_all_before_it_ends(
    words: Sequence[str], project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    code, said = answer(words, {}), capsys.readouterr()
    done = subprocess.run(
        [sys.executable, "-m", "notifyctl", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, said.out, said.err)


def test_both_ways_know_the_same_forms() -> None:
    assert set(LINT_FORMS) == FORMS


# -- What is not imported --------------------------------------------------------------------------------------------

HEAVY = {
    "asyncio", "dataclasses", "difflib", "duckdb", "hashlib", "html.parser", "httpx", "inspect", "jinja2", "jwt",
    "pathspec", "phonenumbers", "rich", "sqlite3", "ssl", "starlette", "subprocess", "tempfile", "tzdata", "uvicorn", "zoneinfo",
}  # fmt: skip


def imported(project: Path, *words: str) -> set[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("NOTIFYCTL_")}
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *words],
        cwd=project, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


def test_lint_imports_only_what_every_lint_needs(project: Path) -> None:
    (project / "broken.yaml").unlink()  # a hint on a misspelt word takes difflib
    modules = imported(project, "lint")
    assert "notifyctl.lint.project" in modules
    assert not modules & {*HEAVY, "click", "notifyctl.lint.markup", "notifyctl.message.jinja"}
    rooms = {name.split(".")[1] for name in modules if name.startswith("notifyctl.")}
    assert not rooms & {"apply", "engine", "ledger", "plan", "providers", "git", "forge"}


def test_templates_with_more_than_plain_variables_bring_jinja(project: Path) -> None:
    (project / "hello.yaml").write_text(HELLO.replace("Hello", "{% if 1 %}Hello{% endif %}"))
    assert "jinja2" in imported(project, "lint")


def test_help_imports_no_command_and_version_not_even_click(project: Path) -> None:
    modules = imported(project, "--help", "--color", "never")
    assert "click" in modules
    commands = {name for name in modules if name.startswith("notifyctl.cli.")}
    assert commands == {
        f"notifyctl.cli.{name}" for name in ("boundary", "main", "options", "quick", "terminal")
    }
    assert not modules & {*HEAVY - {"inspect"}, "notifyctl.diagnostics", "yaml"}
    assert "click" not in imported(project, "--version") | imported(project, "--help")
