"""A paced apply: whether it keeps to the configured rate, and what it takes of a core meanwhile.

Against a local server that answers at once, at 1,000 destinations a second, in requests of a hundred and of ten. The rate is
that of all destinations but the last request's, whose turn ends when it has begun.
"""

from __future__ import annotations

from collections.abc import Iterator

from apply import sender
from figures import Figure, arguments, judged, report, said
from sink import sink

TPS = 1000
SIZES = (100, 10)
SECONDS = {"small": 2, "full": 20}


def main() -> None:
    parser = arguments(__doc__ or "", rounds=1)
    given = parser.parse_args()
    with sink() as port:
        report(list(measured(port, SECONDS[given.size], given.rounds)), given.json)


def measured(port: int, seconds: int, rounds: int) -> Iterator[Figure]:
    for size in SIZES:
        rows = TPS * seconds + size
        command = [*sender("ours", rows, port), "--size", str(size), "--tps", str(TPS)]
        runs = [[float(part) for part in said(command).split()] for _ in range(rounds)]
        took, core, _ = sorted(runs)[rounds // 2]
        rate = (rows - size) / took
        off = abs(rate - TPS) / TPS * 100
        detail = f"{rate:,.1f} a second, {TPS:,} configured"
        yield judged(f"off the rate, requests of {size}", off, "<= 1", unit="%", detail=detail)
        yield judged(
            f"of a core at {TPS:,} a second, requests of {size}", core / took * 100, "<= 5", unit="%"
        )


if __name__ == "__main__":
    main()
