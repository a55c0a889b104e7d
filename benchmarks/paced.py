"""A paced apply: whether it keeps to the configured rate.

    python benchmarks/paced.py [--rounds 1] [--size small|full] [--installation DIR] [--json FILE]

Against a server on this machine that answers at once, at 1,000 destinations a second, in requests of a hundred and of ten. The
rate is taken by the server's clock, between the beginning of the first and of the last request.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from shutil import rmtree

from apply import apply
from figures import Figure, arguments, report, worst
from installation import Installation, installation
from projects import LONG, PLAIN
from sink import Server, sink

TPS = 1000
PER_REQUEST = (100, 10)
SECONDS = {"small": 2, "full": 20}


def main() -> None:
    given = arguments(__doc__.splitlines()[0], rounds=1).parse_args()
    with (
        sink() as server,
        installation(given.installation) as tools,
        tempfile.TemporaryDirectory(prefix="notifyctl-paced-") as name,
    ):
        os.environ["XDG_STATE_HOME"] = f"{name}/state"
        os.environ["SERVICE_KEY"] = "benchmark"
        report([off_the_rate(Path(name), tools, server, SECONDS[given.size], given.rounds)], given.json)


def off_the_rate(folder: Path, tools: Installation, server: Server, seconds: int, rounds: int) -> Figure:
    deviations: dict[str, float] = {}
    details: dict[str, str] = {}
    for size in PER_REQUEST:
        for shape in (PLAIN, LONG):  # of one text, so that each request but the last is full
            limits = f"{{tps: {TPS}, tpsCounts: destinations, destinationsPerRequest: {size}}}"
            rates = []
            for turn in range(rounds):
                root = folder / f"{size}-{turn}"
                traffic = apply(root, tools, server, shape, TPS * seconds + size, limits)
                rates.append((traffic.requests - 1) * size / (traffic.last - traffic.first))
                rmtree(root)
            median = statistics.median(rates)
            name = f"requests of {size}, {shape.name}"
            deviations[name] = abs(median - TPS) / TPS * 100
            details[name] = f"{median:,.1f} a second, {TPS:,} configured"
    return worst("Paced: off the configured rate", deviations, "<= 1", unit="%", details=details)


if __name__ == "__main__":
    main()
