"""The model of the send protocol is searched, says what the code says, and its page shows what the search found."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import notifyctl
from notifyctl.apply import run
from notifyctl.fault_injection import Point
from tests import requirements

MODEL = Path(__file__).parents[2] / "docs" / "model"
PACKAGE = Path(notifyctl.__file__).parent
STEP = re.compile(r"^inline ([A-Z_]+)\(", re.MULTILINE)
ROW = re.compile(r"^\| ([A-Z_, ]+) \| (.+) \|$", re.MULTILINE)
IN_CODE = re.compile(r"`([a-z/]+\.py)`: `([\w.]+)`")

with_spin = pytest.mark.usefixtures("spin")


@pytest.fixture(scope="module")
def spin() -> None:
    for name in ("spin", "gcc"):
        requirements.program(name)


def check(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "check"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=None if path is None else {"PATH": path},
    )


@with_spin
def test_the_protocol_holds_and_what_breaks_it_is_found() -> None:
    """A few of the variants; CI searches all of them."""
    done = check(MODEL, "protocol", "RETRY_UNKNOWN", "NO_SWEEP", "TRAPS")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| holds | yes |" in done.stdout
    assert "LATE_POST" in done.stdout


@with_spin
def test_a_protocol_that_does_not_hold_is_told(tmp_path: Path) -> None:
    shutil.copy(MODEL / "check", tmp_path)
    model = (MODEL / "protocol.pml").read_text(encoding="utf-8")
    (tmp_path / "protocol.pml").write_text(f"#define RETRY_UNKNOWN\n{model}", encoding="utf-8")
    done = check(tmp_path, "NO_SWEEP")
    assert done.returncode == 1
    assert "| breaks P1, P4 | **no**: breaks P4 |" in done.stdout


@with_spin
def test_a_page_that_shows_other_numbers_is_told(tmp_path: Path) -> None:
    shutil.copytree(MODEL, tmp_path, dirs_exist_ok=True)
    page = (MODEL / "README.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text(
        re.sub(r"(\| NO_SWEEP \|.*\| )[\d,]+", r"\g<1>7", page), encoding="utf-8"
    )
    done = check(tmp_path, "NO_SWEEP")
    if "not compared" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 1
    assert "README.md does not show" in done.stderr


@with_spin
def test_a_mutant_that_breaks_nothing_is_told(tmp_path: Path) -> None:
    shutil.copy(MODEL / "check", tmp_path)
    model = (MODEL / "protocol.pml").read_text(encoding="utf-8")
    (tmp_path / "protocol.pml").write_text(model.replace("NO_SWEEP", "NOT_THERE"), encoding="utf-8")
    done = check(tmp_path, "NO_SWEEP")
    assert done.returncode == 1
    assert "| holds | **no**: breaks P4 |" in done.stdout


@with_spin
def test_a_story_tells_the_steps() -> None:
    done = check(MODEL, "--story", "LATE_POST")
    steps = [line[10:].split(":")[0] for line in done.stdout.splitlines() if line.startswith("runner")]
    assert steps == ["LOCK", "PLAN", "ARM", "LOCK", "SWEEP", "POST"]


def test_without_spin_it_says_that_nothing_was_checked(tmp_path: Path) -> None:
    done = check(MODEL, path=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("SKIPPED: the model of the send protocol was NOT checked; there is no spin")


def test_the_code_names_its_steps_as_the_model_does() -> None:
    assert run.__doc__ is not None
    spoken = re.findall(r"\b[A-Z]{3,}\b", run.__doc__.split("\n\n")[0])
    assert len(spoken) >= 5
    steps = STEP.findall((MODEL / "protocol.pml").read_text(encoding="utf-8"))
    order = {step: number for number, step in enumerate(steps)}
    assert [order[word] for word in spoken if word != "POST"] == sorted(
        order[word] for word in spoken if word != "POST"
    )
    assert "POST" in order
    promises = (MODEL.parent / "explanation" / "ledger-and-promises.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([A-Z]+) \|", promises, re.MULTILINE) == spoken


def test_the_fault_points_are_named_after_the_steps() -> None:
    steps = STEP.findall((MODEL / "protocol.pml").read_text(encoding="utf-8"))
    # EPOCH is the commit of LOCK; OPEN and MARK say nothing of a batch.
    assert {point.split(".")[0] for point in Point} - {"EPOCH", "OPEN", "MARK"} <= set(steps)


def test_every_step_of_the_model_is_somewhere_in_the_code() -> None:
    steps = STEP.findall((MODEL / "protocol.pml").read_text(encoding="utf-8"))
    page = (MODEL / "README.md").read_text(encoding="utf-8")
    rows = ROW.findall(page[page.index("## Step by step") : page.index("## What spin found")])
    told = [name for names, _ in rows for name in names.split(", ")]
    assert sorted(told) == sorted(steps)
    for names, places in rows:
        found = IN_CODE.findall(places)
        assert found or places == "the world", names
        assert [place for place in found if place[1] not in defined(PACKAGE / place[0])] == [], names


def defined(module: Path) -> set[str]:
    """The names of a module's classes, methods, functions and constants."""
    names: set[str] = set()

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.Assign):
                names.update(
                    prefix + each.id
                    for target in node.targets
                    for each in ast.walk(target)
                    if isinstance(each, ast.Name)
                )
            elif isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(prefix + node.name)
                if isinstance(node, ast.ClassDef):
                    walk(node.body, f"{prefix}{node.name}.")

    walk(ast.parse(module.read_text(encoding="utf-8")).body, "")
    return names
