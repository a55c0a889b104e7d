"""The queue in the ledger's own database, by Procrastinate: jobs are committed together with the records they follow from.

Of its settings: a job that is done is deleted, whatever became of it, because the ledger has it all, and the table stays as small as the
work in hand. No job has a lock of the queue (slow, and not needed: two workers with one batch meet in the ledger).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision, exceptions, sql
from procrastinate.jobs import Job
from procrastinate.types import JSONValue

from notifyctl.engine.daemon_threads import DaemonThreads
from notifyctl.engine.queue import HEARTBEAT, STALE, Send, Waking
from notifyctl.errors import LedgerError

if TYPE_CHECKING:
    from psycopg import Connection

TASK, QUEUE = "notifyctl.send", "send"
LOOK = 0.1
"""Seconds between two looks whether to stop."""
CONNECT_TIMEOUT = 3.0
"""Seconds to wait for a connection of the pool. Who waited in vain says so, and tries again."""

LIVE = (
    "SELECT DISTINCT (args ->> 'batch')::bigint FROM procrastinate_jobs"
    " WHERE status IN ('todo', 'doing') AND task_name = %s"
)


class ComeAgainError(Exception):
    """The job is to come again: nothing of it was sent, or it was certainly not accepted."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ComeAgain(BaseRetryStrategy):
    """A job comes again when the ledger said so, and never because something failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        if not isinstance(exception, ComeAgainError):
            return None
        return RetryDecision(retry_in={"milliseconds": round(exception.seconds * 1000)})


class ProcrastinateQueue:
    """Implements Queue. `url`: of the database; only `serve` connects to it."""

    def __init__(self, url: str, *, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        self._url = url
        self._connect_timeout = connect_timeout
        quiet()

    def defer(self, connection: Connection[Any], batches: Sequence[int]) -> None:
        if not batches:
            return
        app = App(connector=PsycopgConnector())
        deferrer = app.configure_task(TASK, queue=QUEUE, connection=connection)
        try:
            deferrer.batch_defer(*[dict[str, JSONValue](batch=number) for number in batches])
        except exceptions.ProcrastinateException as error:
            raise unreachable(error) from error
        # Else the planner takes the table for empty until autovacuum comes, and workers get about one job a second.
        connection.execute("ANALYZE procrastinate_jobs")

    def live_batches(self, connection: Connection[Any]) -> frozenset[int]:
        return frozenset(number for (number,) in connection.execute(LIVE, (TASK,)).fetchall())

    def revive(self, connection: Connection[Any], *, stale: float = STALE) -> int:
        values = {"seconds_since_heartbeat": stale, "queue": QUEUE, "task_name": TASK}
        stalled = connection.execute(sql.queries["select_stalled_jobs_by_heartbeat"], values).fetchall()
        for number, *_ in stalled:
            connection.execute("SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", (number,))
        return len(stalled)

    def serve(
        self,
        send: Send,
        *,
        concurrency: int,
        waking: Waking,
        stopping: Callable[[], bool],
    ) -> None:
        asyncio.run(self._serve(send, concurrency, waking, stopping))

    async def _serve(
        self, send: Send, concurrency: int, waking: Waking, stopping: Callable[[], bool]
    ) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        connector = PsycopgConnector(
            conninfo=self._url,
            min_size=1,
            max_size=4,
            timeout=self._connect_timeout,
            kwargs={"prepare_threshold": None, "application_name": "notifyctl queue"},
        )
        app, threads = App(connector=connector), DaemonThreads(concurrency)
        defects: list[BaseException] = []

        @app.task(name=TASK, queue=QUEUE, retry=ComeAgain())
        async def handle(batch: int) -> None:
            try:
                again = await threads.call(send, batch)
            except BaseException as error:
                defects.append(error)
                raise
            if again is not None:
                raise ComeAgainError(again)

        failure: BaseException | None = None
        try:
            async with app.open_async():
                await run_until(app, concurrency, waking, lambda: bool(defects) or stopping())
        except (exceptions.ProcrastinateException, OSError) as error:
            failure = unreachable(error)
        except Exception as error:
            if not is_of_the_pool(error):
                raise
            failure = unreachable(error)
        finally:
            threads.stop()
        if defects:
            raise defects[0]
        if failure is not None:
            raise failure


async def run_until(app: App, concurrency: int, waking: Waking, stopping: Callable[[], bool]) -> None:
    """Runs a worker until `stopping`, and then until the jobs in hand are done."""
    worker = asyncio.ensure_future(
        app.run_worker_async(
            queues=[QUEUE],
            concurrency=concurrency,
            fetch_job_polling_interval=waking.poll,
            listen_notify=waking.listen,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALE,
        )
    )
    while not worker.done() and not stopping():
        await asyncio.wait([worker], timeout=LOOK)
    worker.cancel()  # which asks it to end in order
    with suppress(asyncio.CancelledError):
        await worker


def is_of_the_pool(error: Exception) -> bool:
    import psycopg
    import psycopg_pool

    return isinstance(error, psycopg.Error | psycopg_pool.PoolTimeout)


def unreachable(error: Exception) -> LedgerError:
    cause = error.__cause__ or error
    text = str(cause).partition("\n")[0] or type(cause).__name__
    return LedgerError(f"the queue in the ledger's database cannot be used: {text}")


def quiet() -> None:
    """What these libraries log is told by us, as far as anyone can do something about it."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
