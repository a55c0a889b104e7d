"""`notifyctl render`: shows the finished messages of recipients, offline."""

from __future__ import annotations

from datetime import datetime

import click

from notifyctl.cli.options import (
    as_of_option,
    echo,
    format_option,
    get_globals,
    global_options,
    reveal_option,
    wants_colour,
)
from notifyctl.exit_codes import ExitCode


@click.command("render")
@click.argument("notification")
@click.option("--recipient", metavar="ADDRESS", help="Limit to this address.")
@click.option(
    "--sample",
    type=click.IntRange(min=1, max=1_000_000),
    default=3,
    show_default=True,
    help="Show the first N recipients.",
)
@reveal_option
@as_of_option
@format_option("text", "json")
@global_options
@click.pass_context
def command(
    context: click.Context,
    notification: str,
    recipient: str | None,
    sample: int,
    reveal: bool,  # noqa: FBT001 - click passes flags by name
    as_of_time: datetime | None,
    form: str,
) -> int:
    """Show messages as recipients see them, for one address or the first few recipients.

    \b
    notifyctl render outage-sms
    notifyctl render outage-sms --recipient +447700900123
    notifyctl render outage-sms --sample 10 --format json
    """
    from notifyctl.app.as_of import as_of, asked_for, not_now
    from notifyctl.app.render import render
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import render as view

    settings = get_globals(context)
    workspace = as_of(open_workspace(settings.chdir), as_of_time)
    messages = render(
        workspace, workspace.environment(settings.env), notification, recipient=recipient, sample=sample
    )
    if as_of_time is not None:
        echo(f"{not_now(workspace)} The text of a message does not depend on the time.", stderr=True)
    echo(
        view.as_json(messages, reveal=reveal, more=asked_for(workspace))
        if form == "json"
        else view.as_text(messages, reveal=reveal, colour=wants_colour(context))
    )
    return ExitCode.DONE
