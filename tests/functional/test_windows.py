"""Where POSIX file locks are missing, as on Windows: what needs none works, and the rest says what is not supported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CASE = ROOT / "tests" / "cases" / "field" / "windows-exit-70"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shutil.copytree(CASE, tmp_path / "project", ignore=shutil.ignore_patterns("expect.yaml"))


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a process that lacks what Windows lacks."""
    command = [sys.executable, "win.py", "-C", ".", *arguments]
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=60, check=False, env=environ()
    )


def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint",),
        ("render", "n"),
        ("fmt", "--check"),
        ("plan", "--offline"),
        ("preview", "--out", "p.html"),
        ("plan", "--offline", "--out", "p.plan"),
        ("--help",),
    ],
)
def test_what_needs_no_ledger_works(project: Path, arguments: tuple[str, ...]) -> None:
    done = run(project, *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("apply",),
        ("apply", "--dry-run"),
        ("status",),
        ("history",),
        ("explain", "n", "--recipient", "+447700900123"),
        ("ledger", "init"),
        ("ledger", "adopt", "--yes"),
        ("resolve",),
        ("withdraw", "n", "--reason", "x"),
        ("receipts", "ingest", "n.yaml"),
    ],
)
def test_what_needs_a_ledger_says_first_what_is_not_supported(
    project: Path, arguments: tuple[str, ...]
) -> None:
    done = run(project, *arguments)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("Error: ledgers are not supported on this system")


def test_a_saved_plan_is_shown_and_said_to_be_unchecked(project: Path) -> None:
    assert run(project, "plan", "--offline", "--out", "p.plan").returncode == 0
    shown = run(project, "show", "p.plan")
    assert shown.returncode == 0
    assert "Not verified here" in shown.stderr


def test_the_package_says_so_too() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    systems = {each for each in classifiers if each.startswith("Operating System")}
    assert systems == {"Operating System :: POSIX", "Operating System :: MacOS"}
    assert "WSL" in (ROOT / "README.md").read_text()
