"""How fast `lint` is: on many template files against its peers, on one file, and on an audience of a million rows.

    python benchmarks/lint.py [--rounds 5] [--files 1000] [--rows 1000000]

Makes its data in a temporary folder, measures whole processes and prints ratios; see README.md beside this file for
how to read them. It owns no thresholds and judges nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from startup import PROJECT, SCHEMA, executable, refuse_failing, write_project

MOST_ROUNDS, MOST_FILES, MOST_ROWS = 99, 10_000, 100_000_000
FEW_ROWS = 1000
"""The audience that the memory of the large one is compared with."""

YAMLLINT = ("yamllint", "-d", "relaxed")
TEMPLATE = """\
apiVersion: notifyctl/v1
kind: Template
name: outage-{number}
description: Tells customers of area {number} that their supply is interrupted.
channel: sms
variables:
  name: {{maxLength: 40}}
  area: {{example: EC1M}}
  hours: {{default: "4"}}
content:
  type: text
  text: >-
    Hello $(name), the supply in $(area) is interrupted. We expect it back in $(hours) hours.
    Reference {number}. {{{{ brand }}}}
locales:
  de:
    content:
      text: >-
        Hallo $(name), die Versorgung in $(area) ist unterbrochen, voraussichtlich $(hours) Stunden.
        Nummer {number}. {{{{ brand }}}}
"""
AUDIENCE = """\
apiVersion: notifyctl/v1
kind: Notification
name: hello
template: {channel: sms, content: {type: text, text: "Hello $(name), the supply in $(area) is back."}}
audience: {source: {file: people.csv}}
"""
NAMES = ("Ada", "Grace", "Linus", "Margaret", "Edsger", "Barbara", "Donald")

Runs = Mapping[str, Sequence[Sequence[str]]]
"""What is measured: a name and the commands that are run one after the other."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time lint on files and on audiences.")
    parser.add_argument("--rounds", type=between(1, MOST_ROUNDS), default=5)
    parser.add_argument("--files", type=between(1, MOST_FILES), default=1000)
    parser.add_argument("--rows", type=between(1, MOST_ROWS), default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(
            f"Medians of {given.rounds} interleaved rounds, whole processes, Python {sys.version.split()[0]}"
        )
        many, one = folder / "many", folder / "one"
        for each in (many, one):
            each.mkdir()
        templates = write_templates(many, given.files)
        print(table(f"{given.files:,} template files", measured(peers(many, templates), given.rounds)))
        print(table("one file", measured(peers(one, [write_project(one)]), given.rounds)))
        print(audiences(folder, sorted({min(FEW_ROWS, given.rows), given.rows}), given.rounds))


def between(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(text)

    return number


# -- Files against peers --------------------------------------------------------------------------------------------


def write_templates(folder: Path, count: int) -> list[Path]:
    project = PROJECT + "vars: {brand: Acme Power}\nlint: {unused-template: 'off'}\n"
    (folder / "notifyctl.yaml").write_text(project, encoding="utf-8")
    paths = [folder / f"outage-{number}.yaml" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_text(TEMPLATE.format(number=number), encoding="utf-8")
    return paths


def peers(folder: Path, files: Sequence[Path]) -> Runs:
    """Ours reads the whole project, the peers the files alone, each in one process for all of them."""
    names = [str(file) for file in files]
    yamllint = [executable(YAMLLINT[0]), *YAMLLINT[1:], *names]
    schema = [executable("check-jsonschema"), "--schemafile", str(SCHEMA), *names]
    return {
        "notifyctl lint": [[executable("notifyctl"), "-C", str(folder), "lint"]],
        "yamllint": [yamllint],
        "check-jsonschema": [schema],
        "yamllint, check-jsonschema": [yamllint, schema],
    }


def measured(runs: Runs, rounds: int) -> dict[str, list[float]]:
    """Seconds of each run. Rounds are interleaved, so that whatever else the machine does falls on all alike."""
    for commands in runs.values():
        for command in commands:
            refuse_failing(command)  # also the warm-up
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, commands in runs.items():
            start = time.perf_counter()
            for command in commands:
                subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    return times


def table(title: str, times: Mapping[str, Sequence[float]]) -> str:
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    ours = next(iter(medians.values()))
    lines = ["", f"{title:<28}{'ms':>10}{'fastest':>10}{'x notifyctl':>13}"]
    for name, median in medians.items():
        lines.append(
            f"{name:<28}{median * 1000:>10.0f}{min(times[name]) * 1000:>10.0f}{median / ours:>13.2f}"
        )
    return "\n".join(lines)


# -- Audiences ------------------------------------------------------------------------------------------------------


def audiences(folder: Path, sizes: Sequence[int], rounds: int) -> str:
    projects = {size: write_audience(folder / f"rows-{size}", size) for size in sizes}
    for project in projects.values():
        refuse_failing(lint_of(project))
    runs: dict[int, list[tuple[float, int]]] = {size: [] for size in sizes}
    for _ in range(rounds):
        for size, project in projects.items():
            runs[size].append(one_run(lint_of(project)))
    least = statistics.median(peak for _, peak in runs[sizes[0]])
    lines = ["", f"{'audience':<28}{'s':>10}{'rows/s':>10}{'peak MB':>10}{'MB more':>10}"]
    for size, taken in runs.items():
        seconds = statistics.median(second for second, _ in taken)
        peak = statistics.median(peak for _, peak in taken)
        named = f"{size:,} rows"
        more = (peak - least) / 1e6
        lines.append(f"{named:<28}{seconds:>10.2f}{size / seconds:>10.0f}{peak / 1e6:>10.0f}{more:>10.0f}")
    return "\n".join(lines)


def write_audience(folder: Path, rows: int) -> Path:
    """Numbers of no country, because so many are not set aside for examples; they are only read."""
    folder.mkdir()
    (folder / "notifyctl.yaml").write_text(PROJECT, encoding="utf-8")
    (folder / "hello.yaml").write_text(AUDIENCE, encoding="utf-8")
    with (folder / "people.csv").open("w", encoding="utf-8") as stream:
        stream.write("msisdn,name,area\n")
        for number in range(rows):
            stream.write(f"+999{number:09},{NAMES[number % len(NAMES)]},Area {number % 1000}\n")
    return folder


def lint_of(project: Path) -> list[str]:
    return [executable("notifyctl"), "-C", str(project), "lint"]


def one_run(command: Sequence[str]) -> tuple[float, int]:
    """Seconds, and the most memory in bytes that the process held. This process is smaller, so that what a child
    inherits before it begins does not count.
    """
    start = time.perf_counter()
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is a name, not a path of ours
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
