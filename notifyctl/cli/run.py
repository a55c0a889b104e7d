"""`notifyctl run`: sends what is accepted when it is due, until it is stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from notifyctl.cli.log import Log, log_format_option
from notifyctl.cli.options import echo, format_option, get_globals, global_options
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.app.runner.events import RunnerEvent
    from notifyctl.app.runner.runner import Runner
    from notifyctl.apply.run import Stop


@click.command("run")
@click.option("--once", is_flag=True, help="Send what is accepted and due now, then exit.")
@click.option(
    "--ref",
    metavar="REF",
    help="Read the project at this branch, tag or commit of its git repository instead of the files in the folder.",
)
@click.option("--pull", is_flag=True, help="Fetch the branch of --ref first, at most once a minute.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Answer GET /healthz and /metrics at this address, for example 127.0.0.1:8473. Default: do not listen.",
)
@format_option("text", "json")
@log_format_option
@global_options
@click.pass_context
def command(
    context: click.Context,
    once: bool,  # noqa: FBT001 - click passes flags by name
    ref: str | None,
    pull: bool,  # noqa: FBT001
    listen: str | None,
    form: str,
    log_form: str,
) -> int:
    """Send recurring notifications that were accepted, each when it is due.

    Sleeps until something is due. Everything that was not accepted waits, and a line says what is missing. The state is in the
    ledger alone: the process can be stopped, killed and started again, and no recipient is sent an occurrence twice. Only one
    `run` is active for each environment; `apply` can run at the same time.

    With --listen, /healthz answers 503 while an occurrence expired unsent, waits, or has unknown outcomes, and while rounds fail.
    Each of these is also posted once to `alerts` of the environment. /metrics is for Prometheus.
    With --log-format json, all lines are JSON objects on standard error.

    With --once, the exit code is that of `apply`, and 3 if an occurrence expired unsent. Ctrl-C exits with 130, SIGTERM with 0;
    requests in flight are finished first.

    \b
    notifyctl -e production run --ref main --pull --listen 127.0.0.1:8473
    notifyctl -e production run --once
    """
    from notifyctl.app.environ import process_environ
    from notifyctl.app.monitoring.measurements import measure_place
    from notifyctl.app.monitoring.service_pages import serve_pages
    from notifyctl.app.runner.events import EventKind, RunnerEvent
    from notifyctl.app.runner.lock import hold_runner_lock
    from notifyctl.app.runner.project_sources import default_environment, open_source
    from notifyctl.app.runner.runner import Runner
    from notifyctl.app.workspace import find_root
    from notifyctl.apply.run import Stop
    from notifyctl.clock import SystemClock

    settings = get_globals(context)
    if pull and ref is None:
        raise UsageError(
            "--pull fetches the branch of --ref, which is missing", hint="add --ref, for example --ref main"
        )
    if once and listen is not None:
        raise UsageError("--listen cannot be used with --once, which exits")
    log = Log(log_form)
    root, environ, clock = find_root(settings.chdir), process_environ(), SystemClock()
    name = settings.env or default_environment(root, ref, pull=pull, environ=environ, clock=clock)
    signals = Signals(Stop(), log)

    def report(event: RunnerEvent) -> None:
        show(event, form=form, log=log, verbose=settings.verbose)

    def work() -> int:
        with hold_runner_lock(root, name, clock):
            source = open_source(root, ref, pull=pull, environment=name, environ=environ, clock=clock)
            runner = Runner(
                source,
                name,
                clock=clock,
                report=report,
                stop=signals.stop,
                busy=signals.set_busy,
                once=once,
            )
            if once:
                return run_once(runner, signals)
            serving = (
                serve_pages(listen, lambda: runner.health, lambda: measure_place(runner.place), clock)
                if listen is not None
                else nullcontext()
            )
            with signals.handled(), serving as url:
                try:
                    report(RunnerEvent(clock.now(), EventKind.STARTED, f"started for environment `{name}`"))
                    if url is not None:
                        log.say("listening", f"Health: {url}", url=url)
                    runner.run()
                except KeyboardInterrupt:
                    pass  # by a signal; what was sent is recorded
        report(RunnerEvent(clock.now(), EventKind.STOPPED, "stopped"))
        return ExitCode.DONE if signals.received == signal.SIGTERM else ExitCode.INTERRUPTED

    return log.guard(work)


def run_once(runner: Runner, signals: Signals) -> int:
    from notifyctl.cli.apply import exit_code

    with signals.handled():
        applied = runner.look()
    assert applied is not None, "the first look is a round, or raises"
    # What expired unsent is an error of the round that notices it, not of each one until it is out of sight.
    notifications = tuple(replace(each, missed=0) for each in applied.plan.notifications)
    code = exit_code(replace(applied, plan=replace(applied.plan, notifications=notifications)))
    return ExitCode.BLOCKED if code is ExitCode.DONE and runner.newly_expired else code


def show(event: RunnerEvent, *, form: str, log: Log, verbose: int) -> None:
    from notifyctl.app.runner.events import DETAIL
    from notifyctl.views import runner as view

    if event.kind in DETAIL and not verbose:
        return
    if log.is_json:
        counts = dict(event.counts)
        log.write(
            view.as_entry(event.at, event.kind.value, event.text, event.scope, counts, fields=event.fields)
        )
        return
    # A log that cannot be written any more is no reason to stop sending.
    with suppress(OSError):
        if form == "json":
            echo(view.as_json(event.at, event.kind.value, event.text, event.scope, dict(event.counts)))
        else:
            echo(view.as_text(event.at, event.text), verbatim=True)


class Signals:
    """Ctrl-C and SIGTERM. While requests are in flight, the first one asks for an orderly stop and the next one interrupts; at any
    other moment the first one interrupts, and nothing is lost: the ledger has it all.
    """

    def __init__(self, stop: Stop, log: Log | None = None) -> None:
        self.stop = stop
        self._log = log or Log("text")
        self.received: int | None = None
        self._busy = False

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001 - a switch
        self._busy = busy

    @contextmanager
    def handled(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._receive) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _receive(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        self.received = number
        if self.stop.requested or not self._busy:
            raise KeyboardInterrupt
        self.stop.request()
        self._log.say(
            "stopping",
            "Stopping: finishing requests in flight; no new requests will start. Press Ctrl-C again to stop immediately.",
        )
