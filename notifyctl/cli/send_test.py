"""`notifyctl send-test`: sends one message with a recipient's values to an address that the environment allows for tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import (
    ask,
    echo,
    format_option,
    get_globals,
    global_options,
    reveal_option,
    wants_colour,
)
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.app.send_test import PreparedTest
    from notifyctl.model.batch import Outcome


@click.command("send-test")
@click.argument("notification")
@click.option(
    "--as", "values_of", metavar="ADDRESS", required=True, help="Recipient whose values the message has."
)
@click.option("--to", metavar="ADDRESS", required=True, help="Address to send it to, for example your own.")
@click.option("--locale", metavar="LOCALE", help="Locale of the text. Default: the recipient's.")
@click.option("--dry-run", is_flag=True, help="Print the exact request, send nothing, change no file.")
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
@reveal_option
@format_option("text", "json")
@global_options
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    notification: str,
    values_of: str,
    to: str,
    locale: str | None,
    dry_run: bool,  # noqa: FBT001 - click passes flags by name
    yes: bool,  # noqa: FBT001
    reveal: bool,  # noqa: FBT001
    form: str,
) -> int:
    """Send one real message with a recipient's values to your own address.

    The environment must allow the address: `tests: {allow: […]}`. The test is recorded in the ledger and never counts as sent to a
    recipient. Copies (cc, bcc) are left out. At a terminal you confirm by typing the number of messages; otherwise pass --yes. The
    sandbox environment does not ask.

    \b
    notifyctl -e production send-test outage-sms --as +447700900123 --to +447700900456
    notifyctl -e production send-test invoice --as ada@acme.example --to me@acme.example --locale fr --dry-run
    """
    from notifyctl.app.send_test import Order, prepare_request, send_test
    from notifyctl.app.workspace import open_workspace
    from notifyctl.audience.addresses import mask
    from notifyctl.views import requests
    from notifyctl.views import send_test as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    order = Order(notification, values_of, to, locale)
    shown = {"values_of": values_of if reveal else mask(values_of), "to": to if reveal else mask(to)}

    def show(test: PreparedTest) -> None:
        colour = wants_colour(context, stderr=True)
        echo(
            view.message_text(test.planned, test.message, test.left_out, **shown, colour=colour), stderr=True
        )

    if dry_run:
        test, request = prepare_request(workspace, environment, order)
        if form == "json":
            echo(requests.as_json_line(test.batch, request, reveal=reveal))
        else:
            echo(
                requests.as_text(test.batch, request, reveal=reveal, colour=wants_colour(context)),
                verbatim=True,
            )
        echo("Dry run of a test: 1 request, nothing was sent.", stderr=True)
        return ExitCode.DONE
    asks = not (yes or environment.is_sandbox)

    def confirm(test: PreparedTest) -> bool:
        show(test)
        return confirm_test(environment.name, shown["to"])

    if asks and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"cannot ask for confirmation of a test in environment `{environment.name}`: no terminal; nothing was sent",
            hint="to send it without confirmation, add --yes",
        )
    if asks:
        sent = send_test(workspace, environment, order, confirm=confirm)
    else:
        sent = send_test(workspace, environment, order, confirm=None, on_ready=show)
    message, outcome = sent.test.message, sent.outcome
    if form == "json":
        echo(view.outcome_json(sent.number, message, sent.test.left_out, outcome, **shown))
    else:
        echo(view.outcome_text(sent.number, message, outcome, environment=environment.name, to=shown["to"]))
    return exit_code(outcome)


def confirm_test(environment: str, to: str) -> bool:
    answer = ask(
        f"This sends 1 message to {to} in environment `{environment}` and cannot be undone. Type the number of messages to continue"
    )
    return answer == "1"


def exit_code(outcome: Outcome) -> ExitCode:
    """As an apply of one message would end."""
    from notifyctl.model.batch import Accepted, Refused, Rejected

    if isinstance(outcome, Accepted):
        return ExitCode.DONE
    if isinstance(outcome, Refused):
        return ExitCode.ERROR
    return ExitCode.REJECTIONS if isinstance(outcome, Rejected) else ExitCode.UNCERTAIN
