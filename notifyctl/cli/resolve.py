"""`notifyctl resolve`: records what happened to recipients with an unknown outcome."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from notifyctl.cli.ledger_warnings import warn_of_ledger_error
from notifyctl.cli.options import ask, echo, get_globals, global_options, wants_colour
from notifyctl.errors import PlanRefusedError, UsageError
from notifyctl.exit_codes import ExitCode


@click.command("resolve")
@click.argument("notification", required=False)
@click.option(
    "--as",
    "verdict",
    type=click.Choice(["sent", "not-sent"]),
    help="What happened to the messages. Default: only list them.",
)
@click.option("--reason", metavar="TEXT", help="How you know. Stored in the ledger with your name.")
@click.option(
    "--recipient",
    "recipients",
    metavar="ADDRESS",
    multiple=True,
    help="Only this recipient. Repeatable.",
)
@click.option("--batch", type=int, help="Only the batch with this number.")
@click.option(
    "--quarantine",
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="Minimum age of an attempt before it can be recorded as not-sent.",
)
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
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
    """Record what happened to recipients with an unknown outcome: sent, or not sent. Recipients recorded as not-sent are
    sent the message by the next apply.

    Check the provider's reports first: a recipient wrongly recorded as not-sent is sent the message twice.

    \b
    notifyctl -e production resolve
    notifyctl -e production resolve outage-sms --as sent --reason "the console lists them"
    notifyctl -e production resolve --batch 12 --as not-sent --reason "ticket 4711" --yes
    """
    from notifyctl.app.resolve import list_uncertain, resolve
    from notifyctl.app.workspace import open_workspace
    from notifyctl.config.scalar_types import parse_duration
    from notifyctl.plurals import pluralise
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
        raise UsageError(
            "--as needs --reason TEXT", hint="state how you know; the ledger stores it with your name"
        )
    recipients_found = sum(len(each.positions) for each in uncertain)
    if not yes and not confirm_number(recipients_found, verdict):
        raise PlanRefusedError("not confirmed; nothing was recorded")
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
    again = "" if verdict == "sent" else " The next plan lists them as `retry`."
    echo(f"Recorded {pluralise(sum(settled.values()), 'recipient')} as {verdict}.{again}")
    return ExitCode.DONE


def confirm_number(recipients: int, verdict: str) -> bool:
    from notifyctl.plurals import pluralise

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "cannot ask for confirmation: no terminal; nothing was recorded",
            hint="to record the outcome without confirmation, add --yes",
        )
    question = f"Record {pluralise(recipients, 'recipient')} as {verdict}? This cannot be undone. Type the number to continue"
    return ask(question).replace(",", "") == str(recipients)
