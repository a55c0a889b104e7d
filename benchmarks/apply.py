"""Apply to a fast server on this machine, ledger durable, in several shapes, beside the plain loop that people write instead.

    python benchmarks/apply.py [--rounds 3] [--size small|full] [--rows N] [--installation DIR] [--json FILE]

The whole command runs, its plan included; what is measured is the sending, by the server's clock: from the first byte of the first
request to the answer of the last. The plain loop is httpx and `json.dumps` without a ledger, a plan or a look for duplicates.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

from figures import Figure, arguments, output, report, unjudged, worst
from installation import Installation, installation
from projects import FOREIGN, LONG, PLAIN, SHAPES, UNLIMITED, Shape, write_people, write_project
from sink import Server, Traffic, sink

LOOP = Path(__file__).with_name("apply_by_loop.py")
PER_REQUEST = 1000
ONE_BY_ONE = "{{tps: {tps}, tpsCounts: requests, destinationsPerRequest: 1, concurrency: 16}}"
ALLOWED = (50, 200)
"""Requests a second that an account allows."""
SECONDS = {"small": 2, "full": 10}
"""How long requests of one person are sent."""


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], rounds=3)
    parser.add_argument("--rows", type=int, help="people in one run")
    given = parser.parse_args()
    rows = given.rows or (1_000_000 if given.size == "full" else 5_000)
    with (
        sink() as server,
        installation(given.installation) as tools,
        tempfile.TemporaryDirectory(prefix="notifyctl-apply-") as name,
    ):
        os.environ["XDG_STATE_HOME"] = f"{name}/state"
        os.environ["SERVICE_KEY"] = "benchmark"
        folder = Path(name)
        figures = [
            *sending(folder, tools, server, rows, given.rounds),
            one_by_one(folder, tools, server, SECONDS[given.size], given.rounds),
        ]
        report(figures, given.json)


def apply(root: Path, tools: Installation, server: Server, shape: Shape, people: int, limits: str) -> Traffic:
    """Plan and apply a new project, and give what the server saw of it."""
    rmtree(root, ignore_errors=True)
    rmtree(os.environ["XDG_STATE_HOME"], ignore_errors=True)  # or the ledger of before would be missed
    write_project(root, endpoint=server.endpoint, shape=shape, limits=limits)
    write_people(root / "people.csv", range(people), shape, dirty=False)
    command = [tools.command("notifyctl"), "-C", str(root)]
    subprocess.run([*command, "ledger", "init"], check=True, capture_output=True)
    digest = json.loads(output([*command, "plan", "--format", "json"]))["digest"]
    server.traffic()
    sent = json.loads(output([*command, "apply", "--format", "json", "--expect", digest]))
    assert sent["outcomes"]["accepted"] == people, sent
    return server.traffic()


def sending(folder: Path, tools: Installation, server: Server, rows: int, rounds: int) -> Iterator[Figure]:
    """A thousand people in each request, as fast as it goes, ours and the loop in turn."""
    rates: dict[str, list[float]] = {shape.name: [] for shape in SHAPES}
    loops: list[float] = []
    for turn in range(rounds):
        for shape in SHAPES:
            root = folder / f"{shape.name.replace(' ', '-')}-{turn}"
            traffic = apply(root, tools, server, shape, rows, UNLIMITED)
            rates[shape.name].append(rows / (traffic.answered - traffic.first))
            if shape is PLAIN:
                output([tools.python, str(LOOP), str(server.port), str(root / "people.csv")])
                traffic = server.traffic()
                loops.append(rows / (traffic.answered - traffic.first))
            rmtree(root)
    people_a_second = {shape: statistics.median(each) for shape, each in rates.items()}
    yield worst(
        f"Sending {rows:,}, {PER_REQUEST:,} a request, ledger durable",
        people_a_second,
        ">= 50000",
        unit="/s",
        details=dict.fromkeys(rates, "people a second"),
    )
    loop = statistics.median(loops)
    ratio = people_a_second[PLAIN.name] / loop
    yield unjudged(
        "The same, of a plain loop without a ledger", ratio, detail=f"the loop {loop:,.0f} people a second"
    )


def one_by_one(folder: Path, tools: Installation, server: Server, seconds: int, rounds: int) -> Figure:
    """One person in each request: whether the account's rate is reached."""
    reached: dict[str, float] = {}
    details: dict[str, str] = {}
    for tps in ALLOWED:
        for shape in (PLAIN, FOREIGN, LONG):
            rates = []
            for turn in range(rounds):
                root = folder / f"one-{tps}-{turn}"
                people = tps * seconds + 1
                traffic = apply(root, tools, server, shape, people, ONE_BY_ONE.format(tps=tps))
                rates.append((traffic.requests - 1) / (traffic.last - traffic.first))
                rmtree(root)
            rate = statistics.median(rates)
            name = f"{tps} allowed, {shape.name}"
            reached[name], details[name] = rate / tps, f"{rate:.1f} requests a second"
    return worst("One person a request, of the rate allowed", reached, ">= 0.99", details=details)


if __name__ == "__main__":
    main()
