"""`notifyctl apply`: sends the planned messages, each once, or prints the exact requests with --dry-run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import click
from msgspec.structs import replace

from notifyctl.cli.options import (
    as_of_option,
    ask,
    echo,
    force_option,
    format_option,
    get_globals,
    global_options,
    only_option,
    reveal_option,
    wants_colour,
)
from notifyctl.cli.plan_progress import PlanProgressLines, memory_option
from notifyctl.command_line import command_line
from notifyctl.errors import InterruptedRunError, UsageError
from notifyctl.exit_codes import ExitCode
from notifyctl.plan.actions import Action

if TYPE_CHECKING:
    from notifyctl.app.apply import Applied
    from notifyctl.app.outputs import Outputs
    from notifyctl.app.workspace import Workspace
    from notifyctl.apply.run import Event as RunEvent
    from notifyctl.apply.run import Stop
    from notifyctl.model.project import Environment
    from notifyctl.plan.model import Plan
    from notifyctl.plan.saved import SavedPlan


@click.command("apply")
@click.argument(
    "plan_file", required=False, metavar="[PLAN]", type=click.Path(path_type=Path, dir_okay=False)
)
@only_option
@click.option(
    "--expect",
    metavar="DIGEST",
    help="Send only if the plan has this digest. Required without a terminal.",
)
@click.option(
    "--accepted",
    is_flag=True,
    help="Send what was accepted with `notifyctl accept` and is due, without confirmation. Anything else waits.",
)
@click.option(
    "--workers",
    is_flag=True,
    help="Hand the batches over to running workers (`notifyctl worker`) and follow them. Needs a ledger in PostgreSQL.",
)
@click.option("--dry-run", is_flag=True, help="Print the exact requests. Sends nothing and changes no file.")
@as_of_option
@click.option(
    "--failures",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write failed rows, with reasons, to FILE in the format of the audience.",
)
@force_option
@memory_option
@reveal_option
@format_option("text", "json")
@global_options
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    plan_file: Path | None,
    only: tuple[str, ...],
    expect: str | None,
    accepted: bool,  # noqa: FBT001 - click passes flags by name
    workers: bool,  # noqa: FBT001
    dry_run: bool,  # noqa: FBT001
    as_of_time: datetime | None,
    failures: Path | None,
    force: bool,  # noqa: FBT001
    reveal: bool,  # noqa: FBT001
    form: str,
) -> int:
    """Send what the plan shows. Each message is sent once, and each request is recorded before it is sent.

    With PLAN, a file from `plan --out`, send only what was reviewed, minus recipients who no longer need it. A plan file
    can be used once.

    With --accepted, send only recurring notifications that were accepted, until their acceptance ends; all else waits, and the exit
    code is 3.

    At a terminal, confirm by typing the number of recipients. Without one, pass the reviewed digest with --expect. The
    sandbox needs no confirmation. Press Ctrl-C to stop: requests in flight are finished and recorded.

    With --workers, workers send what this command planned and recorded. Press Ctrl-C to stop following them: they continue, and
    `notifyctl halt` stops them.

    \b
    notifyctl apply
    notifyctl -e production apply --expect sha256:…
    notifyctl -e production apply december.plan --expect sha256:…
    notifyctl -e production apply --accepted
    notifyctl -e production apply --workers --expect sha256:…
    notifyctl apply --dry-run --reveal --format json
    notifyctl apply --dry-run --as-of 2026-12-07T09:00
    """
    from notifyctl.app.as_of import as_of
    from notifyctl.app.plan_file import read_plan_file
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    if accepted and (plan_file is not None or expect is not None):
        raise UsageError(
            "--accepted cannot be used with a plan file or --expect: it sends what was accepted, and asks for nothing else"
        )
    if as_of_time is not None and not dry_run:
        refuse_as_of(as_of_time)
    workspace = replace(open_workspace(settings.chdir), show_progress=PlanProgressLines())
    environment = workspace.environment(settings.env)
    if dry_run:
        workspace = as_of(workspace, as_of_time)
        return print_requests(
            context, workspace, environment, only=only, accepted=accepted, reveal=reveal, form=form
        )
    outputs = check_outputs(workspace, failures, force=force) if failures is not None else None
    saved = read_plan_file(plan_file) if plan_file is not None else None
    if saved is not None and only:
        raise UsageError(
            "--only cannot be used with a plan file, which lists what is sent",
            hint=f"to make another plan file, run: {command_line('plan', '--out', 'FILE')}",
        )
    applied = send(
        context,
        workspace,
        environment,
        only=only,
        saved=saved,
        expect=expect,
        accepted=accepted,
        workers=workers,
        form=form,
    )
    if failures is not None and outputs is not None:
        write_failures_file(workspace, environment, applied, failures, outputs)
    return exit_code(applied)


def refuse_as_of(time: datetime) -> NoReturn:
    """Raises UsageError: what is sent is sent now."""
    moment = time.isoformat()
    raise UsageError(
        "--as-of can be used only with --dry-run: apply sends what is due now; nothing was sent",
        hint=f"to see the requests of that time, run: {command_line('apply', '--dry-run', '--as-of', moment)}",
    )


def print_requests(
    context: click.Context,
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...],
    accepted: bool,
    reveal: bool,
    form: str,
) -> int:
    from notifyctl.app.apply import prepare_requests as requests
    from notifyctl.app.as_of import asked_for, not_now
    from notifyctl.views import requests as view

    count, recipients, time = 0, 0, asked_for(workspace)
    if line := not_now(workspace):
        echo(line, stderr=True)
    for batch, request in requests(workspace, environment, only=only, accepted_only=accepted):
        count, recipients = count + 1, recipients + batch.size
        if form == "json":
            echo(view.as_json_line(batch, request, reveal=reveal, more=time))
        else:
            echo(view.as_text(batch, request, reveal=reveal, colour=wants_colour(context)), verbatim=True)
    echo(view.summary_line(count, recipients), stderr=True)
    return ExitCode.DONE


def send(
    context: click.Context,
    workspace: Workspace,
    environment: Environment,
    *,
    only: tuple[str, ...],
    saved: SavedPlan | None,
    expect: str | None,
    accepted: bool,
    workers: bool,
    form: str,
) -> Applied:
    from notifyctl.app.apply import apply
    from notifyctl.app.runner.lock import is_running
    from notifyctl.apply.run import Stop
    from notifyctl.cli.apply_progress import show_apply_progress
    from notifyctl.plan.next_send import find_next
    from notifyctl.views import apply as view
    from notifyctl.views import plan as plan_view

    shown_digests: list[str] = []

    def show(plan: Plan) -> None:
        # Standard output is reserved for the result of the run.
        if plan.digest not in shown_digests:
            shown_digests.append(plan.digest)
            echo(plan_view.as_text(plan, colour=wants_colour(context, stderr=True)), stderr=True)

    stop, begun = Stop(), Event()
    with (
        stop_on_signals(stop, begun, following=workers),
        show_apply_progress(colour=wants_colour(context, stderr=True)) as display,
    ):

        def handle_event(event: RunEvent) -> None:
            begun.set()
            display(event)

        applied = apply(
            workspace,
            environment,
            only=only,
            saved=saved,
            expect=expect,
            accepted_only=accepted,
            confirm=confirm_recipients if sys.stdin.isatty() and sys.stderr.isatty() else None,
            on_plan=show,
            on_event=handle_event,
            stop=stop,
            by_workers=workers,
        )
    following = find_next(applied.plan, running=is_running(workspace.root, environment.name))
    echo(
        view.as_json(applied.plan, applied.report, following=following)
        if form == "json"
        else view.as_text(applied.plan, applied.report, following=following, colour=wants_colour(context))
    )
    return applied


def check_outputs(workspace: Workspace, failures: Path, *, force: bool) -> Outputs:
    """What the command may write. Raises UsageError before anything is sent."""
    from notifyctl.app.failures import possible_targets
    from notifyctl.app.outputs import outputs_of

    outputs = outputs_of(workspace, force=force)
    outputs.check(*possible_targets(workspace, failures))
    return outputs


def write_failures_file(
    workspace: Workspace, environment: Environment, applied: Applied, file: Path, outputs: Outputs
) -> None:
    from notifyctl.app.failures import write_failures
    from notifyctl.plurals import pluralise

    for path, count in write_failures(workspace, environment, applied.plan, file, outputs):
        echo(f"Wrote {pluralise(count, 'failed row')} to {path}", stderr=True)


def confirm_recipients(plan: Plan) -> bool:
    """Asks the user to type the number of recipients. Returns whether it matches."""
    from notifyctl.plurals import pluralise
    from notifyctl.views.plan import describe_pace
    from notifyctl.views.times import describe_run

    for planned in plan.notifications:
        for sign, line in describe_run(planned, plan.as_of):
            echo(f"{'⚠ ' if sign else ''}{planned.name}: {line}", stderr=True)
    if pace := describe_pace(plan):
        echo(pace, stderr=True)
    answer = ask(
        f"This sends to {pluralise(plan.sends, 'recipient')} in `{plan.environment}` and cannot be undone. Type the number of"
        " recipients to continue"
    )
    return answer.replace(",", "") == str(plan.sends)


def exit_code(applied: Applied) -> ExitCode:
    """Returns the most serious exit code that applies, from the run's report and its plan."""
    from notifyctl.views.times import is_refused

    report, summary = applied.report, applied.plan.summary
    if report is not None and report.refused:
        return ExitCode.ERROR
    if report is not None and report.interrupted:
        return ExitCode.INTERRUPTED
    if summary[Action.UNCERTAIN] or (report is not None and report.unknown):
        return ExitCode.UNCERTAIN
    if report is not None and report.rejected:
        return ExitCode.REJECTIONS
    if summary[Action.BLOCKED] or summary[Action.CHANGED] or applied.plan.missed:
        return ExitCode.BLOCKED
    if report is not None and report.expired:
        return ExitCode.BLOCKED
    if any(map(is_refused, applied.plan.notifications)):
        return ExitCode.BLOCKED
    return ExitCode.DONE


@contextmanager
def stop_on_signals(stop: Stop, begun: Event, *, following: bool = False) -> Iterator[None]:
    """Handles Ctrl-C and SIGTERM during a run.

    Once sending has `begun`, the first signal requests an orderly stop and the second one interrupts at once; the
    ledger has recorded the requests in flight. Before that, the first signal interrupts. `following`: others send, and continue.

    Raises InterruptedRunError for an interrupt after sending has begun.
    """

    def ask_to_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        if stop.requested or not begun.is_set():
            raise KeyboardInterrupt
        stop.request()
        if following:
            return
        message = "Stopping: finishing requests in flight; no new requests will start. Press Ctrl-C again to stop immediately."
        echo(message, stderr=True)

    before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        if not begun.is_set():
            raise
        hint = f"what was sent is recorded; to see it, run: {command_line('status')}"
        raise InterruptedRunError("interrupted", hint=hint) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
