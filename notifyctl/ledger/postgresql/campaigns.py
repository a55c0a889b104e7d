"""The campaigns of a ledger in PostgreSQL: what is to be sent, how far it is, and how it ended. One campaign is open at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from notifyctl.command_line import command_line
from notifyctl.errors import LedgerLockedError
from notifyctl.ledger.postgresql import halting
from notifyctl.ledger.postgresql.database import PostgresDatabase
from notifyctl.ledger.writer import BROKE_OFF, stamp
from notifyctl.model.campaign import Campaign, CampaignOptions, PlannedAgain, Progress
from notifyctl.model.ledger import BatchState

if TYPE_CHECKING:
    from psycopg import Connection

FINISHED, TAKEN_OVER = "finished", "taken over"
WINDOW = 2_000
"""Jobs of a campaign at a time: few enough that halting is cheap and the queue's tables stay small."""
SCHEMA = 2
"""The step of the schema that brought campaigns."""
Defer = Callable[["Connection[Any]", Sequence[int]], None]
"""Adds jobs for batches in the transaction of a connection."""
COLUMNS = "epoch, digest, project, revision, as_of, options::text, first_batch, batches, recipients, content_check, at"
OPEN = (
    f"SELECT {COLUMNS} FROM campaign WHERE epoch = (SELECT max(epoch) FROM run)"  # noqa: S608 - our own column names
    " AND NOT EXISTS (SELECT 1 FROM campaign_end WHERE campaign_end.epoch = campaign.epoch)"
)
COUNTS = (
    "SELECT state, batch_end.batch IS NOT NULL, count(*), coalesce(sum(recipients), 0)"
    " FROM batch_state LEFT JOIN batch_end ON batch_end.batch = number"
    " WHERE number BETWEEN ? AND ? GROUP BY 1, 2"
)
UNENDED = (
    "SELECT number, state FROM batch_state LEFT JOIN batch_end ON batch_end.batch = number"
    " WHERE number BETWEEN ? AND ? AND batch_end.batch IS NULL AND state IN ('planned', 'rejected', 'armed')"
    " ORDER BY number LIMIT ?"
)
ARMED = (
    "SELECT batch, attempt, worker, at FROM attempt WHERE batch BETWEEN ? AND ?"
    " AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.batch = attempt.batch AND outcome.attempt = attempt.attempt)"
)
SWEEP = (
    "INSERT INTO outcome (batch, attempt, kind, reason, epoch, at) SELECT ?, ?, 'unknown', ?, ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM outcome WHERE batch = ? AND attempt = ?)"
)


def record_campaign(database: PostgresDatabase, campaign: Campaign) -> None:
    """In the transaction of its jobs."""
    database.run(
        "INSERT INTO campaign (epoch, digest, project, revision, as_of, options, first_batch, batches, recipients,"
        " content_check, at) VALUES (?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?, ?)",
        *(campaign.epoch, campaign.digest, campaign.project, campaign.revision, stamp(campaign.as_of)),
        *(msgspec.json.encode(campaign.options).decode(), campaign.first_batch, campaign.batches),
        *(campaign.recipients, campaign.content_check, stamp(campaign.at)),
    )


def find_open(database: PostgresDatabase) -> Campaign | None:
    """The campaign that workers send now. One whose epoch another run took over is none."""
    row = database.row(OPEN)
    return read_campaign(row) if row is not None else None


def read_campaign(row: Sequence[object]) -> Campaign:
    epoch, digest, project, revision, as_of, options, first, batches, recipients, check, at = row
    return Campaign(
        epoch=int(str(epoch)),
        digest=str(digest),
        project=str(project),
        revision=str(revision) if revision is not None else None,
        as_of=datetime.fromisoformat(str(as_of)),
        options=msgspec.json.decode(str(options), type=CampaignOptions),
        first_batch=int(str(first)),
        batches=int(str(batches)),
        recipients=int(str(recipients)),
        content_check=bytes(check),  # type: ignore[call-overload]
        at=datetime.fromisoformat(str(at)),
    )


def last_batch(database: PostgresDatabase, campaign: Campaign) -> int:
    """The highest number of its batches, with those that were planned again."""
    again = database.row("SELECT max(batch) FROM batch_again WHERE epoch = ?", campaign.epoch)
    return max(campaign.numbers[-1], again[0] or 0 if again is not None else 0)


def planned_again(database: PostgresDatabase, number: int) -> PlannedAgain | None:
    row = database.row("SELECT of, fallback FROM batch_again WHERE batch = ?", number)
    return PlannedAgain(row[0], row[1]) if row is not None else None


