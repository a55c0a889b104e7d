"""What README and tutorial show is what happens: their commands are run, the output compared, the links followed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from notifyctl.cli.main import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
PAGES = (
    sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")) + [ROOT / "notifications" / "README.md"]
)


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def session(page: str) -> list[tuple[str, list[str]]]:
    """(command, lines of output) of all console blocks, in order."""
    steps: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console", page)).splitlines():
        if line.startswith("$ "):
            steps.append((line.removeprefix("$ "), []))
        else:
            steps[-1][1].append(line)
    return steps


def matches(shown: list[str], real: str) -> bool:
    """`…` stands for the rest of a line, and alone on a line for any number of lines."""
    pattern = ""
    for line in shown:
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += re.escape(line).replace("…", ".*") + r"\n"
    return re.fullmatch(pattern, real.rstrip("\n") + "\n" if real.strip() else "") is not None


def perform(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run one line of the session; the few shell commands in it are done by hand, the same on every system."""
    words = shlex.split(command)
    if words[0] == "sed":
        _, old, new, _ = words[2].split("/")
        path = Path(words[3])
        path.write_text(path.read_text().replace(old, new))
        return ""
    if words[0] == "echo":
        with Path(words[-1]).open("a") as stream:
            stream.write(words[1] + "\n")
        return ""
    assert words[0] == "notifyctl"
    run(words[1:])
    out, err = capsys.readouterr()
    return err + out


def test_the_tour_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for command, shown in session(README):
        real = perform(command, capsys)
        assert matches(shown, real), f"$ {command}\n{real}"


def test_the_tutorial_is_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    perform("notifyctl init hello", capsys)
    monkeypatch.chdir(tmp_path / "hello")
    for command, shown in session(TUTORIAL):
        real = perform(command, capsys)
        assert matches(shown, real), f"$ {command}\n{real}"


def test_ci_runs_the_test_command_of_the_readme() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (command,) = [block.strip() for block in blocks("sh") if "pytest" in block]
    assert command in ci


def test_the_first_command_installs_no_more_than_it_needs() -> None:
    first = blocks("sh")[0].strip()
    assert first == "python3 -I -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/notifyctl apply"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")))
    assert [link for link in sorted(links) if not (page.parent / link).exists()] == []
