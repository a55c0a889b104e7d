"""Every benchmark, one after the other, and what came out of them: one table and two pictures.

    python benchmarks/run.py [--size small|full] [--rounds N] [--out DIR] [--only NAME]…

A benchmark is a script in this folder that keeps the contract in README.md. All measure one installation of the wheel, made first.
Writes `results.md`, `results.json`, `goals.svg` and, where there are growth figures, `growth.svg`. A goal that is not met is
shown and fails nothing: speed belongs to a machine. A script that fails ends with 1 here, after the others.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from figures import MOST_ROUNDS, SIZES, Figure, between
from installation import installation
from plots import goals, growth, shown

HERE = Path(__file__).parent
SCRIPTS = ("startup", "lint", "plan", "apply", "paced", "pace", "receipts", "ledger", "peers")
"""In the order of a user's day."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument(
        "--rounds", type=between(1, MOST_ROUNDS), metavar="N", help="without it, each script's own"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results", metavar="DIR")
    parser.add_argument(
        "--only", action="append", choices=SCRIPTS, metavar="NAME", help="may be given several times"
    )
    parser.add_argument("--installation", type=Path, metavar="DIR", help="as for each script")
    given = parser.parse_args()
    wanted = [name for name in SCRIPTS if name in (given.only or SCRIPTS)]
    begun = time.monotonic()
    with installation(given.installation) as tools:
        options = ["--size", given.size, "--installation", str(tools.folder)]
        options += ["--rounds", str(given.rounds)] if given.rounds else []
        measured, failed = run_all(wanted, options)
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out, measured, f"{given.size} size, {time.monotonic() - begun:.0f} s in all")
    print((given.out / "results.md").read_text(encoding="utf-8"))
    if failed:
        sys.exit(f"these failed: {', '.join(failed)}")


def run_all(names: Sequence[str], options: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """The figures of all scripts, and the scripts that failed."""
    measured: list[Figure] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            file = Path(folder) / f"{name}.json"
            print(f"\n== {name}", flush=True)
            command = [sys.executable, str(HERE / f"{name}.py"), *options, "--json", str(file)]
            done = subprocess.run(command, check=False)
            if done.returncode or not file.is_file():
                failed.append(name)
            else:
                measured += [Figure(**each) for each in json.loads(file.read_text(encoding="utf-8"))]
    return measured, failed


def write(folder: Path, figures: Sequence[Figure], size: str) -> None:
    listed = json.dumps([asdict(figure) for figure in figures], indent=1)
    (folder / "results.json").write_text(listed + "\n", encoding="utf-8")
    (folder / "goals.svg").write_text(goals(figures), encoding="utf-8")
    lines = growth(figures)
    if lines:
        (folder / "growth.svg").write_text(lines, encoding="utf-8")
    pictures = "![Each goal](goals.svg)\n" + ("\n![Growth](growth.svg)\n" if lines else "")
    (folder / "results.md").write_text(f"{table(figures, size)}\n{pictures}", encoding="utf-8")


def table(figures: Sequence[Figure], size: str) -> str:
    goals_set = [figure for figure in figures if figure.wanted]
    met = sum(figure.met for figure in goals_set)
    head = ["# Benchmarks", "", f"{met} of {len(goals_set)} goals met. {machine()}; {size}.", ""]
    columns = ["| goal | figure | wanted | met | detail |", "|---|--:|--:|---|---|"]
    return "\n".join([*head, *columns, *map(row, figures), ""])


def row(figure: Figure) -> str:
    wanted = figure.wanted.replace("<=", "≤").replace(">=", "≥")
    met = "" if not figure.wanted else "yes" if figure.met else "**no**"
    return f"| {figure.goal} | {shown(figure)} | {wanted} | {met} | {figure.detail} |"


def machine() -> str:
    """What the figures belong to."""
    model = ""
    if Path("/proc/cpuinfo").is_file():
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((each.partition(": ")[2] + ", " for each in said if each.startswith("model name")), "")
    return f"{model}{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
