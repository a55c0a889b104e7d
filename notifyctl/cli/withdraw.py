"""`notifyctl withdraw`: withdraws an edition, without a commit. Messages already accepted are not affected."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("withdraw")
@click.argument("notification")
@click.option("--reason", metavar="TEXT", required=True, help="Why. Stored in the ledger with your name.")
@click.option("--edition", type=int, help="Edition to withdraw. Default: the one in the files.")
@global_options
@click.pass_context
def command(context: click.Context, notification: str, reason: str, edition: int | None) -> int:
    """Stop sending an edition to recipients who were not sent it yet.

    Recipients who were already sent it are not affected. A `kind: Withdraw` document has the same effect from the next apply on.

    \b
    notifyctl -e production withdraw outage-sms --reason "the outage was cancelled"
    """
    from notifyctl.app.resolve import withdraw
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    withdrawal = withdraw(
        workspace,
        workspace.environment(settings.env),
        notification=notification,
        edition=edition,
        reason=reason,
    )
    echo(
        f"Withdrew edition {withdrawal.edition} of `{withdrawal.notification}`. Messages already accepted are not affected."
    )
    return ExitCode.DONE
