"""What `status --watch` shows: a block for a terminal, a line for a file, an object for a program. Counts only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

from notifyctl.command_line import command_line
from notifyctl.model.ledger import BatchState
from notifyctl.model.progress import Backlog, CampaignProgress, Look, Rates, WorkerProgress
from notifyctl.plurals import pluralise
from notifyctl.views.colours import Paint, strip_controls
from notifyctl.views.ledger_words import KEYS, LABELS

FORMAT_VERSION = "1.0"
LABEL_WIDTH = 16
NUMBER_WIDTH = 11
MINUTE, HOUR = 60, 3600


def as_line(look: Look, rates: Rates) -> str:
    return f"{look.at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC}  {', '.join(_parts(look, rates))}"


def _parts(look: Look, rates: Rates) -> Iterator[str]:
    run, workers = look.run, look.workers
    if run is None:
        yield "nothing was sent yet"
        return
    yield f"run {run.epoch}: {look.count(BatchState.ACCEPTED):,} of {pluralise(look.recipients, 'recipient')} accepted"
    yield f"{look.count(BatchState.REJECTED):,} not accepted"
    yield f"{look.count(BatchState.UNKNOWN):,} unknown"
    yield f"{pluralise(run.in_flight, 'request')} in flight"
    yield f"{rates.recipients:,.0f}/s"
    if workers is not None:
        yield pluralise(len(workers.workers), "worker")
        yield from _waiting(workers.backlog)
    if run.how is not None:
        yield run.how


def _waiting(backlog: Backlog) -> Iterator[str]:
    if backlog.receipts:
        yield f"{pluralise(backlog.receipts, 'receipt')} waiting, oldest {format_seconds(backlog.receipt_seconds)}"
    if backlog.halted:
        yield "halted"


def as_block(look: Look, rates: Rates, paint: Paint) -> list[str]:
    return list(_block(look, rates, paint))


def _block(look: Look, rates: Rates, paint: Paint) -> Iterator[str]:
    run = look.run
    if run is None:
        yield "Nothing was sent yet."
        return
    ended = f" · {run.how}" if run.how is not None else ""
    yield f"{paint.bold(f'Run {run.epoch}')} · {pluralise(look.recipients, 'recipient')} · {look.at.astimezone(UTC):%H:%M:%S UTC}{ended}"
    shades = {
        BatchState.ACCEPTED: paint.green,
        BatchState.REJECTED: paint.red,
        BatchState.UNKNOWN: paint.red,
        BatchState.PLANNED: paint.yellow,
    }
    for state, shade in shades.items():
        yield _row(LABELS[state], look.count(state), shade=(shade if look.count(state) else paint.dim))
    since = run.in_flight_since
    oldest = f"oldest {format_seconds((look.at - since).total_seconds())}" if since is not None else ""
    yield _row("in flight", run.in_flight, oldest)
    left = look.count(BatchState.PLANNED)
    until = (
        f"about {format_seconds(left / rates.recipients)} left" if rates.recipients > 0 and left > 0 else ""
    )
    yield _row("recipients/s", rates.recipients, until)
    yield _row("requests/s", rates.requests)
    yield _row("receipts/s", rates.receipts)
    yield from _workers(look, rates, paint)


def _row(label: str, number: float, more: str = "", *, shade: Any = str) -> str:
    return f"  {shade(label.ljust(LABEL_WIDTH))} {number:>{NUMBER_WIDTH},.0f}{f'  {more}' if more else ''}"


def _workers(look: Look, rates: Rates, paint: Paint) -> Iterator[str]:
    if look.workers is None:
        return
    backlog, campaign = look.workers.backlog, look.workers.campaign
    if waiting := backlog.jobs.get("todo", 0):
        yield _row("jobs waiting", waiting, f"oldest {format_seconds(backlog.job_seconds)}")
    if backlog.receipts:
        yield _row("receipts waiting", backlog.receipts, f"oldest {format_seconds(backlog.receipt_seconds)}")
    for each in look.workers.workers:
        counts = (
            f"{pluralise(each.recipients, 'recipient')}, {pluralise(each.in_flight, 'request')} in flight"
        )
        rate = f"{rates.workers.get(each.id, 0.0):,.0f}/s"
        yield f"  {f'worker {each.id}'.ljust(LABEL_WIDTH)} {rate:>{NUMBER_WIDTH}}  {counts}  {paint.dim(strip_controls(each.name))}"
    if backlog.halted:
        yield paint.red(f"Sending is halted. To continue, run: {command_line('resume')}")
    elif campaign is not None and campaign.ended is None and not look.workers.workers:
        yield paint.red(f"No worker is running. To start one, run: {command_line('worker')}")


def format_seconds(duration: float) -> str:
    """`8 s`, `3 min`, `2 h 5 min`."""
    whole = max(int(duration), 0)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    return f"{whole // HOUR:,} h {whole % HOUR // MINUTE} min"


def as_json(look: Look, rates: Rates) -> str:
    """One line."""
    run, workers = look.run, look.workers
    since = run.in_flight_since if run is not None else None
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "at": look.at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "active": look.active,
        "run": run.epoch if run is not None else None,
        "how": run.how if run is not None else None,
        "recipients": look.recipients,
        "by_state": {key: look.count(state) for state, key in KEYS.items()},
        "requests_in_flight": run.in_flight if run is not None else 0,
        "oldest_in_flight_seconds": round((look.at - since).total_seconds(), 3)
        if since is not None
        else None,
        "recipients_per_second": round(rates.recipients, 3),
        "requests_per_second": round(rates.requests, 3),
        "receipts_per_second": round(rates.receipts, 3),
        "campaign": _campaign(workers.campaign) if workers is not None else None,
        "workers": [_worker(each, rates) for each in workers.workers] if workers is not None else [],
        "backlog": _backlog(workers.backlog) if workers is not None else None,
    }
    return json.dumps(document, ensure_ascii=False)


def _campaign(campaign: CampaignProgress | None) -> dict[str, Any] | None:
    if campaign is None:
        return None
    return {"run": campaign.epoch, "batches": campaign.batches, "done": campaign.done, "how": campaign.how}


def _worker(worker: WorkerProgress, rates: Rates) -> dict[str, Any]:
    return {
        "id": worker.id,
        "name": worker.name,
        "requests": worker.requests,
        "in_flight": worker.in_flight,
        "recipients": worker.recipients,
        "recipients_per_second": round(rates.workers.get(worker.id, 0.0), 3),
    }


def _backlog(backlog: Backlog) -> dict[str, Any]:
    return {
        "jobs": dict(backlog.jobs),
        "oldest_job_seconds": round(backlog.job_seconds, 3),
        "receipts": backlog.receipts,
        "oldest_receipt_seconds": round(backlog.receipt_seconds, 3),
        "pace_ahead_seconds": round(backlog.pace_seconds, 3),
        "halted": backlog.halted,
    }
