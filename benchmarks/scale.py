"""A ledger in PostgreSQL and its workers: what a second worker adds, beside bare requests, beside a foreign snapshot, and
what grows with a ledger of many people.

    python benchmarks/scale.py [--rounds 3] [--size small|full] [--only NAME]… [--installation DIR] [--json FILE]

Everything runs on this machine: the database, the server that takes requests, and the workers, so that two workers share what is left
of its processors. All ratios are of one run. `run.py` leaves it out: the full size takes twenty minutes and 8 GB of disk.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, arguments, judged, output, report, unjudged
from installation import Installation, installation
from ledger_filling import fill
from projects import number
from receipts import postgres
from sink import Server, sink

PER_REQUEST = 1000
START = 60
"""Seconds for workers to start."""
POSTS = Path(__file__).with_name("bare_posts.py")
PROJECT = """\
apiVersion: notifyctl/v1
kind: Project
name: scale
defaultEnvironment: production
policy: {{maxRecipients: 100000000}}
environments:
  production:
    provider: webexconnect
    endpoint: {endpoint}
    auth: {{serviceKeyEnv: SERVICE_KEY}}
    senders: {{sms: CNNECT}}
    limits: {{tps: 10000000, concurrency: 4}}
    ledger: {{urlEnv: LEDGER_URL}}
"""
NOTIFICATION = """\
apiVersion: notifyctl/v1
kind: Notification
name: {name}
template: {{channel: sms, content: {{type: text, text: "Hello $(name), {words}"}}}}
audience: {{source: {{file: {file}}}, columns: {{msisdn: phone}}, numbers: form}}
"""


@dataclass(frozen=True, slots=True)
class Amounts:
    """People in a run of each part, seconds of the snapshot, and people in the two ledgers."""

    sent: int
    snapshot: float
    ledgers: tuple[int, int]
    planned: int
    applied: int


SIZES = {
    "small": Amounts(4_000, 2, (2_000, 20_000), 5_000, 1_000),
    "full": Amounts(200_000, 180, (200_000, 20_000_000), 1_000_000, 10_000),
}


class Bench:
    """A project with a ledger in an empty database."""

    def __init__(self, root: Path, tools: Installation, server: Server) -> None:
        self.root, self.tools, self.server = root, tools, server
        self.command = [tools.command("notifyctl"), "-C", str(root)]
        self._made = 0
        root.mkdir(parents=True)
        (root / "notifyctl.yaml").write_text(PROJECT.format(endpoint=server.endpoint), encoding="utf-8")

    def people(self, file: str, count: int) -> None:
        with (self.root / file).open("w", encoding="utf-8") as rows:
            rows.write("phone,name\n")
            rows.writelines(f"{number(person)},Ada {person}\n" for person in range(count))

    def notify(self, file: str = "people.csv") -> None:
        """A new notification in place of the one before, of which no word is the same: nobody was sent it."""
        self._made += 1
        words = " ".join(f"word{self._made}x{at}" for at in range(10))
        text = NOTIFICATION.format(name=f"water-{self._made}", file=file, words=words)
        (self.root / "water.yaml").write_text(text, encoding="utf-8")

    def apply(self, *options: str) -> float:
        """Plan, then apply what is planned; people a second by the server's clock."""
        digest = json.loads(output([*self.command, "plan", "--format", "json"]))["digest"]
        self.server.traffic()
        sent = json.loads(output([*self.command, "apply", "--format", "json", "--expect", digest, *options]))
        traffic = self.server.traffic()
        assert sent["outcomes"]["accepted"] == sum(sent["outcomes"].values()), sent
        return float(sent["outcomes"]["accepted"]) / (traffic.answered - traffic.first)

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        log = self.root.parent / f"{self.root.name}.log"
        with ExitStack() as running, log.open("wb") as file:
            for _ in range(count):
                command = [*self.command, "worker"]
                worker = running.enter_context(subprocess.Popen(command, stdout=file, stderr=file))
                running.callback(worker.terminate)
            until = time.monotonic() + START
            while log.read_bytes().count(b" started ") < count:
                assert time.monotonic() < until, log.read_text("utf-8")
                time.sleep(0.05)
            yield


def main() -> None:
    parser = arguments(__doc__.splitlines()[0], rounds=3)
    parser.add_argument("--only", action="append", choices=PARTS, metavar="NAME")
    given = parser.parse_args()
    with sink() as server, installation(given.installation) as tools, tempfile.TemporaryDirectory() as name:
        os.environ |= {"XDG_STATE_HOME": f"{name}/state", "SERVICE_KEY": "benchmark"}
        figures: list[Figure] = []
        for part in given.only or PARTS:
            with postgres() as url:
                os.environ["LEDGER_URL"] = url
                bench = Bench(Path(name) / part, tools, server)
                output([*bench.command, "ledger", "init"])
                figures += PARTS[part](bench, url, SIZES[given.size], given.rounds)
                print(f"{part}: done", file=sys.stderr)
    report(figures, given.json)


