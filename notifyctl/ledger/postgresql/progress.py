"""Reads what workers do, and what waits for them: the campaign, living workers, the queue, the inbox, the pace.

Each is a short read of its own. Tables that a database does not have yet count as empty.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from notifyctl.ledger.postgresql import halting, locks
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.model.progress import Backlog, CampaignProgress, WorkerProgress, WorkersProgress
from notifyctl.model.recipients import MEMBER_BYTES

DONE = "(s.state IN ('accepted', 'unknown') OR EXISTS (SELECT FROM batch_end AS e WHERE e.batch = s.number))"
TABLES = ("campaign", "worker", "procrastinate_jobs", "receipt_inbox", "pace", "halt")


def read_workers_progress(database: PostgresDatabase) -> WorkersProgress:
    tables = present_tables(database)
    campaign = read_campaign(database) if "campaign" in tables else None
    workers = read_workers(database, campaign) if "worker" in tables else ()
    return WorkersProgress(campaign, workers, read_backlog(database, tables))


def present_tables(database: PostgresDatabase) -> frozenset[str]:
    names = ", ".join(f"'{name}'" for name in TABLES)
    rows = database.rows(
        f"SELECT name FROM unnest(ARRAY[{names}]) AS name WHERE to_regclass(name) IS NOT NULL"  # noqa: S608 - our own names
    )
    return frozenset(str(name) for (name,) in rows)


def read_campaign(database: PostgresDatabase) -> CampaignProgress | None:
    """The latest one."""
    row = database.row(
        "SELECT campaign.epoch, campaign.at, batches, recipients, first_batch, campaign_end.at, how"
        " FROM campaign LEFT JOIN campaign_end ON campaign_end.epoch = campaign.epoch"
        " ORDER BY campaign.epoch DESC LIMIT 1"
    )
    if row is None:
        return None
    epoch, at, batches, recipients, first, ended, how = row
    # Both of the batches that were planned with it, and of those that were planned again because someone had opted out.
    [(done, again)] = database.rows(
        f"SELECT (SELECT count(*) FROM batch_state AS s WHERE s.number >= ? AND s.number < ? AND {DONE})"  # noqa: S608 - our own words
        f" + (SELECT count(*) FROM batch_again AS b JOIN batch_state AS s ON s.number = b.batch WHERE b.epoch = ? AND {DONE}),"
        " (SELECT count(*) FROM batch_again WHERE epoch = ?)",
        *(first, first + batches, epoch, epoch),
    )
    return CampaignProgress(
        epoch=epoch,
        at=datetime.fromisoformat(at),
        batches=batches + again,
        recipients=recipients,
        done=done,
        ended=datetime.fromisoformat(ended) if ended is not None else None,
        how=how,
    )


def read_workers(database: PostgresDatabase, campaign: CampaignProgress | None) -> tuple[WorkerProgress, ...]:
    """The workers whose sessions are alive, by number."""
    with database.session() as connection:
        alive = locks.living_workers(connection)
    if not alive:
        return ()
    numbers = ", ".join(str(number) for number in sorted(alive))
    rows = database.rows(
        f"""
        SELECT w.id, w.name, w.started_at, count(a.batch), count(a.batch) - count(o.batch),
               coalesce(sum(length(b.members)) FILTER (WHERE o.batch IS NOT NULL), 0) / {MEMBER_BYTES}, max(a.at)
          FROM worker AS w
          LEFT JOIN attempt AS a ON a.worker = w.id AND a.epoch = ?
          LEFT JOIN LATERAL (SELECT batch FROM outcome WHERE outcome.batch = a.batch AND outcome.attempt = a.attempt LIMIT 1) AS o
                 ON true
          LEFT JOIN batch AS b ON b.number = a.batch
         WHERE w.id IN ({numbers}) GROUP BY w.id ORDER BY w.id
        """,  # noqa: S608 - numbers of our own
        campaign.epoch if campaign is not None else 0,
    )
    return tuple(
        WorkerProgress(
            id=number,
            name=name,
            started=datetime.fromisoformat(started),
            requests=requests,
            in_flight=in_flight,
            recipients=int(recipients),
            last=datetime.fromisoformat(last) if last is not None else None,
        )
        for number, name, started, requests, in_flight, recipients, last in rows
    )


def read_backlog(database: PostgresDatabase, tables: Collection[str]) -> Backlog:
    jobs: dict[str, int] = {}
    job_seconds = receipt_seconds = pace_seconds = 0.0
    receipts, halted = 0, False
    if "procrastinate_jobs" in tables:
        jobs = {
            str(status): count
            for status, count in database.rows(
                "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status"
            )
        }
        # By the events that the library records: when the job was put in the queue, unless it is to start later.
        [(job_seconds,)] = database.rows(
            "SELECT coalesce(extract(epoch FROM clock_timestamp() - min(coalesce(j.scheduled_at, e.at))), 0)::float8"
            " FROM (SELECT id, scheduled_at FROM procrastinate_jobs WHERE status = 'todo'"
            " AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp()) ORDER BY id LIMIT 1) AS j"
            " LEFT JOIN LATERAL (SELECT min(at) AS at FROM procrastinate_events WHERE job_id = j.id) AS e ON true"
        )
    if "receipt_inbox" in tables:
        [(receipts, receipt_seconds)] = database.rows(
            "SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 FROM receipt_inbox"
        )
    if "pace" in tables:
        [(pace_seconds,)] = database.rows(
            "SELECT coalesce(extract(epoch FROM max(next_at) - clock_timestamp()), 0)::float8 FROM pace"
        )
    if "halt" in tables:
        with database.session() as connection:
            halted = halting.halted(connection) is not None
    return Backlog(
        jobs=jobs,
        job_seconds=max(float(job_seconds), 0.0),
        receipts=receipts,
        receipt_seconds=max(float(receipt_seconds), 0.0),
        pace_seconds=max(float(pace_seconds), 0.0),
        halted=halted,
    )
