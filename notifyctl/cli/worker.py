"""`notifyctl worker`: sends the batches that `apply --workers` hands over, on any machine that has the project."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from notifyctl.cli.log import Log, log_format_option
from notifyctl.cli.options import format_option, get_globals, global_options
from notifyctl.cli.run import Signals, show
from notifyctl.errors import SettingsError, UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.app.workspace import Workspace
    from notifyctl.engine.queue import Queue
    from notifyctl.model.project import Environment


@click.command("worker")
@click.option("--once", is_flag=True, help="Exit when no campaign is open.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="N",
    help="Requests at a time. Default: `concurrency` of the environment's limits, which is also the maximum.",
)
@click.option(
    "--listen-notify/--no-listen-notify",
    default=True,
    show_default=True,
    help="Be notified of new jobs over a connection that stays open, in addition to looking for them.",
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.1, max=60),
    metavar="SECONDS",
    default=1.0,
    show_default=True,
    help="Seconds between two looks for jobs.",
)
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Answer GET /healthz and /metrics at this address, for example 127.0.0.1:8474. Default: do not listen.",
)
@log_format_option
@format_option("text", "json")
@global_options
@click.pass_context
def command(
    context: click.Context,
    once: bool,  # noqa: FBT001 - click passes flags by name
    concurrency: int | None,
    listen_notify: bool,  # noqa: FBT001
    poll: float,
    listen: str | None,
    log_form: str,
    form: str,
) -> int:
    """Send the batches that `notifyctl apply --workers` hands over.

    A worker needs the project's files, the credentials of the provider and the ledger's database (PostgreSQL). Start as many as you
    like, on any machines: they share one account's rate, and no recipient is sent a message twice. Before its first batch, a worker
    renders the project and compares it with the plan; if it differs, the worker sends nothing and shows why.

    A worker can be stopped, killed and started again at any time. Ctrl-C and SIGTERM finish the requests in flight; others continue
    with the rest. `notifyctl halt` stops all workers.

    \b
    notifyctl -e production worker
    notifyctl -e production worker --once --concurrency 4
    notifyctl -e production worker --listen 127.0.0.1:8474 --log-format json
    """
    from notifyctl.app.monitoring.measurements import measure_place
    from notifyctl.app.monitoring.service_pages import serve_pages
    from notifyctl.app.runner.events import RunnerEvent
    from notifyctl.app.workers.worker import Worker, WorkerSettings
    from notifyctl.app.workspace import open_workspace
    from notifyctl.apply.job import Stop
    from notifyctl.clock import SystemClock
    from notifyctl.engine.queue import Waking

    settings = get_globals(context)
    if once and listen is not None:
        raise UsageError("--listen cannot be used with --once, which exits")
    log, clock = Log(log_form), SystemClock()
    signals = Signals(Stop(), log)
    signals.set_busy(True)

    def report(event: RunnerEvent) -> None:
        show(event, form=form, log=log, verbose=settings.verbose)

    def read() -> tuple[Workspace, Environment]:
        workspace = open_workspace(settings.chdir)
        return workspace, workspace.environment(settings.env)

    def work() -> int:
        worker = Worker(
            read,
            open_queue,
            settings=WorkerSettings(concurrency, Waking(poll, listen_notify), once=once),
            report=report,
            stop=signals.stop,
        )
        serving = (
            serve_pages(listen, lambda: worker.health, lambda: measure_place(worker.place), clock)
            if listen is not None
            else nullcontext()
        )
        with signals.handled(), serving as url:
            if url is not None:
                log.say("listening", f"Health: {url}", url=url)
            worker.run()
        return ExitCode.INTERRUPTED if signals.received == signal.SIGINT else ExitCode.DONE

    return log.guard(work)


def open_queue(url: str) -> Queue:
    """Raises SettingsError without the library."""
    try:
        from notifyctl.engine.procrastinate_queue import ProcrastinateQueue
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] not in {
            "procrastinate",
            "psycopg",
            "psycopg_pool",
        }:
            raise
        raise SettingsError(
            "workers need a library that is not installed", hint="run: pip install 'notifyctl[postgres]'"
        ) from None
    return ProcrastinateQueue(url)
