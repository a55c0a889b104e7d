"""Reads how far sending has come, from any database: counts of rows, at a cost that does not depend on recipients."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from notifyctl.ledger.database import Database, Row
from notifyctl.ledger.facts import EVENTS_SINCE
from notifyctl.model.ledger import BatchState
from notifyctl.model.progress import LedgerProgress, RunProgress, Totals
from notifyctl.model.recipients import MEMBER_BYTES


def read_progress(database: Database) -> LedgerProgress:
    return LedgerProgress(read_totals(database), read_latest_run(database))


def read_totals(database: Database) -> Totals:
    outcomes = database.rows("SELECT kind, count(*) FROM outcome GROUP BY kind")
    accepted = database.number(
        f"SELECT coalesce(sum(length(members)), 0) / {MEMBER_BYTES} FROM outcome"  # noqa: S608 - our own number
        " JOIN batch ON batch.number = outcome.batch WHERE kind = 'accepted'"
    )
    has_receipts = database.facts_version() >= EVENTS_SINCE
    return Totals(
        attempts=database.number("SELECT count(*) FROM attempt"),
        outcomes={BatchState(kind): count for kind, count in outcomes},
        accepted=accepted,
        receipts=database.number("SELECT count(*) FROM receipt") if has_receipts else 0,
        records=database.serial(),
    )


def read_latest_run(database: Database) -> RunProgress | None:
    """The latest run that planned batches. Runs that only record, such as `resolve`, plan none."""
    row = database.row(
        "SELECT run.epoch, started_at, ended_at, how, (SELECT min(number) FROM batch WHERE batch.epoch = run.epoch)"
        " FROM run LEFT JOIN run_end ON run_end.epoch = run.epoch"
        " WHERE run.epoch = (SELECT epoch FROM batch ORDER BY number DESC LIMIT 1)"
    )
    if row is None:
        return None
    epoch, started, ended, how, first = row
    states = database.rows(
        "SELECT state, count(*), sum(recipients), min(at) FROM batch_state WHERE number >= ? GROUP BY state",
        first,
    )
    return RunProgress(
        epoch=epoch,
        started=datetime.fromisoformat(started),
        ended=datetime.fromisoformat(ended) if ended else None,
        how=how,
        batches={BatchState(state): count for state, count, _, _ in states},
        recipients={BatchState(state): int(recipients) for state, _, recipients, _ in states},
        first_batch=first,
        in_flight_since=oldest_in_flight(states),
    )


def oldest_in_flight(states: list[Row]) -> datetime | None:
    found: Mapping[str, str] = {state: at for state, _, _, at in states}
    at = found.get(BatchState.ARMED.value)
    return datetime.fromisoformat(at) if at is not None else None
