"""`notifyctl ledger`: make the record of who was sent what, or show what it holds."""

from __future__ import annotations

import click

from notifyctl.cli.options import colour, format_option, global_options, globals_of, say
from notifyctl.errors import ExitCode


@click.group("ledger")
@global_options
def command() -> None:
    """Make a ledger, or show what it holds. A ledger is made once for each environment and never silently."""


@command.command("init")
@global_options
@click.pass_context
def init(context: click.Context) -> int:
    """Make the ledger of an environment. Refuses where there is one.

    \b
    notifyctl -e production ledger init
    """
    from notifyctl.app.ledgers import create_ledger
    from notifyctl.app.workspace import open_workspace

    settings = globals_of(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    made = create_ledger(workspace, environment)
    say(f"Made the ledger of {environment.name!r}: {made.location}")
    say(f"Its lineage is {made.lineage}. Keep the file, and back it up: it alone knows who was sent what.")
    return ExitCode.DONE


@command.command("show")
@format_option("text", "json")
@global_options
@click.pass_context
def show(context: click.Context, form: str) -> int:
    """Show what the ledger of an environment holds: counts, no address, no text.

    \b
    notifyctl -e production ledger show --format json
    """
    from notifyctl.app.ledgers import show_ledger
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import ledger as view

    settings = globals_of(context)
    workspace = open_workspace(settings.chdir)
    summary = show_ledger(workspace, workspace.environment(settings.env))
    say(view.as_json(summary) if form == "json" else view.as_text(summary, colour=colour(context)))
    return ExitCode.DONE
