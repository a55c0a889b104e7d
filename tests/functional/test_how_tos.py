"""What the how-to guides show can be done as written: their files are made, and their commands run, from top to bottom.

A block with a title is a file: ```yaml title="templates/x.yaml". `sh` blocks are commands that end well, `console` blocks are
commands with their output, where `…` stands for the rest of a line, and alone on a line for any lines. `# exits with N` behind
a command is its exit code, `&` behind it lets it run until the page ends.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
RUN = (
    "calendar",
    "templates",
    "locales",
    "rcs",
    "staging",
    "secrets",
    "why-not",
    "read-a-plan",
    "schedules",
    "run",
    "accept-a-series",
    "send-test",
    "operate",
)
"""Pages for which a new project on any machine is enough."""
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
START = "notifyctl init hello && cd hello"
EXIT = re.compile(r"\s*# exits with (\d+)$")
DEADLINE = 60
"""Seconds for a command."""


def steps(page: str) -> Iterator[tuple[str, str, list[str] | None]]:
    """("file", path, its lines), or ("run", command, lines of output or None where any will do)."""
    if START in page.split("```", 1)[0]:
        yield "run", START, None
    for language, title, text in BLOCK.findall(page):
        if title:
            yield "file", title, text.splitlines()
        elif language == "sh":
            yield from (("run", line, None) for line in text.splitlines() if line.strip())
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *shown = part.splitlines()
                yield "run", command, shown


def pattern(shown: list[str]) -> str:
    lines = (
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in shown
    )
    return "".join(lines)


class Shell:
    """One bash for a page, so that `cd` and `export` last; each command's output goes to a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        (programs / "notifyctl").write_text(f'#!/bin/sh\nexec {sys.executable} -m notifyctl "$@"\n')
        (programs / "notifyctl").chmod(0o755)
        self.environ = {
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.here = folder
        self.running: list[subprocess.Popen[str]] = []

    def run(self, command: str) -> tuple[int, str]:
        """The exit code and all output. What it exports, and where it is, hold for the next one."""
        state = self.folder / "state"
        script = f"{command}\ncode=$?\npwd > {state}; env -0 >> {state}\nexit $code\n"
        ended = subprocess.run(
            ["bash", "-c", script],
            cwd=self.here,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        if state.exists():
            where, _, variables = state.read_text(encoding="utf-8").partition("\n")
            self.here = Path(where)
            self.environ = dict(each.split("=", 1) for each in variables.split("\0") if "=" in each)
        return ended.returncode, ended.stdout

    def start(self, command: str) -> None:
        """Runs beside the rest, until `end`. Waits for the port that it names."""
        self.running.append(
            subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.here,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        port = re.search(r"(?:--port |:)(\d+)", command)
        assert port is not None, "a command that goes on names its port"
        for _ in range(DEADLINE * 10):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(port[1]))) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError(f"nothing listens: {command}")

    def end(self) -> None:
        for process in self.running:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=DEADLINE)


@pytest.mark.parametrize("name", RUN)
def test_a_page_can_be_followed(name: str, tmp_path: Path) -> None:
    page = (HOW_TO / f"{name}.md").read_text(encoding="utf-8")
    shell = Shell(tmp_path)
    ran = 0
    try:
        for kind, what, lines in steps(page):
            if kind == "file":
                target = shell.here / what
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("\n".join(lines or []) + "\n", encoding="utf-8")
            elif what.endswith(" &"):
                shell.start(what.removesuffix(" &"))
            else:
                wanted = EXIT.search(what)
                code, output = shell.run(EXIT.sub("", what))
                assert code == (int(wanted[1]) if wanted else 0), f"$ {what}\n{output}"
                if lines is not None:
                    assert re.fullmatch(
                        pattern(lines), output.rstrip("\n") + "\n" if output.strip() else ""
                    ), f"$ {what}\n{output}"
                ran += 1
    finally:
        shell.end()
    assert ran > 1
