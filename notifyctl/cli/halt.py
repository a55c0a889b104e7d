"""`notifyctl halt`: stops all workers of an environment within the requests in flight."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("halt")
@click.option(
    "--reason",
    metavar="TEXT",
    help="Why. Stored in the ledger with your name, and shown by every command that refuses to send.",
)
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="How long to wait for the outcomes of requests in flight.",
)
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, reason: str | None, wait: float, form: str) -> int:
    """Stop all workers of an environment, and show where each stopped.

    No request starts after the command has recorded the halt. It then waits for the outcomes of requests in flight. Nothing is sent,
    by workers or by `apply`, until `notifyctl resume`. This needs a ledger in PostgreSQL.

    Exits with 7 if outcomes are still not recorded.

    \b
    notifyctl -e production halt --reason "wrong price in the offer"
    notifyctl -e production resume
    """
    from notifyctl.app.halting import halt_workers
    from notifyctl.app.workspace import open_workspace
    from notifyctl.plurals import pluralise
    from notifyctl.views import halting as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    found = halt_workers(
        workspace,
        workspace.environment(settings.env),
        reason=reason,
        wait=wait,
        on_wait=lambda known: echo(
            f"Halted. Waiting for {pluralise(len(known), 'request')} in flight.", stderr=True
        ),
    )
    echo(view.as_json(found) if form == "json" else view.as_text(found, workspace.sound.timezone))
    return ExitCode.UNCERTAIN if found.in_flight else ExitCode.DONE
