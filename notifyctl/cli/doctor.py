"""`notifyctl doctor`: checks all that an environment needs, and says what to do."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.exit_codes import ExitCode


@click.command("doctor")
@click.option(
    "--offline",
    is_flag=True,
    help="Do not connect to the provider. A ledger in PostgreSQL is checked anyway.",
)
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, offline: bool, form: str) -> int:  # noqa: FBT001 - click passes flags by name
    """Check what an environment needs: configuration, secrets, ledger, database, clock, network. Sends no message, changes nothing.

    Each line is ok, a warning, an error, or not checked, with what to do. The provider's server gets `HEAD /` without credentials.
    Exits with 1 if there is an error.

    \b
    notifyctl -e production doctor
    notifyctl -e production doctor --offline --format json
    """
    from notifyctl.app.monitoring.doctor import examine
    from notifyctl.app.workspace import open_workspace
    from notifyctl.model.checks import has_error
    from notifyctl.views import doctor as view

    settings = get_globals(context)
    found = examine(open_workspace(settings.chdir), settings.env, offline=offline)
    if form == "json":
        echo(view.as_json(found.project, found.environment, found.checks))
    else:
        echo(view.as_text(found.project, found.environment, found.checks, colour=wants_colour(context)))
    return ExitCode.ERROR if has_error(found.checks) else ExitCode.DONE
