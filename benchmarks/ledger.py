"""The ledger by itself: durable keys a second, bytes a key, and how long it takes to have ten million at hand.

A key is a recipient's id and the fingerprint of what they got. Each commit of a thousand is on the disk when it returns.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from figures import Figure, arguments, judged, report
from plan import SCOPE

from notifyctl.clock import SystemClock
from notifyctl.ledger.high_water import Marks
from notifyctl.ledger.store import SqliteStore
from notifyctl.model.recipients import MEMBER_BYTES

PER_COMMIT = 1000
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def main() -> None:
    given = arguments(__doc__ or "", rounds=3).parse_args()
    keys = 10_000_000 if given.size == "full" else 20_000
    with tempfile.TemporaryDirectory(prefix="notifyctl-ledger-") as folder:
        report(list(measured(Path(folder), keys, given.rounds)), given.json)


def measured(folder: Path, keys: int, rounds: int) -> Iterator[Figure]:
    path = folder / "production.db"
    store = SqliteStore(path, clock=SystemClock(), marks=Marks(folder / "marks"))
    store.create()
    members = [os.urandom(PER_COMMIT * MEMBER_BYTES) for _ in range(keys // PER_COMMIT)]
    with store.writer("benchmark") as writer:
        begun = time.perf_counter()
        for packed in members:
            writer.plan_batches(SCOPE, [packed], at=NOW)
        took = time.perf_counter() - begun
    yield judged(
        "million durable keys a second, 1,000 a commit",
        keys / took / 1e6,
        ">= 1",
        unit="M/s",
        detail=f"{took:.2f} s for {keys:,}",
    )
    size = path.stat().st_size / 1e6 / (keys / 1e6)
    yield judged("megabytes for a million keys", size, "<= 30", unit="MB")
    times = sorted(loaded(store, keys) for _ in range(rounds))
    yield judged(f"seconds until {keys:,} keys are at hand", times[rounds // 2], "<= 1", unit="s")


def loaded(store: SqliteStore, keys: int) -> float:
    """From opening the file to having each key in memory, as a plan reads them."""
    begun = time.perf_counter()
    with closing(store.reader()) as reader:
        found = sum(len(batch.members) for batch in reader.facts(SCOPE))
    took = time.perf_counter() - begun
    assert found == keys * MEMBER_BYTES
    return took


if __name__ == "__main__":
    main()
