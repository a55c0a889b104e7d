"""`status --watch`: looks at a ledger again and again, by cheap counts, until what is being sent has ended."""

from __future__ import annotations

from collections.abc import Iterator

from notifyctl.app.ledger import lock_holder, no_ledger
from notifyctl.app.monitoring.measurements import Measurements, measure
from notifyctl.app.workspace import Workspace
from notifyctl.model.progress import Look, Rates
from notifyctl.model.project import Environment


def watch(workspace: Workspace, environment: Environment, *, every: float) -> Iterator[tuple[Look, Rates]]:
    """Yields what is seen each `every` seconds. Ends with the run; at once if nothing is being sent. Raises LedgerError if there
    is no ledger.
    """
    before: Look | None = None
    while True:
        now = look(workspace, environment, before)
        yield now, rates(before, now)
        if not now.active:
            return
        before = now
        workspace.clock.sleep(every)


def look(workspace: Workspace, environment: Environment, before: Look | None = None) -> Look:
    found = measure(workspace, environment)
    if found is None:
        raise no_ledger(environment, planning=False)
    active = is_active(workspace, environment, found, before)
    return Look(workspace.clock.now(), workspace.clock.monotonic(), active, found.ledger, found.workers)


def is_active(
    workspace: Workspace, environment: Environment, found: Measurements, before: Look | None
) -> bool:
    """Whether a campaign is open, or a run has neither ended nor died."""
    campaign = found.workers.campaign if found.workers is not None else None
    if campaign is not None and campaign.ended is None:
        return True
    run = found.ledger.run
    if run is None or run.ended is not None:
        return False
    moved = before is not None and before.ledger.totals != found.ledger.totals
    # To ask who has the lock of a file takes it for a moment, so nobody is asked while records keep coming.
    return moved or lock_holder(workspace, environment) is not None


def rates(before: Look | None, now: Look) -> Rates:
    seconds = now.monotonic - before.monotonic if before is not None else 0.0
    if before is None or seconds <= 0:
        return Rates()
    earlier, later = before.ledger.totals, now.ledger.totals
    known = {each.id: each.recipients for each in before.workers.workers} if before.workers else {}
    workers = now.workers.workers if now.workers is not None else ()
    return Rates(
        recipients=(later.accepted - earlier.accepted) / seconds,
        requests=(later.attempts - earlier.attempts) / seconds,
        receipts=(later.receipts - earlier.receipts) / seconds,
        workers={
            each.id: max(each.recipients - known[each.id], 0) / seconds
            for each in workers
            if each.id in known
        },
    )
