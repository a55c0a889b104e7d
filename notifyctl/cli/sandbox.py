"""`notifyctl sandbox`: runs the embedded API as a server, or lists the messages it accepted."""

from __future__ import annotations

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.cli.usage_errors import CommandGroup
from notifyctl.command_line import command_line
from notifyctl.exit_codes import ExitCode


@click.group("sandbox", cls=CommandGroup)
@global_options
def command() -> None:
    """Run the built-in simulator of the Messaging API, or read its inbox. No real messages are sent."""


@command.command("serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="Port; 0 uses a free one."
)
@click.option(
    "--service-key",
    envvar="NOTIFYCTL_SANDBOX_KEY",
    default="sandbox",
    help="Service key that callers must send.",
)
@click.option(
    "--receipts",
    "modes",
    multiple=True,
    type=click.Choice(["late", "doubled", "shuffled"]),
    help="How to deliver receipts to a notifyUrl on this machine. Repeatable.",
)
@click.option(
    "--hub-secret",
    envvar="NOTIFYCTL_SANDBOX_HUB_SECRET",
    help="Secret to sign receipts with, in the header x-hub-signature.",
)
@global_options
@click.pass_context
def serve(
    context: click.Context, port: int, service_key: str, modes: tuple[str, ...], hub_secret: str | None
) -> int:
    """Run the simulator on 127.0.0.1 until Ctrl-C, and list what it accepts.

    To send to it, give an environment `provider: webexconnect`, `endpoint: http://127.0.0.1:8470/v2/messages` and
    `auth: {serviceKeyEnv: …}` with the variable that contains the service key. Receipts are posted only to a notifyUrl
    on this machine, for example http://127.0.0.1:8471/receipts of `notifyctl receipts serve`.

    \b
    notifyctl sandbox serve
    notifyctl sandbox serve --port 9000 --service-key test-key
    """
    from notifyctl.app.sandbox import serve as run
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    run(
        workspace,
        environment,
        port=port,
        service_key=service_key,
        modes=modes,
        hub_secret=hub_secret,
        on_request=lambda line: echo(line, stderr=True),
    )
    return ExitCode.DONE


@command.command("inbox")
@click.option("--channel", type=click.Choice(["sms", "email", "rcs"]), help="Limit to this channel.")
@click.option("--to", "recipient", metavar="ADDRESS", help="Limit to messages to this address.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Limit to the last N messages.")
@click.option("--reveal", is_flag=True, help="Show addresses in full instead of masked.")
@click.option("--clear", is_flag=True, help="Empty the inbox. The ledger keeps its records.")
@format_option("text", "json")
@global_options
@click.pass_context
def inbox(
    context: click.Context,
    channel: str | None,
    recipient: str | None,
    last: int | None,
    reveal: bool,  # noqa: FBT001 - click passes flags by name
    clear: bool,  # noqa: FBT001
    form: str,
) -> int:
    """List messages that the sandbox accepted, as recipients see them. JSON: one object per line.

    \b
    notifyctl sandbox inbox --last 5
    notifyctl sandbox inbox --to +447700900123
    """
    from notifyctl.app.sandbox import clear_inbox, read_inbox
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import inbox as view

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    if clear:
        clear_inbox(workspace)
        echo("The inbox is empty.", stderr=True)
        return ExitCode.DONE
    entries = read_inbox(workspace, channel=channel, recipient=recipient, last=last)
    empty = True
    for entry in entries:
        empty = False
        if form == "json":
            echo(view.as_json_line(entry, reveal=reveal))
        else:
            echo(view.as_text(entry, reveal=reveal, colour=wants_colour(context)))
    if empty:
        echo(f"The inbox is empty. To send to it, run: {command_line('apply')}", stderr=True)
    return ExitCode.DONE
