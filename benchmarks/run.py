"""Every benchmark, one after the other, and what came out of them: one table and two pictures.

    python benchmarks/run.py [--size small|full] [--rounds N] [--out DIR] [--only NAME]…

A benchmark is a script in this folder that keeps the contract in README.md; whichever of SCRIPTS exist are run. Writes
`results.md`, `results.json`, `goals.svg` and, where there are growth figures, `growth.svg`. A goal that is not met is told
and fails nothing: speed belongs to a machine. A script that fails ends with 1 here, after the others.
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
from plots import goals, growth, shown

HERE = Path(__file__).parent
SCRIPTS = ("startup", "lint", "render", "numbering", "plan", "apply", "paced", "ledger", "peers")
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
    given = parser.parse_args()
    wanted = [name for name in SCRIPTS if (HERE / f"{name}.py").is_file() and name in (given.only or SCRIPTS)]
    begun = time.monotonic()
    found, failed = run_all(wanted, given.size, given.rounds)
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out, found, f"{given.size} size, {time.monotonic() - begun:.0f} s in all")
    print((given.out / "results.md").read_text(encoding="utf-8"))
    if failed:
        sys.exit(f"these failed: {', '.join(failed)}")


def run_all(names: Sequence[str], size: str, rounds: int | None) -> tuple[list[Figure], list[str]]:
    """What each script found, and the scripts that failed."""
    found: list[Figure] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            file = Path(folder) / f"{name}.json"
            command = [sys.executable, str(HERE / f"{name}.py"), "--size", size, "--json", str(file)]
            print(f"\n== {name}", flush=True)
            done = subprocess.run([*command, *(["--rounds", str(rounds)] if rounds else [])], check=False)
            if done.returncode or not file.is_file():
                failed.append(name)
            else:
                found += [figure_of(each) for each in json.loads(file.read_text(encoding="utf-8"))]
    return found, failed


def figure_of(said: dict[str, object]) -> Figure:
    return Figure(**said)  # type: ignore[arg-type]


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
    met = sum(figure.met for figure in figures)
    rows = [
        f"| {figure.goal} | {shown(figure)} | {figure.wanted.replace('<=', '≤').replace('>=', '≥')} "
        f"| {'yes' if figure.met else '**no**'} | {figure.detail} |"
        for figure in figures
    ]
    head = ["# Benchmarks", "", f"{met} of {len(figures)} goals met. {machine()}; {size}.", ""]
    return "\n".join([*head, "| goal | figure | wanted | met | detail |", "|---|--:|--:|---|---|", *rows, ""])


def machine() -> str:
    """What the figures belong to."""
    model = ""
    if Path("/proc/cpuinfo").is_file():
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((each.partition(": ")[2] + ", " for each in said if each.startswith("model name")), "")
    return f"{model}{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
