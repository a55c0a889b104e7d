"""`notifyctl withdraw`: withdraws an edition, without a commit. Accepted messages stay accepted."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("withdraw")
@click.argument("notification")
@click.option("--reason", metavar="TEXT", required=True, help="Why. The ledger keeps it, with your name.")
@click.option("--edition", type=int, help="Which edition; without it the one in the files.")
@global_options
@click.pass_context
def command(context: click.Context, notification: str, reason: str, edition: int | None) -> int:
    """Record in the ledger that an edition is withdrawn: whoever does not have it does not get it any more.

    Who has it keeps it. A `kind: Withdraw` document says the same in git, and takes effect with the next apply.

    \b
    notifyctl -e production withdraw outage-sms --reason "the outage is called off"
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
        f"Withdrawn: {withdrawal.notification}, edition {withdrawal.edition}. What was accepted stays accepted."
    )
    return ExitCode.DONE
