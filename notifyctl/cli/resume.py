"""`notifyctl resume`: ends a halt, and workers continue."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("resume")
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, form: str) -> int:
    """Continue after `notifyctl halt`: workers send the batches that are left.

    \b
    notifyctl -e production resume
    """
    from notifyctl.app.halting import resume_workers
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import halting as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    found = resume_workers(workspace, workspace.environment(settings.env))
    echo(view.resumed_json(found) if form == "json" else view.resumed_text(found, workspace.sound.timezone))
    return ExitCode.DONE