def progress(database: PostgresDatabase, campaign: Campaign) -> Progress:
    """Counts its batches. Reads each of them, so who asks often asks less often for many."""
    batches: Counter[str] = Counter()
    recipients: Counter[str] = Counter()
    for state, is_ended, count, people in database.rows(
        COUNTS, campaign.first_batch, last_batch(database, campaign)
    ):
        at_rest = is_ended or state in {BatchState.ACCEPTED, BatchState.UNKNOWN}
        batches["all"] += count
        batches["done"] += count if at_rest else 0
        batches[state] += count
        recipients[state] += int(people)
    return Progress(
        batches=batches["all"],
        done=batches["done"],
        in_flight=batches[BatchState.ARMED],
        recipients=campaign.recipients,
        accepted=recipients[BatchState.ACCEPTED],
        rejected=recipients[BatchState.REJECTED],
        unknown=recipients[BatchState.UNKNOWN],
        ended=how_ended(database, campaign.epoch),
    )


def how_ended(database: PostgresDatabase, epoch: int) -> str | None:
    """None while the campaign is open."""
    row = database.row("SELECT how FROM campaign_end WHERE epoch = ?", epoch)
    if row is not None:
        return str(row[0])
    return TAKEN_OVER if database.row("SELECT 1 FROM run WHERE epoch > ?", epoch) else None


def unended(database: PostgresDatabase, first: int, last: int, *, limit: int) -> list[tuple[int, BatchState]]:
    """Batches that the campaign is not done with, in order, and their states."""
    return [(number, BatchState(state)) for number, state in database.rows(UNENDED, first, last, limit)]


def end_campaign(database: PostgresDatabase, epoch: int, how: str, *, at: datetime) -> None:
    """Ends a campaign and its run, once. Alone within the fence: once this is committed, nothing of it is armed."""
    with database.alone():
        database.run(
            "INSERT INTO campaign_end (epoch, at, how) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            epoch,
            stamp(at),
            how,
        )
        database.run(
            "INSERT INTO run_end (epoch, ended_at, how) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            epoch,
            stamp(at),
            how,
        )


def end_if_done(database: PostgresDatabase, campaign: Campaign, *, at: datetime) -> bool:
    """Ends a campaign unless something of it is still to be sent. Asked alone within the fence: meanwhile nothing is planned again."""
    with database.alone():
        done = not unended(database, campaign.first_batch, last_batch(database, campaign), limit=1)
        if done:
            end_campaign(database, campaign.epoch, FINISHED, at=at)
    return done


def refuse_or_take_over(database: PostgresDatabase, *, at: datetime) -> None:
    """Within the transaction that begins an epoch. Raises LedgerLockedError while a campaign is open, unless sending is halted: the
    new run then takes it over, and what workers have not attempted of it is as never begun.
    """
    campaign = find_open(database) if database.schema_version() >= SCHEMA else None
    if campaign is None:
        return
    if halting.halted(database.connection) is None:
        raise being_sent(campaign, progress(database, campaign))
    database.run(
        "INSERT INTO campaign_end (epoch, at, how) VALUES (?, ?, ?)", campaign.epoch, stamp(at), TAKEN_OVER
    )
    database.run(
        "INSERT INTO run_end (epoch, ended_at, how) VALUES (?, ?, ?)", campaign.epoch, stamp(at), TAKEN_OVER
    )


def being_sent(campaign: Campaign, found: Progress) -> LedgerLockedError:
    return LedgerLockedError(
        f"run {campaign.epoch} is being sent by workers: {found.done:,} of {found.batches:,} batches are done",
        hint=f"to follow it, run: {command_line('status', '--watch')}\nto halt it, run: {command_line('halt')}",
    )


def sweep(
    database: PostgresDatabase,
    campaign: Campaign,
    *,
    living: Sequence[int],
    armed: Sequence[tuple[int, int, int | None, str]],
    before: datetime,
    at: datetime,
) -> int:
    """Records as unknown what dead workers left armed, and what was armed `before`. Returns how many. `living`: read after `armed`."""
    count = 0
    for batch, attempt, worker, armed_at in armed:
        if worker in living and datetime.fromisoformat(armed_at) >= before:
            continue
        database.run(SWEEP, batch, attempt, BROKE_OFF, campaign.epoch, stamp(at), batch, attempt)
        count += 1
    return count


def armed(
    database: PostgresDatabase, campaign: Campaign, last: int
) -> list[tuple[int, int, int | None, str]]:
    """(batch, attempt, worker, when) of attempts without an outcome."""
    return [
        (batch, attempt, worker, at)
        for batch, attempt, worker, at in database.rows(ARMED, campaign.first_batch, last)
    ]
