"""Plan of a large audience against a large ledger, beside a tuned script of the standard library that finds out the same.

    python benchmarks/plan.py [--rounds 3] [--size small|full] [--rows N] [--installation DIR] [--json FILE]

The ledger is made by an apply of ten times as many people to a server on this machine. Half of each audience is in it. The
audience has dirty rows, and is planned in each shape of `projects.py`. Needs some gigabytes of disk at the full size; everything
is made in a temporary folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from figures import (
    Figure,
    arguments,
    grows,
    interleaved,
    judged,
    output,
    peak_memory,
    process,
    report,
    unjudged,
    worst,
)
from installation import Installation, installation
from projects import PLAIN, SHAPES, Shape, write_people, write_project
from sink import sink

FEWER = (100, 10)
"""Further audiences of the growth, by how many times smaller than the usual one; a tenfold one is the last."""
MOST_MIB = 1536
ACTIONS = ("send-new", "unchanged", "changed-after-send", "suppressed")


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], rounds=3)
    parser.add_argument("--rows", type=int, help="of the audience; the ledger has ten times as many keys")
    given = parser.parse_args()
    rows = given.rows or (1_000_000 if given.size == "full" else 10_000)
    with (
        installation(given.installation) as tools,
        tempfile.TemporaryDirectory(prefix="notifyctl-plan-") as name,
    ):
        os.environ["XDG_STATE_HOME"] = f"{name}/state"
        os.environ["SERVICE_KEY"] = "benchmark"
        bench = Bench(Path(name), tools)
        applied = bench.fill_ledger(10 * rows)
        figures = [million(bench, rows, given.rounds)]
        if grows(given):
            figures += growth(bench, rows)
        report([*figures, applied], given.json)


class Bench:
    """A project whose ledger stays, while its audience is exchanged."""

    def __init__(self, folder: Path, tools: Installation) -> None:
        self.folder = folder
        self.root = folder / "project"
        self._tools = tools

    def notifyctl(self, *arguments: str) -> list[str]:
        return [self._tools.command("notifyctl"), "-C", str(self.root), *arguments]

    @property
    def plan(self) -> list[str]:
        return self.notifyctl("plan", "--format", "json")

    def script(self, shape: Shape) -> list[str]:
        known = json.dumps({"texts": dict(shape.texts), "kind": shape.kind})
        return [self._tools.python, str(Path(__file__).with_name("plan_by_script.py")), str(self.root), known]

    def use(self, people: range, shape: Shape, *, dirty: bool = True) -> None:
        """Make these people the audience, in this shape."""
        write_project(self.root, endpoint="http://127.0.0.1:9/v2/messages", shape=shape)
        write_people(self.root / "people.csv", people, shape, dirty=dirty)

    def fill_ledger(self, keys: int) -> Figure:
        """Send to `keys` people: to each even number, so that half of any audience is among them."""
        with sink() as server:
            write_project(self.root, endpoint=server.endpoint)
            write_people(self.root / "people.csv", range(0, 2 * keys, 2), PLAIN, dirty=False)
            subprocess.run(self.notifyctl("ledger", "init"), check=True, capture_output=True)
            digest = json.loads(output(self.plan))["digest"]
            seconds, peak = peak_memory(self.notifyctl("apply", "--expect", digest))
        os.sync()  # else the disk still writes a gigabyte while the first plan is measured
        return unjudged(
            f"apply of {keys:,}, peak memory",
            peak / 2**20,
            unit="MiB",
            detail=f"{seconds:.1f} s, its plan included",
        )


def million(bench: Bench, rows: int, rounds: int) -> Figure:
    """The plan of each shape, against the script."""
    medians: dict[str, Mapping[str, float]] = {}
    for shape in SHAPES:
        bench.use(range(rows), shape)
        agree(bench, shape)
        runs = {"notifyctl": process(*bench.plan), "script": process(*bench.script(shape))}
        medians[shape.name] = interleaved(rounds, runs, warm=False)
    return worst(
        f"Plan of {rows:,} against {10 * rows:,} keys, against a tuned script",
        {shape: each["script"] / each["notifyctl"] for shape, each in medians.items()},
        ">= 2",
        details={
            shape: f"script {each['script']:.2f} s, notifyctl {each['notifyctl']:.2f} s"
            for shape, each in medians.items()
        },
    )


def growth(bench: Bench, rows: int) -> Iterator[Figure]:
    """From a hundredth of the rows to ten times as many, against the same ledger. Each size once before, because memory that a
    machine has not had in use for a while is slower for the first who gets it.
    """
    ours: dict[str, dict[int, float]] = {}
    theirs: dict[int, float] = {}
    peaks: dict[str, float] = {}
    most = 10 * rows
    for shape in SHAPES:
        seconds: dict[int, float] = {}
        for size in (rows, most) if shape is not PLAIN else (*(rows // each for each in FEWER), rows, most):
            bench.use(range(size), shape)
            peak_memory(bench.plan)
            seconds[size], peak = peak_memory(bench.plan)
            peaks[shape.name] = peak / 2**20
            if shape is PLAIN:
                theirs[size], _ = peak_memory(bench.script(shape))
        ours[shape.name] = seconds
    figure = worst(
        f"Plan of {most:,}, by the time of {rows:,}",
        {shape: each[most] / each[rows] for shape, each in ours.items()},
        "<= 11",
        details={shape: f"{each[most]:.1f} s by {each[rows]:.2f} s" for shape, each in ours.items()},
    )
    lines = {
        **{f"plan, {shape}": list(each.items()) for shape, each in ours.items()},
        "the script": list(theirs.items()),
    }
    yield judged(figure.goal, figure.figure, figure.wanted, detail=figure.detail, lines=lines)
    yield worst(
        f"Plan of {most:,}, peak memory",
        peaks,
        f"<= {MOST_MIB}",
        unit="MiB",
        details=dict.fromkeys(peaks, "ru_maxrss of the process"),
    )


def agree(bench: Bench, shape: Shape) -> None:
    """Both find the same, or the comparison says nothing."""
    plan = json.loads(output(bench.plan))["notifications"][0]
    mine = {
        "rejected": plan["audience"]["rejected_rows"],
        "segments": plan["segments"],
        "texts": plan["texts"],
        **{name: plan["actions"].get(name, 0) for name in ACTIONS},
    }
    theirs = json.loads(output(bench.script(shape)))
    if mine != theirs:
        sys.exit(f"{shape.name}: they do not agree: {mine} and {theirs}")


if __name__ == "__main__":
    main()
