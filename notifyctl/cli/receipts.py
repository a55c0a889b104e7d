"""`notifyctl receipts`: records delivery receipts of the provider, from HTTP or from a file."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

import click

from notifyctl.cli.log import Log, log_format_option
from notifyctl.cli.options import TimeParam, echo, force_option, get_globals, global_options
from notifyctl.cli.usage_errors import CommandGroup
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode
from notifyctl.model.log import Level


@click.group("receipts", cls=CommandGroup)
@global_options
def command() -> None:
    """Receive, import and export delivery receipts. A receipt resolves an unknown outcome."""


@command.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8471, show_default=True, help="Port; 0 uses a free one."
)
@click.option(
    "--hub-secret-env",
    metavar="NAME",
    help="Environment variable with the hub secret. The signature in x-hub-signature is then required.",
)
@click.option(
    "--secret-env",
    metavar="NAME",
    help="Environment variable with a secret. It is then required in the path (/receipts/SECRET) or in the header x-notifyctl-secret.",
)
@click.option("--insecure", is_flag=True, help="Accept receipts without a secret. Only on this machine.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Answer GET /healthz and /metrics at this other address, for example 127.0.0.1:8474. Default: do not listen.",
)
@log_format_option
@global_options
@click.pass_context
def serve(
    context: click.Context,
    host: str,
    port: int,
    hub_secret_env: str | None,
    secret_env: str | None,
    insecure: bool,  # noqa: FBT001 - click passes flags by name
    listen: str | None,
    log_form: str,
) -> int:
    """Receive receipts posted to notifyUrl, until Ctrl-C. The response is 200 only after a receipt is recorded.

    The provider posts to https:// only: run a TLS proxy in front. `apply` can run at the same time.
    With --listen, /healthz answers 503 while receipts cannot be recorded, and /metrics is for Prometheus.

    \b
    HUB_SECRET=… notifyctl -e production receipts serve --hub-secret-env HUB_SECRET
    PATH_SECRET=… notifyctl -e production receipts serve --secret-env PATH_SECRET --host 0.0.0.0
    """
    from notifyctl.app.monitoring.measurements import measure
    from notifyctl.app.monitoring.service_pages import serve_pages
    from notifyctl.app.receipts.health import ReceiptsHealth
    from notifyctl.app.receipts.recorder import serve as run
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    log = Log(log_form)

    def work() -> int:
        workspace = open_workspace(settings.chdir)
        environment = workspace.environment(settings.env)
        health = ReceiptsHealth(environment.name, workspace.clock)

        def on_line(line: str) -> None:
            status = line.partition(" ")[0]
            if status.isdecimal():
                failed = status.startswith("5")
                log.say("receipt", line, level=Level.ERROR if failed else Level.INFO, status=int(status))
            else:
                log.say("note", line)

        serving = (
            serve_pages(listen, health.read, lambda: measure(workspace, environment), workspace.clock)
            if listen is not None
            else nullcontext()
        )
        with serving as url:
            if url is not None:
                log.say("listening", f"Health: {url}", url=url)
            run(
                workspace,
                environment,
                host=host,
                port=port,
                hub_secret=hub_secret_env,
                shared_secret=secret_env,
                insecure=insecure,
                on_receipt=health.note,
                on_line=on_line,
            )
        return ExitCode.DONE

    return log.guard(work)


@command.command("ingest")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@global_options
@click.pass_context
def ingest(context: click.Context, file: Path) -> int:
    """Import receipts from FILE (- for standard input): one JSON object per line, or one array. Safe to repeat.

    \b
    notifyctl -e production receipts ingest receipts.jsonl
    """
    from notifyctl.app.receipts.recorder import ingest as run
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    counts = run(workspace, workspace.environment(settings.env), data)
    for line, why in counts.unreadable:
        echo(f"{file}:{line}: not a receipt: {why}", stderr=True)
    summary = ", ".join(f"{count:,} {word}" for word, count in sorted(counts.became.items())) or "none"
    echo(f"Receipts: {summary}.")
    return ExitCode.ERROR if counts.unreadable else ExitCode.DONE


@command.command("opt-outs")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to FILE. Default: standard output.",
)
@force_option
@click.option("--since", type=TimeParam(), help="Limit to receipts received since this time.")
@global_options
@click.pass_context
def opt_outs(
    context: click.Context,
    out: Path | None,
    force: bool,  # noqa: FBT001 - click passes flags by name
    since: datetime | None,
) -> int:
    """List recipients who complained or unsubscribed, as a suppression list. It contains hashes of the ledger, no addresses.

    To use it, add `suppressions: [{file: FILE, key: ledger}]` to notifyctl.yaml, and commit the file.

    \b
    notifyctl -e production receipts opt-outs --out suppressions/learnt.csv
    """
    from notifyctl.app.opt_outs import export_opt_outs, is_replaceable
    from notifyctl.app.outputs import outputs_of
    from notifyctl.app.workspace import open_workspace
    from notifyctl.plurals import pluralise

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    text, count = export_opt_outs(workspace, workspace.environment(settings.env), since=since)
    if out is None:
        sys.stdout.write(text)
        return ExitCode.DONE
    outputs = outputs_of(workspace, force=force)
    outputs.check(out, replaces=is_replaceable)
    outputs.write(out, [text], private=False)
    echo(f"Wrote {pluralise(count, 'opt-out')} to {out}.", stderr=True)
    return ExitCode.DONE
