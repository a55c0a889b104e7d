"""`notifyctl history`: lists past runs and decisions, with their time, author and commit."""

from __future__ import annotations

import click

from notifyctl.cli.ledger_warnings import warn_of_halt, warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.exit_codes import ExitCode


@click.command("history")
@click.argument("notification", required=False)
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, notification: str | None, form: str) -> int:
    """List past runs and decisions of an environment, latest first: who, when, from which commit, and the outcomes now.

    \b
    notifyctl -e production history
    notifyctl -e production history outage-sms --format json
    """
    from notifyctl.app.history import history
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import history as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    runs = history(workspace, environment, notification=notification)
    warn_of_ledger_error(workspace, environment)
    warn_of_halt(workspace, environment)
    echo(
        view.as_json(runs)
        if form == "json"
        else view.as_text(runs, environment, colour=wants_colour(context))
    )
    return ExitCode.DONE
