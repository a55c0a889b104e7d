"""One sending of people made by arithmetic, timed within its process.

    python apply_phase.py loop|ours ROWS PORT [--size N] [--tps N]

Prints a line: seconds, seconds of a core, mebibytes at most.

Both get the same people from the same generator, a chunk at a time, so that what is measured is the sending. Ours is what
`apply` does once the plan stands: PLAN, ARM, POST and RESULT, in a ledger on the disk.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from apply_by_loop import PER_REQUEST, TEXT, Person, loop
from plan import SCOPE, number, values

KINDS = 10_000
"""Different people, made beforehand. There are as many as are asked for; those beyond are the same again."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("loop", "ours"))
    parser.add_argument("rows", type=int)
    parser.add_argument("port", type=int)
    parser.add_argument("--size", type=int, default=PER_REQUEST, help="destinations in a request")
    parser.add_argument("--tps", type=int, default=10_000_000)
    given = parser.parse_args()
    if given.kind == "loop":
        seconds, core = by_loop(given.rows, given.port)
    else:
        seconds, core = ours(given.rows, given.port, given.size, given.tps)
    print(seconds, core, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


Some = tuple[list[str], list[tuple[str, ...]], bytes]
"""Numbers, a column for each value, and members as the ledger keeps them."""


@cache
def made(size: int) -> list[Some]:
    """KINDS people, `size` at a time."""
    return [some(range(start, start + size)) for start in range(0, KINDS, size)]


def some(people: range) -> Some:
    from notifyctl.model.recipients import FINGERPRINT_BYTES, ID_BYTES

    members = (sha256(b"%d" % person).digest()[: ID_BYTES + FINGERPRINT_BYTES] for person in people)
    return list(map(number, people)), list(zip(*map(values, people), strict=True)), b"".join(members)


def chunks(rows: int, size: int) -> Iterator[Some]:
    """The same again and again: what is measured is the sending."""
    kinds = made(size)
    for at, start in enumerate(range(0, rows, size)):
        count = min(size, rows - start)
        numbers, given, members = kinds[at % len(kinds)]
        if count == len(numbers):
            yield numbers, given, members
            continue
        yield (
            numbers[:count],
            [column[:count] for column in given],
            members[: count * (len(members) // len(numbers))],
        )


def people(rows: int) -> Iterator[Person]:
    for numbers, given, _ in chunks(rows, PER_REQUEST):
        yield from zip(numbers, *given, strict=True)


def by_loop(rows: int, port: int) -> tuple[float, float]:
    begun = time.perf_counter(), time.process_time()
    assert loop(people(rows), port) == -(-rows // PER_REQUEST)
    return time.perf_counter() - begun[0], time.process_time() - begun[1]


def ours(rows: int, port: int, size: int, tps: int) -> tuple[float, float]:
    from notifyctl.apply.run import Job, Stop, run
    from notifyctl.clock import SystemClock
    from notifyctl.ledger.high_water import Marks
    from notifyctl.ledger.store import SqliteStore
    from notifyctl.model.batch import ScopeOpening, SendGroup, UnitColumns
    from notifyctl.model.message import Envelope, Message
    from notifyctl.model.project import Auth, ChannelName, Limits, Secret
    from notifyctl.providers.webexconnect.auth import read_credentials
    from notifyctl.providers.webexconnect.client import WebexConnect

    class Made:
        """Implements delivery.Units and holds one chunk at a time, as units on a disk do."""

        def __len__(self) -> int:
            return rows

        def chunks(self, size: int) -> Iterator[UnitColumns]:
            for numbers, given, members in chunks(rows, size):
                yield UnitColumns(members, numbers, given, [None] * len(numbers))

        def heads(self, size: int) -> Iterator[tuple[bytes, list[None]]]:
            for numbers, _, members in chunks(rows, size):
                yield members, [None] * len(numbers)

    message = Message(
        ChannelName.SMS, "CNNECT", content={"type": "text", "text": TEXT}, names=("name", "area", "value")
    )
    with tempfile.TemporaryDirectory(prefix="notifyctl-send-") as folder:
        store = SqliteStore(
            Path(folder) / "production.db", clock=SystemClock(), marks=Marks(Path(folder) / "marks")
        )
        store.create()
        auth = Auth(service_key=Secret(env="SERVICE_KEY"))
        provider = WebexConnect(
            f"http://127.0.0.1:{port}/v2/messages",
            auth=auth,
            credentials=read_credentials(auth, {"SERVICE_KEY": "benchmark"}),
            clock=SystemClock(),
        )
        job = Job(
            openings=[ScopeOpening(SCOPE, b"")],
            consignments=[SendGroup(SCOPE, message, Envelope(), Made())],
            limits=Limits(tps=tps, concurrency=4, destinations_per_request=size),
            ledger_name="benchmark/production",
            seal_secret=b"benchmark",
        )
        made(size)
        with store.writer("benchmark") as writer:
            begun = time.perf_counter(), time.process_time()
            report = run(
                job,
                writer=writer,
                provider=provider,
                clock=SystemClock(),
                on_event=lambda _: None,
                stop=Stop(),
            )
            took = time.perf_counter() - begun[0], time.process_time() - begun[1]
        if report.recipients.accepted != rows:
            sys.exit(f"{report}")
    return took


if __name__ == "__main__":
    main()
