"""`notifyctl status`: counts recipients by outcome, for each notification, and watches what is being sent."""

from __future__ import annotations

import click

from notifyctl.app.workspace import Workspace
from notifyctl.cli.ledger_warnings import warn_of_halt, warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode
from notifyctl.model.project import Environment

EVERY = 2.0
"""Seconds between two looks."""


@click.command("status")
@click.argument("notification", required=False)
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.FloatRange(min=0.1, max=3600),
    is_flag=False,
    flag_value=EVERY,
    help="Show the progress of the latest run every SECONDS (default 2) until it ends: rates, requests in flight, workers, backlog.",
)
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, notification: str | None, watch: float | None, form: str) -> int:
    """Show the number of recipients by outcome and receipt, for each notification that was sent, and the decisions about them.

    Ends with exit code 7 while an outcome is unknown.

    With --watch, a terminal is redrawn; elsewhere one line is printed each time. It ends with the run that is active, and at once
    if none is; Ctrl-C exits with 130. It reads counts only, so that it costs a large ledger little.

    \b
    notifyctl status
    notifyctl -e production status outage-sms --format json
    notifyctl -e production status --watch 5
    """
    from notifyctl.app.ledger import status
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import ledger as view

    settings = get_globals(context)
    if watch is not None and notification is not None:
        raise UsageError("--watch shows a whole run and cannot be limited to a notification")
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    if watch is not None:
        return watch_run(context, workspace, environment, every=watch, form=form)
    found = status(workspace, environment, notification)
    warn_of_ledger_error(workspace, environment)
    warn_of_halt(workspace, environment)
    if form == "json":
        echo(view.status_json(found))
    else:
        echo(view.status_text(found, environment, colour=wants_colour(context)))
    return ExitCode.UNCERTAIN if any(row.uncertain for row in found.scopes) else ExitCode.DONE


def watch_run(
    context: click.Context, workspace: Workspace, environment: Environment, *, every: float, form: str
) -> int:
    from notifyctl.app.monitoring.watch import watch as run
    from notifyctl.cli.watching import show_watch
    from notifyctl.model.ledger import BatchState

    unknown = 0
    try:
        with show_watch(form=form, colour=wants_colour(context)) as display:
            for look, rates in run(workspace, environment, every=every):
                display(look, rates)
                unknown = look.count(BatchState.UNKNOWN)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.UNCERTAIN if unknown else ExitCode.DONE
