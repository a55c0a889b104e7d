"""`notifyctl status`: counts recipients by outcome, for each notification."""

from __future__ import annotations

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.exit_codes import ExitCode


@click.command("status")
@click.argument("notification", required=False)
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, notification: str | None, form: str) -> int:
    """Show the number of recipients by outcome and receipt, for each notification that was sent, and the decisions about them.

    Ends with exit code 7 while an outcome is unknown.

    \b
    notifyctl status
    notifyctl -e production status outage-sms --format json
    """
    from notifyctl.app.ledger import status
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import ledger as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    found = status(workspace, environment, notification)
    warn_of_ledger_error(workspace, environment)
    if form == "json":
        echo(view.status_json(found))
    else:
        echo(view.status_text(found, environment, colour=wants_colour(context)))
    return ExitCode.UNCERTAIN if any(row.uncertain for row in found.scopes) else ExitCode.DONE
