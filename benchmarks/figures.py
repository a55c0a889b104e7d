"""What every benchmark here has in common: the options it takes, how it measures, and the form of what it found.

A script measures whole processes or calls in interleaved rounds, prints lines for people, and with `--json FILE` writes its
figures for `run.py`. README.md beside this file states the contract. Standard library only; this module judges a figure by
the words of its goal and knows no peer.
"""

from __future__ import annotations

import argparse
import json
import operator
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

MOST_ROUNDS = 99
SIZES = ("small", "full")

JUDGES = {"<=": operator.le, ">=": operator.ge}

MEASURE = """\
import os, resource, subprocess, sys, time
with open(os.devnull, "wb") as nowhere:
    start = time.perf_counter()
    code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=nowhere, stderr=nowhere).returncode
    seconds = time.perf_counter() - start
print(code, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Runs in a Python of its own, far smaller than what it measures: a child counts what its parent holds as its own until
it begins, so that a benchmark with a large table in memory would measure itself.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One goal and what was measured of it.

    `unit` is "x" (a ratio), "MiB", "%", "s" or "/s". `wanted` is "<= 4.5" or ">= 8", in the same unit, or empty where nobody set a
    goal; such a figure is shown and not judged. `detail` is one short line: what was divided by what, in which shape of
    input. `lines` are those of the growth plot: a name, and its points as (rows, seconds).
    """

    goal: str
    figure: float
    unit: str
    wanted: str
    met: bool
    detail: str = ""
    lines: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


def judged(
    goal: str,
    figure: float,
    wanted: str,
    *,
    unit: str = "x",
    detail: str = "",
    lines: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Figure:
    """A figure held against "<= NUMBER" or ">= NUMBER"."""
    sign, _, number = wanted.partition(" ")
    return Figure(goal, figure, unit, wanted, JUDGES[sign](figure, float(number)), detail, lines or {})


def worst(
    goal: str, measured: Mapping[str, float], wanted: str, *, unit: str = "x", details: Mapping[str, str]
) -> Figure:
    """The worst of the figures of several shapes of input, held against the goal. `details` says, for each shape, what was
    measured; that of the worst is shown, and the figures of the others behind it.
    """
    first, *others = sorted(measured, key=lambda shape: measured[shape], reverse=wanted.startswith("<="))
    further = "".join(f"; {shape} {measured[shape]:,.3g}" for shape in others)
    detail = f"{first}: {details[first]}{further}"
    return judged(goal, measured[first], wanted, unit=unit, detail=detail)


def unjudged(goal: str, figure: float, *, unit: str = "x", detail: str = "") -> Figure:
    """A figure that is worth knowing and has no goal."""
    return Figure(goal, figure, unit, "", met=True, detail=detail)


def arguments(description: str, *, rounds: int = 5) -> argparse.ArgumentParser:
    """The options that each benchmark takes; a script adds its own."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=between(1, MOST_ROUNDS), default=rounds, metavar="N")
    parser.add_argument(
        "--size", choices=SIZES, default="full", help="small: for correctness only, in seconds"
    )
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        help="whether also from ten thousand to ten million rows, where a script has that; the full size does",
    )
    parser.add_argument(
        "--installation",
        type=Path,
        metavar="DIR",
        help="a virtual environment that holds the wheel and the peers; without it one is made",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures for run.py")
    return parser


def grows(given: argparse.Namespace) -> bool:
    """Whether growth is wanted."""
    return bool(given.size == "full" if given.growth is None else given.growth)


def between(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds, for argparse."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(text)

    return number


def report(figures: Sequence[Figure], file: Path | None) -> None:
    """Print the figures, one a line, and write them where a file is named."""
    for figure in figures:
        verdict = "" if not figure.wanted else "met" if figure.met else "NOT MET"
        print(
            f"{figure.goal:<56}{figure.figure:>10.2f} {figure.unit:<4}{figure.wanted:>10}  {verdict:<8}{figure.detail}".rstrip()
        )
    if file is not None:
        file.write_text(json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8")


def interleaved(
    rounds: int,
    runs: Mapping[str, Callable[[], object]],
    *,
    before: Mapping[str, Callable[[], object]] = MappingProxyType({}),
    warm: bool = True,
) -> dict[str, float]:
    """Median seconds of each run. Rounds are interleaved, so that whatever else the machine does falls on all alike.

    `before`: what makes ready for a run, unmeasured. `warm`: each is run once before, unmeasured. Leave it out only where one
    run takes minutes.
    """
    if warm:
        for name, run in runs.items():
            before.get(name, nothing)()
            run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            before.get(name, nothing)()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def nothing() -> None:
    pass


def process(*command: str | Path) -> Callable[[], None]:
    """A run of a whole process for `interleaved`."""
    words = [str(word) for word in command]

    def run() -> None:
        output(words)

    return run


def output(command: Sequence[str]) -> str:
    """What a whole process prints. One that fails ends the benchmark: it would look fast."""
    done = subprocess.run(
        command, check=False, capture_output=True, stdin=subprocess.DEVNULL, text=True, errors="replace"
    )
    if done.returncode:
        told = (done.stdout + done.stderr)[:2000]
        sys.exit(f"{' '.join(command)[:300]} ended with {done.returncode}:\n{told}")
    return done.stdout


def peak_memory(command: Sequence[str]) -> tuple[float, int]:
    """Seconds of a whole process, and the most memory in bytes that it, or the largest of its children, held."""
    words = [str(word) for word in command]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, *words], check=True, capture_output=True, text=True
    )
    code, seconds, most = done.stdout.split()
    if int(code):
        sys.exit(f"{' '.join(words)[:300]} ended with {code}")
    return float(seconds), int(most) * (1 if sys.platform == "darwin" else 1024)
