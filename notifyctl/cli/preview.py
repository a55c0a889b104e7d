"""`notifyctl preview`: writes an HTML page that shows all messages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from notifyctl.cli.options import as_of_option, echo, force_option, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("preview")
@click.argument("notifications", nargs=-1, metavar="[NOTIFICATION]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("preview.html"),
    show_default=True,
    help="File for the page; - for standard output.",
)
@force_option
@click.option("--base", metavar="REV", help="Show changes side by side with this commit.")
@click.option(
    "--serve",
    "serving",
    is_flag=True,
    help="Serve the page on this machine, and reload it when a file changes.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8472,
    show_default=True,
    help="Port for --serve; 0 for a free one.",
)
@as_of_option
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
    as_of_time: datetime | None,
) -> int:
    """Write an HTML page that shows all messages.

    One section for each notification: who is sent it, when and at what cost, then its texts. SMS show their segments,
    emails are drawn for a desktop and a phone, RCS shows cards, buttons and the SMS sent when RCS fails. With --base,
    changed words are marked and unchanged texts are folded.

    The page is one file that loads nothing; no script of a message runs. Addresses are masked. No ledger, secret or
    network is needed.

    \b
    notifyctl preview
    notifyctl preview outage-sms --base origin/main --out review.html
    notifyctl preview --as-of 2026-12-01
    notifyctl preview --serve
    """
    from notifyctl.app.as_of import as_of
    from notifyctl.app.outputs import outputs_of
    from notifyctl.app.preview import gallery, is_page, serve
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = as_of(open_workspace(settings.chdir), as_of_time)
    environment = workspace.environment(settings.env)
    if serving:
        serve(
            workspace,
            settings.env,
            only=notifications,
            base=base,
            port=port,
            as_of_time=as_of_time,
            report=lambda line: echo(line, stderr=True),
        )
        return ExitCode.DONE
    outputs = outputs_of(workspace, force=force)
    if str(out) != "-":
        outputs.check(out, recognise=is_page)
    text = gallery(workspace, environment, only=notifications, base=base)
    if str(out) == "-":
        echo(text, verbatim=True)
        return ExitCode.DONE
    outputs.write(out, [text], private=False)
    echo(f"Wrote {out} ({len(text.encode()) / 1000:,.0f} kB).", stderr=True)
    return ExitCode.DONE
