"""What `halt` and `resume` did: text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from notifyctl.command_line import command_line
from notifyctl.model.halting import Halt, Halted, InFlight, WhereStopped
from notifyctl.plurals import pluralise
from notifyctl.schedule.moments import format_time
from notifyctl.views.colours import strip_controls

FORMAT_VERSION = "1.0"
LISTED = 5
"""Batches in flight that are listed for each worker."""


def as_text(halted: Halted, timezone: str) -> str:
    return strip_controls("\n".join(_lines(halted, timezone)))


def _lines(halted: Halted, timezone: str) -> Iterator[str]:
    yield f"Halted {by(halted.halt, timezone)}. No further request starts."
    if halted.run is None:
        yield "No run is active."
    for worker in halted.workers:
        yield f"  {name_of(worker)}: {describe(worker)}"
    if halted.not_attempted:
        yield (
            f"Not attempted: {halted.not_attempted:,} of {pluralise(halted.batches, 'batch', 'batches')} of run {halted.run}."
        )
    left = halted.in_flight
    if left:
        yield (
            f"{pluralise(sum(each.recipients for each in left), 'recipient')}: outcome not recorded yet. They are not sent the message again"
            f" until it is known; to see them, run: {command_line('status')}"
        )
    yield f"To continue, run: {command_line('resume')}"


def by(halt: Halt, timezone: str) -> str:
    why = f": {halt.reason}" if halt.reason else ""
    return f"by {halt.who} at {format_time(halt.at, timezone)}{why}"


def name_of(worker: WhereStopped) -> str:
    return worker.name if worker.worker is None else f"worker {worker.worker} ({worker.name})"


def describe(worker: WhereStopped) -> str:
    """Where it stopped, and what is not known of it."""
    if worker.last_batch is None:
        return "attempted no batch"
    begun = f"batch {worker.last_batch}, {pluralise(worker.requests, 'request')} in all"
    if not worker.in_flight:
        return f"stopped after {begun}"
    batches = ", ".join(str(each.batch) for each in worker.in_flight[:LISTED])
    batches += ", …" if len(worker.in_flight) > LISTED else ""
    count = pluralise(len(worker.in_flight), "request")
    if worker.alive:
        return f"{count} still in flight (batch {batches}); last: {begun}"
    return f"is not running; {count} without a recorded outcome (batch {batches}); last: {begun}"


def as_json(halted: Halted) -> str:
    return json.dumps(
        {
            "format_version": FORMAT_VERSION,
            "halted": halt_object(halted.halt),
            "run": halted.run,
            "batches": halted.batches,
            "not_attempted": halted.not_attempted,
            "workers": [worker_object(each) for each in halted.workers],
        },
        indent=2,
        ensure_ascii=False,
    )


def halt_object(halt: Halt) -> dict[str, Any]:
    return {"who": halt.who, "at": halt.at.isoformat(), "reason": halt.reason}


def worker_object(worker: WhereStopped) -> dict[str, Any]:
    return {
        "worker": worker.worker,
        "name": worker.name,
        "running": worker.alive,
        "requests": worker.requests,
        "last_batch": worker.last_batch,
        "in_flight": [flight_object(each) for each in worker.in_flight],
    }


def flight_object(each: InFlight) -> dict[str, Any]:
    return {
        "batch": each.batch,
        "attempt": each.attempt,
        "at": each.at.isoformat(),
        "recipients": each.recipients,
    }


def resumed_text(halt: Halt | None, timezone: str) -> str:
    if halt is None:
        return "Sending is not halted. Nothing was changed."
    return strip_controls(f"Resumed. It was halted {by(halt, timezone)}.")


def resumed_json(halt: Halt | None) -> str:
    found = None if halt is None else halt_object(halt)
    return json.dumps({"format_version": FORMAT_VERSION, "resumed": found}, indent=2, ensure_ascii=False)
