"""`notifyctl preview`: renders all messages on one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from notifyctl.cli.options import echo, force_option, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("preview")
@click.argument("notifications", nargs=-1, metavar="[NOTIFICATION]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("preview.html"),
    show_default=True,
    help="Where the page goes; - for standard output.",
)
@force_option
@click.option("--base", metavar="REV", help="Show what changes beside how it was at this commit.")
@click.option(
    "--serve", "serving", is_flag=True, help="Serve it on this machine, and reload when a file changes."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8472, show_default=True, help="With --serve.")
@global_options
@click.pass_context
def command(
    context: click.Context,
    notifications: tuple[str, ...],
    out: Path,
    force: bool,  # noqa: FBT001 - click passes flags by name
    base: str | None,
    serving: bool,  # noqa: FBT001 - click passes flags by name
    port: int,
) -> int:
    """Make one page of all messages: SMS with their segments, e-mails at two widths, RCS with cards and chips.

    The page is complete in itself: it fetches nothing, and what stands in a message can neither run nor reach out.
    Addresses are masked. No ledger, secret or network is needed.

    \b
    notifyctl preview
    notifyctl preview outage-sms --base origin/main --out review.html
    notifyctl preview --serve
    """
    from notifyctl.app.outputs import outputs_of
    from notifyctl.app.preview import gallery, is_page, serve
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    if serving:
        serve(
            workspace,
            settings.env,
            only=notifications,
            base=base,
            port=port,
            report=lambda line: echo(line, stderr=True),
        )
        return ExitCode.DONE
    outputs = outputs_of(workspace, force=force)
    if str(out) != "-":
        outputs.check(out, recognise=is_page)
    text = gallery(workspace, environment, only=notifications, base=base)
    if str(out) == "-":
        echo(text)
        return ExitCode.DONE
    outputs.write(out, [text], private=False)
    echo(f"The page is {out} ({len(text.encode()) / 1000:,.0f} kB).", stderr=True)
    return ExitCode.DONE
