"""`notifyctl receipts`: records delivery receipts of the provider, from HTTP or from a file."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from notifyctl.cli.options import TimeParam, echo, force_option, get_globals, global_options
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode


@click.group("receipts")
@global_options
def command() -> None:
    """Take receipts into the ledger. A receipt settles people whose outcome was uncertain."""


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8471, show_default=True, help="0 takes a free one."
)
@click.option(
    "--hub-secret-env",
    metavar="NAME",
    help="The variable with the hub secret: x-hub-signature must be right.",
)
@click.option(
    "--secret-env",
    metavar="NAME",
    help="The variable with a secret that stands in the path, /receipts/SECRET, or in the header x-notifyctl-secret.",
)
@click.option("--insecure", is_flag=True, help="Without any secret; on this machine alone.")
@global_options
@click.pass_context
def serve(
    context: click.Context,
    host: str,
    port: int,
    hub_secret_env: str | None,
    secret_env: str | None,
    insecure: bool,  # noqa: FBT001 - click passes flags by name
) -> int:
    """Take in what is posted to notifyUrl, until Ctrl-C. It answers 200 once a receipt is recorded, and not before.

    The provider posts to https:// only: put a TLS proxy before it. `apply` may run meanwhile.

    \b
    HUB_SECRET=… notifyctl -e production receipts serve --hub-secret-env HUB_SECRET
    PATH_SECRET=… notifyctl -e production receipts serve --secret-env PATH_SECRET --host 0.0.0.0
    """
    from notifyctl.app.receipts import serve as run
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views.colours import strip_controls

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    run(
        workspace,
        workspace.environment(settings.env),
        host=host,
        port=port,
        hub_secret=hub_secret_env,
        shared_secret=secret_env,
        insecure=insecure,
        on_receipt=lambda line: echo(strip_controls(line), stderr=True),
    )
    return ExitCode.DONE


@command.command("ingest")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@global_options
@click.pass_context
def ingest(context: click.Context, file: Path) -> int:
    """Take in receipts from FILE (- for standard input): one JSON object a line, or one array. Again is no harm.

    \b
    notifyctl -e production receipts ingest receipts.jsonl
    """
    from notifyctl.app.receipts import ingest as run
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    counts = run(workspace, workspace.environment(settings.env), data)
    for line, why in counts.unreadable:
        echo(f"{file}:{line}: this is no receipt: {why}", stderr=True)
    summary = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.became.items())) or "none"
    echo(f"Receipts: {summary}.")
    return ExitCode.ERROR if counts.unreadable else ExitCode.DONE


@command.command("opt-outs")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it there; without it to the terminal.",
)
@force_option
@click.option("--since", type=TimeParam(), help="Only receipts that came from then on.")
@global_options
@click.pass_context
def opt_outs(
    context: click.Context,
    out: Path | None,
    force: bool,  # noqa: FBT001 - click passes flags by name
    since: datetime | None,
) -> int:
    """List who complained or unsubscribed, as a suppression list of the ledger's hashes. It holds no address.

    Name it in notifyctl.yaml as `suppressions: [{file: FILE, key: ledger}]`, and commit it.

    \b
    notifyctl -e production receipts opt-outs --out suppressions/learnt.csv
    """
    from notifyctl.app.opt_outs import export_opt_outs, is_replaceable
    from notifyctl.app.outputs import outputs_of
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    text, count = export_opt_outs(workspace, workspace.environment(settings.env), since=since)
    if out is None:
        sys.stdout.write(text)
        return ExitCode.DONE
    outputs = outputs_of(workspace, force=force)
    outputs.check(out, replaces=is_replaceable)
    outputs.write(out, [text], private=False)
    echo(f"{count:,} opted out: {out}", stderr=True)
    return ExitCode.DONE
