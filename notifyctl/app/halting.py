"""Use cases of `halt` and `resume`: stop all workers of a ledger, say where each stopped, and let them continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from notifyctl.app.ledger import actor_of, lock_holder, no_ledger, postgres_store
from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import HaltedError, SettingsError
from notifyctl.model.halting import Halt, Halted, InFlight
from notifyctl.model.project import Environment
from notifyctl.ports import Clock

if TYPE_CHECKING:
    from psycopg import Connection

WAIT = 60.0
"""Seconds to wait for requests in flight by default: twice as long as the longest request."""
LOOK = 0.25
"""Seconds between two looks."""


def halt_workers(
    workspace: Workspace,
    environment: Environment,
    *,
    reason: str | None = None,
    wait: float = WAIT,
    on_wait: Callable[[Sequence[InFlight]], None],
) -> Halted:
    """Halts sending, and waits until the outcomes of requests in flight are recorded, for at most `wait` seconds.

    Does not wait for those of a worker that has died: nobody will record them. `on_wait` is told once what is waited for.

    Raises SettingsError for a ledger that has no workers, and LedgerError.
    """
    from notifyctl.ledger.postgresql.halting import halt
    from notifyctl.ledger.postgresql.in_flight import active_run, count_batches, find_in_flight, where_stopped

    with halting_session(workspace, environment, "halt") as connection:
        found = halt(connection, reason, actor_of(workspace), workspace.clock.now())
        run = active_run(connection)
        if run is None:
            return Halted(found, None, 0, 0, ())
        known = find_in_flight(connection, run[0])
        if known:
            on_wait(known)
            known = wait_for(connection, known, workspace.clock, wait)
        batches, not_attempted = count_batches(connection, run[0])
        return Halted(found, run[0], batches, not_attempted, tuple(where_stopped(connection, run, known)))


def wait_for(
    connection: Connection[Any], known: list[InFlight], clock: Clock, seconds: float
) -> list[InFlight]:
    """What is still not recorded then."""
    from notifyctl.ledger.postgresql.in_flight import living, still_in_flight

    until = clock.monotonic() + seconds
    while known and clock.monotonic() < until:
        alive = living(connection)
        known = still_in_flight(connection, known)
        if not any(each.worker in alive for each in known):
            break
        clock.sleep(LOOK)
    return known


def resume_workers(workspace: Workspace, environment: Environment) -> Halt | None:
    """Ends the halt and returns it; None if sending was not halted. Raises as `halt_workers` does."""
    from notifyctl.ledger.postgresql.halting import resume

    with halting_session(workspace, environment, "resume") as connection:
        return resume(connection, actor_of(workspace), workspace.clock.now())


def find_halt(workspace: Workspace, environment: Environment) -> HaltedError | None:
    """Why nothing is sent at present; None if sending is not halted, or for a ledger that has no workers, or does not exist."""
    if environment.ledger.url is None:
        return None
    store = postgres_store(workspace, environment)
    if not store.exists():
        return None
    from notifyctl.ledger.postgresql.halting import halted, halted_error

    with closing(store.connect()) as database:
        found = halted(database.connection)
    return halted_error(found) if found is not None else None


@contextmanager
def halting_session(
    workspace: Workspace, environment: Environment, command: str
) -> Iterator[Connection[Any]]:
    """A session with the ledger's database, which must be the ledger of this environment."""
    if environment.ledger.url is None:
        raise no_workers(workspace, environment, command)
    store = postgres_store(workspace, environment)
    if not store.exists():
        raise no_ledger(environment, planning=False)
    database = store.connect()
    try:
        store.identify(database)
        with database.session() as connection:
            yield connection
    finally:
        database.close()


def no_workers(workspace: Workspace, environment: Environment, command: str) -> SettingsError:
    """What to do instead where one process sends."""
    message = (
        f"`{command}` is for workers, and environment `{environment.name}` has none: its ledger is in SQLite"
    )
    if command == "resume":
        return SettingsError(message, hint=f"to continue an interrupted run, run: {command_line('apply')}")
    holder = lock_holder(workspace, environment)
    if holder is None:
        return SettingsError(f"{message}; no run is active")
    return SettingsError(
        f"{message}; it is locked by {holder}",
        hint="to stop that run after the requests in flight, press Ctrl-C in its terminal, or send SIGTERM to its process"
        f"\nto continue it later, run: {command_line('apply')}",
    )
