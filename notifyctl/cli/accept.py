"""`notifyctl accept`: lets a recurring notification be sent without being asked for each time."""

from __future__ import annotations

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode


@click.command("accept")
@click.argument("series", metavar="PLAN|FINGERPRINT")
@click.option(
    "--until",
    metavar="DATE",
    help="Last day on which it is sent, in the project's time zone, or a time such as 2026-12-31T18:00.",
)
@click.option(
    "--max-recipients",
    type=click.IntRange(min=1),
    metavar="N",
    help="Most recipients of one occurrence. Default: those of today, and as many more as `maxGrowthPercent` allows.",
)
@click.option("--revoke", is_flag=True, help="Take the acceptance back.")
@format_option("text", "json")
@global_options
@click.pass_context
def command(
    context: click.Context,
    series: str,
    until: str | None,
    max_recipients: int | None,
    revoke: bool,  # noqa: FBT001 - click passes flags by name
    form: str,
) -> int:
    """Accept a recurring notification as a series: `run` and `apply --accepted` then send each occurrence when it is due, without
    asking.

    PLAN is a file from `plan --out`; every series in it is accepted. FINGERPRINT begins with `s1:` and is shown by `plan`. It covers the
    schedule, texts, sender, limits and definition of the audience; if any of them changes, the series waits until it is accepted again.

    \b
    notifyctl -e production accept december.plan --until 2026-12-31
    notifyctl -e production accept s1:… --until 2026-12-31 --max-recipients 1200
    notifyctl -e production accept s1:… --revoke
    """
    from notifyctl.app import accept as use_case
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import accept as view

    settings = get_globals(context)
    if until is None and not revoke:
        raise UsageError(
            "an acceptance needs an end", hint="add --until DATE, for example --until 2026-12-31"
        )
    if revoke and (until is not None or max_recipients is not None):
        raise UsageError(
            "--revoke takes an acceptance back, and cannot be used with --until or --max-recipients"
        )
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    if until is None:
        found = use_case.revoke(workspace, environment, series)
    else:
        found = use_case.accept(workspace, environment, series, until=until, max_recipients=max_recipients)
    warn_of_ledger_error(workspace, environment)
    zone = workspace.sound.timezone
    echo(
        view.as_json(found, environment)
        if form == "json"
        else view.as_text(found, environment, zone, colour=wants_colour(context))
    )
    return ExitCode.DONE
