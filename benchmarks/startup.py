"""How long the small commands take that somebody waits for: lint of one file, as in a pre-commit hook, and a plan of three people.

    python benchmarks/startup.py [--rounds 15] [--size small|full] [--installation DIR] [--json FILE]

Measures wall time of whole processes and prints ratios; see README.md beside this file for how to read them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from figures import Figure, arguments, interleaved, process, report, worst
from installation import SCHEMA, Installation, installation
from projects import PROJECT_HEAD, template

LIBRARIES = "python -c 'import click, yaml, jinja2'"
"""What the start of a plan is compared with: the libraries that each plan needs, without a line of ours."""
PLAN_TODAY = 1.5
"""A plan of three people by LIBRARIES, as it was when this goal was set: 146 ms by 98 ms, medians of 30 rounds, two shared cores."""

SMALL = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: Hello $(name)}}
audience: {recipients: [{msisdn: "+447700900123", substitutions: {name: Ada}}]}
"""
THREE = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), this is Acme."}}
audience: {source: {file: people.csv}}
"""
ROWS = "msisdn,name\n+447700900123,Ada\n+447700900124,Grace\n+447700900125,Linus\n"


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=15).parse_args()
    with installation(given.installation) as tools, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        figures = [*lint(folder, tools, given.rounds), plan(folder, tools, given.rounds)]
    report(figures, given.json)


# -- Lint of one file -----------------------------------------------------------------------------------------------


def lint(folder: Path, tools: Installation, rounds: int) -> list[Figure]:
    files = {shape: write_lint(folder / shape, text) for shape, text in one_file().items()}
    medians = {shape: lint_medians(file, tools, rounds) for shape, file in files.items()}
    return [
        lint_against(medians, "yamllint", "<= 1.6"),
        lint_against(medians, "check-jsonschema", "<= 0.4"),
    ]


def one_file() -> dict[str, str]:
    """The one file that every linter gets, in each shape."""
    return {
        "5 lines": SMALL,
        "58 lines, 8 languages": template(0),
        "58 lines, no ASCII letter in its texts": template(0, script="cyrillic"),
    }


def write_lint(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "notifyctl.yaml").write_text(PROJECT_HEAD, encoding="utf-8")
    file = folder / "one.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def lint_medians(file: Path, tools: Installation, rounds: int) -> dict[str, float]:
    """Median seconds of each linter on the file."""
    return interleaved(
        rounds,
        {
            "notifyctl": process(tools.command("notifyctl"), "lint", file),
            "yamllint": process(tools.command("yamllint"), "-d", "relaxed", file),
            "check-jsonschema": process(tools.command("check-jsonschema"), "--schemafile", SCHEMA, file),
        },
    )


def lint_against(medians: Mapping[str, Mapping[str, float]], peer: str, wanted: str) -> Figure:
    ratios = {shape: each["notifyctl"] / each[peer] for shape, each in medians.items()}
    details = {
        shape: f"{peer} {each[peer] * 1000:.0f} ms, notifyctl {each['notifyctl'] * 1000:.0f} ms"
        for shape, each in medians.items()
    }
    return worst(f"Lint of one file, of {peer}", ratios, wanted, details=details)


# -- Plan of three people -------------------------------------------------------------------------------------------


def plan(folder: Path, tools: Installation, rounds: int) -> Figure:
    projects = write_three(folder / "three", tools)
    runs = {
        shape: process(tools.command("notifyctl"), "-C", root, "plan") for shape, root in projects.items()
    }
    medians = interleaved(
        rounds, {LIBRARIES: process(tools.python, "-c", "import click, yaml, jinja2"), **runs}
    )
    least = medians.pop(LIBRARIES)
    ratios = {shape: seconds / least for shape, seconds in medians.items()}
    details = {
        shape: f"{seconds * 1000:.0f} ms, the imports of click, yaml and jinja2 {least * 1000:.0f} ms"
        for shape, seconds in medians.items()
    }
    return worst("Plan of three people, of its libraries", ratios, f"<= {PLAN_TODAY}", details=details)


def write_three(folder: Path, tools: Installation) -> dict[str, Path]:
    """Projects of three people: what `init` writes, and one file of each kind."""
    folder.mkdir()
    command = [tools.command("notifyctl"), "init", "hello"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    bare = folder / "bare"
    bare.mkdir()
    (bare / "notifyctl.yaml").write_text(PROJECT_HEAD, encoding="utf-8")
    (bare / "hello.yaml").write_text(THREE, encoding="utf-8")
    (bare / "people.csv").write_text(ROWS, encoding="utf-8")
    return {"project of `init`": folder / "hello", "one notification and a CSV file": bare}


if __name__ == "__main__":
    main()
