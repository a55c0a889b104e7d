"""Commands start fast: what is heavy is imported only where it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = "apiVersion: notifyctl/v1\nkind: Project\nname: start\n"
HELLO = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), http://acme.example"}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada, nick: A}}]}
"""
MODULES = """\
import sys
from notifyctl.cli.main import run
try:
    run(sys.argv[1:])
finally:
    print(*sys.modules)
"""
HEAVY = {
    "asyncio", "duckdb", "html.parser", "httpx", "jinja2", "jwt", "numpy", "pathspec",
    "rich", "sqlite3", "ssl", "starlette", "tzdata", "uvicorn", "zoneinfo",
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "notifyctl.yaml").write_text(PROJECT)
    (tmp_path / "hello.yaml").write_text(HELLO)
    return tmp_path


def imported(project: Path, *words: str) -> set[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("NOTIFYCTL_")}
    done = subprocess.run(
        [sys.executable, "-c", MODULES, *words],
        cwd=project, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return set(done.stdout.splitlines()[-1].split())


def test_lint_imports_only_what_every_lint_needs(project: Path) -> None:
    modules = imported(project, "lint")
    assert "notifyctl.lint.project" in modules
    assert not modules & {*HEAVY, "notifyctl.lint.markup", "notifyctl.message.jinja"}
    rooms = {name.split(".")[1] for name in modules if name.startswith("notifyctl.")}
    assert not rooms & {"apply", "engine", "ledger", "plan", "providers", "git", "forge"}


def test_templates_with_more_than_plain_variables_import_jinja(project: Path) -> None:
    (project / "hello.yaml").write_text(HELLO.replace("Hello", "{% if 1 %}Hello{% endif %}"))
    assert "jinja2" in imported(project, "lint")


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("-h", "--color", "never")])
def test_help_and_version_import_no_command(project: Path, words: tuple[str, ...]) -> None:
    modules = imported(project, *words)
    commands = {name for name in modules if name.startswith("notifyctl.cli.")}
    shared = ("console", "error_handler", "main", "options", "usage_errors", "wrap")
    assert commands == {f"notifyctl.cli.{name}" for name in shared}
    assert not modules & {*HEAVY, "yaml"}


def test_a_process_ends_with_the_exit_code_and_all_of_its_output(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "notifyctl", "lint", "nowhere.yaml"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 64
    assert "nowhere.yaml" in done.stderr + done.stdout
