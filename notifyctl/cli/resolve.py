"""`notifyctl resolve`: records the outcome of recipients for whom it is uncertain."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import echo, get_globals, global_options, wants_colour
from notifyctl.errors import PlanRefusedError, UsageError
from notifyctl.exit_codes import ExitCode


@click.command("resolve")
@click.argument("notification", required=False)
@click.option(
    "--as",
    "verdict",
    type=click.Choice(["sent", "not-sent"]),
    help="What became of their message. Without it they are listed.",
)
@click.option("--reason", metavar="TEXT", help="How you know. The ledger keeps it, with your name.")
@click.option(
    "--recipient",
    "recipients",
    metavar="ADDRESS",
    multiple=True,
    help="Only this person; several times for several.",
)
@click.option("--batch", type=int, help="Only this batch, by its number.")
@click.option(
    "--quarantine",
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="How long after it was begun a batch may be called not sent.",
)
@click.option("--yes", is_flag=True, help="Do not ask. Needed where nobody can be asked.")
@global_options
@click.pass_context
def command(
    context: click.Context,
    notification: str | None,
    verdict: str | None,
    reason: str | None,
    recipients: tuple[str, ...],
    batch: int | None,
    quarantine: str,
    yes: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Settle people whose outcome is uncertain, with who and why: sent, or not sent and so eligible again.

    Look into the provider's own reports first: who is called not sent and was, gets it twice.

    \b
    notifyctl -e production resolve
    notifyctl -e production resolve outage-sms --as sent --reason "the console lists them"
    notifyctl -e production resolve --batch 12 --as not-sent --reason "ticket 4711" --yes
    """
    from notifyctl.app.resolve import list_uncertain, resolve
    from notifyctl.app.workspace import open_workspace
    from notifyctl.config.scalar_types import parse_duration
    from notifyctl.views import resolve as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    uncertain = list_uncertain(
        workspace, environment, notification=notification, addresses=recipients, batch=batch
    )
    warn_of_ledger_error(workspace, environment)
    echo(view.as_text(uncertain, colour=wants_colour(context)))
    if verdict is None:
        return ExitCode.UNCERTAIN if uncertain else ExitCode.DONE
    if not uncertain:
        return ExitCode.DONE
    if not reason:
        raise UsageError("say how you know: --reason TEXT", hint="the ledger keeps it for whoever asks later")
    people = sum(len(each.positions) for each in uncertain)
    if not yes and not confirm_number(people, verdict):
        raise PlanRefusedError("not confirmed; nothing was settled")
    try:
        quarantine_time = timedelta() if quarantine in {"0", "0s"} else parse_duration(quarantine)
    except ValueError as error:
        raise UsageError(str(error)) from error
    settled = resolve(
        workspace,
        environment,
        sent=verdict == "sent",
        reason=reason,
        notification=notification,
        addresses=recipients,
        batch=batch,
        quarantine=quarantine_time,
    )
    again = "" if verdict == "sent" else "; the next plan shows them as `retry`"
    echo(f"Settled {sum(settled.values()):,} as {verdict}{again}.")
    return ExitCode.DONE


def confirm_number(people: int, verdict: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody is here to confirm", hint="--yes settles without asking")
    question = f"Settle {people:,} as {verdict}? This is not taken back. Type the number to go on"
    answer = click.prompt(question, err=True, default="", show_default=False)
    return str(answer).strip().replace(",", "") == str(people)
