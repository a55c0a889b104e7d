"""What is in flight in a ledger in PostgreSQL, and who began it. Short queries, each for itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from notifyctl.ledger.postgresql import locks
from notifyctl.model.halting import InFlight, WhereStopped
from notifyctl.model.recipients import MEMBER_BYTES

if TYPE_CHECKING:
    from psycopg import Connection

ACTIVE_RUN = b"""
SELECT epoch, holder FROM run
WHERE epoch = (SELECT max(epoch) FROM run) AND NOT EXISTS (SELECT FROM run_end WHERE run_end.epoch = run.epoch)
"""
IN_FLIGHT = b"""
SELECT attempt.batch, attempt.attempt, attempt.worker, attempt.at, length(batch.members) / %s
FROM attempt JOIN batch ON batch.number = attempt.batch
WHERE attempt.epoch = %s AND NOT EXISTS (
    SELECT FROM outcome WHERE outcome.batch = attempt.batch AND outcome.attempt = attempt.attempt)
ORDER BY attempt.batch, attempt.attempt
"""
RECORDED = b"""
SELECT DISTINCT outcome.batch, outcome.attempt
FROM unnest(%s::bigint[], %s::integer[]) AS asked (batch, attempt) JOIN outcome USING (batch, attempt)
"""
BEGUN = b"""
SELECT worker, count(*), (array_agg(batch ORDER BY at DESC, batch DESC))[1] FROM attempt WHERE epoch = %s GROUP BY worker
"""
WORKERS = b"""
SELECT worker.id, worker.name, worker_end.worker IS NULL FROM worker LEFT JOIN worker_end ON worker_end.worker = worker.id
WHERE worker_end.worker IS NULL OR worker.id = ANY(%s) ORDER BY worker.id
"""
BATCHES = b"""
SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM attempt WHERE attempt.batch = batch.number)
                                    AND NOT EXISTS (SELECT FROM batch_end WHERE batch_end.batch = batch.number))
FROM batch WHERE epoch = %s
"""


def active_run(connection: Connection[Any]) -> tuple[int, str] | None:
    """The epoch and the holder of the run that has not ended, if any: it sends, its workers do, or it has died."""
    row = connection.execute(ACTIVE_RUN).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def find_in_flight(connection: Connection[Any], epoch: int) -> list[InFlight]:
    """The attempts of a run without a recorded outcome. Once sending is halted, none is added."""
    rows = connection.execute(IN_FLIGHT, (MEMBER_BYTES, epoch)).fetchall()
    return [
        InFlight(batch, attempt, worker, at.astimezone(UTC), recipients)
        for batch, attempt, worker, at, recipients in rows
    ]


def still_in_flight(connection: Connection[Any], known: Sequence[InFlight]) -> list[InFlight]:
    """Those whose outcome is not recorded yet."""
    if not known:
        return []
    keys = [each.batch for each in known], [each.attempt for each in known]
    recorded = set(connection.execute(RECORDED, keys).fetchall())
    return [each for each in known if (each.batch, each.attempt) not in recorded]


def living(connection: Connection[Any]) -> frozenset[int | None]:
    """The workers whose sessions are open; None among them while a run has the lock."""
    writer = locks.holder_process(connection, locks.Lock.WRITER)
    workers: frozenset[int | None] = frozenset(locks.living_workers(connection))
    return workers if writer is None else workers | {None}


def where_stopped(
    connection: Connection[Any], run: tuple[int, str], in_flight: Sequence[InFlight]
) -> list[WhereStopped]:
    """Each sender of a run that began a request or has not ended, by its number; a run that sent batches itself comes first."""
    epoch, holder = run
    begun = {worker: (count, last) for worker, count, last in connection.execute(BEGUN, (epoch,))}
    alive = living(connection)
    numbers = [worker for worker in begun if worker is not None]
    names: dict[int | None, str] = {None: holder} if None in begun else {}
    names |= {
        worker: name
        for worker, name, not_ended in connection.execute(WORKERS, (numbers,))
        if worker in begun or (not_ended and worker in alive)
    }
    return [
        WhereStopped(
            worker,
            name,
            worker in alive,
            *begun.get(worker, (0, None)),
            tuple(each for each in in_flight if each.worker == worker),
        )
        for worker, name in names.items()
    ]


def count_batches(connection: Connection[Any], epoch: int) -> tuple[int, int]:
    """How many batches a run planned, and how many of them are still to be attempted."""
    row = connection.execute(BATCHES, (epoch,)).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