def throughput(bench: Bench, url: str, amounts: Amounts, rounds: int) -> Iterator[Figure]:  # noqa: ARG001
    """One worker, two workers, and as many processes that only post the same bodies."""
    bench.people("people.csv", amounts.sent)
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        for count in (1, 2):
            bench.notify()
            with bench.workers(count):
                rates.setdefault(f"workers {count}", []).append(bench.apply("--workers"))
            bench.notify()
            requests = bench.root / "requests"
            requests.write_text(
                output([*bench.command, "apply", "--dry-run", "--reveal", "--format", "json"])
            )
            rates.setdefault(f"bare {count}", []).append(bare(bench, requests, count, amounts.sent))
        bench.notify()
        rates.setdefault("apply", []).append(bench.apply())
    rate = {name: statistics.median(each) for name, each in rates.items()}
    shape = f"{amounts.sent:,} people, {PER_REQUEST:,} a request"
    yield unjudged("Workers: one", rate["workers 1"], unit="/s", detail=f"people a second; {shape}")
    yield unjudged(
        "Workers: two", rate["workers 2"], unit="/s", detail="people a second, on the same processors"
    )
    yield unjudged("Workers: two, of one", rate["workers 2"] / rate["workers 1"], detail=shape)
    yield unjudged(
        "Workers: one, of apply alone",
        rate["workers 1"] / rate["apply"],
        detail=f"apply {rate['apply']:,.0f} a second",
    )
    for count in (1, 2):
        name = f"Workers: {count}, of {count} processes that only post"
        yield unjudged(
            name,
            rate[f"workers {count}"] / rate[f"bare {count}"],
            detail=f"they {rate[f'bare {count}']:,.0f} a second",
        )


def bare(bench: Bench, requests: Path, count: int, people: int) -> float:
    """People a second of processes that post these requests, each its share, by four connections."""
    bench.server.traffic()
    command = [bench.tools.python, str(POSTS), str(requests), str(count)]
    with ExitStack() as running:
        started = [running.enter_context(subprocess.Popen([*command, str(at)])) for at in range(count)]
        assert not any(each.wait() for each in started)
    traffic = bench.server.traffic()
    assert traffic.requests * PER_REQUEST >= people
    return people / (traffic.answered - traffic.first)


def snapshot(bench: Bench, url: str, amounts: Amounts, rounds: int) -> Iterator[Figure]:  # noqa: ARG001
    """Somebody else's transaction that sees one moment for minutes: applies without it, with it all the while, and what doctor says."""
    import psycopg

    bench.people("people.csv", amounts.sent)

    def one() -> float:
        bench.notify()
        return bench.apply("--workers")

    with bench.workers(2):
        one()
        without = statistics.median([one() for _ in range(3)])
        with psycopg.connect(url, application_name="a report of others") as other:
            other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.execute("SELECT count(*) FROM batch")
            begun, rates = time.monotonic(), []
            while time.monotonic() - begun < amounts.snapshot or len(rates) < 3:
                rates.append(one())
            lines = json.loads(
                subprocess.run(
                    [*bench.command, "doctor", "--format", "json"],
                    check=False,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            held = time.monotonic() - begun
    named = [each for each in lines["checks"] if "a report of others" in json.dumps(each)]
    last = statistics.median(rates[-3:])
    yield judged(
        "Workers beside a snapshot held by others, of those without",
        last / without,
        ">= 0.9",
        detail=f"the last 3 of {len(rates)} campaigns in {held:.0f} s; doctor {'names' if named else 'does NOT name'} it",
    )


def growth(bench: Bench, url: str, amounts: Amounts, rounds: int) -> Iterator[Figure]:
    """Plan, apply and status against a small ledger and a large one."""
    bench.people("planned.csv", amounts.planned)
    bench.people("applied.csv", amounts.applied)
    spent: dict[str, list[tuple[float, float]]] = {}
    before = 0
    for people in amounts.ledgers:
        filled = timed(lambda: fill(url, before, people, PER_REQUEST))  # noqa: B023 - called at once
        yield unjudged(
            f"Ledger: filled from {before:,} to {people:,} people",
            filled,
            unit="s",
            detail="by COPY, claims too",
        )
        before = people
        bench.notify("planned.csv")
        work: dict[str, Callable[[], object]] = {
            f"plan {amounts.planned:,}": lambda: output([*bench.command, "plan", "--format", "json"]),
            f"apply {amounts.applied:,}": lambda: (bench.notify("applied.csv"), bench.apply()),
            "status": lambda: output([*bench.command, "status", "--format", "json"]),
        }
        for name, each in work.items():
            seconds = statistics.median(timed(each) for _ in range(rounds))
            spent.setdefault(name, []).append((people, seconds))
        size, members = sizes(url)
        yield unjudged(
            f"Ledger of {people:,}: bytes for each person",
            size / people,
            unit=" B",
            detail=f"{size / 1e6:,.0f} MB, of which claims {members / 1e6:,.0f}",
        )
    for name, points in spent.items():
        (few, little), (many, much) = points
        yield unjudged(
            f"Ledger of {many:,} people, of {few:,}: {name}",
            much / little,
            detail=f"{much:.2f} s of {little:.2f} s, start and plan included",
        )


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def sizes(url: str) -> tuple[int, int]:
    """Bytes of the database, and of the claims with their indexes."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT pg_database_size(current_database()), sum(pg_total_relation_size(inhrelid))"
            " FROM pg_inherits WHERE inhparent = 'claim'::regclass"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


PARTS: dict[str, Callable[[Bench, str, Amounts, int], Iterator[Figure]]] = {
    "throughput": throughput,
    "snapshot": snapshot,
    "growth": growth,
}


if __name__ == "__main__":
    main()
