"""`notifyctl ledger copy` and `upgrade`: of ledgers in PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options
from notifyctl.exit_codes import ExitCode


@click.command("copy")
@click.option(
    "--from",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="SQLite ledger to copy. Default: `.notifyctl/ENVIRONMENT.db` in the project.",
)
@format_option("text", "json")
@global_options
@click.pass_context
def copy(context: click.Context, source: Path | None, form: str) -> int:
    """Copy the SQLite ledger of an environment into its PostgreSQL database, and verify the copy.

    The database must not have a ledger yet. The ledger keeps its ID and its key. After this, no run uses the file any more. If the
    copy fails or differs, nothing is kept.

    \b
    notifyctl -e production ledger copy
    notifyctl -e production ledger copy --from backup/production.db
    """
    from notifyctl.app.ledger_database import copy_ledger
    from notifyctl.app.workspace import open_workspace
    from notifyctl.plurals import pluralise

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    copied = copy_ledger(workspace, workspace.environment(settings.env), source)
    if form == "json":
        echo(
            json.dumps(
                {
                    "records": copied.records,
                    "source": str(copied.source),
                    "location": copied.place,
                    "lineage": copied.lineage,
                },
                indent=2,
            )
        )
        return ExitCode.DONE
    echo(f"Copied {pluralise(copied.records, 'record')} to {copied.place} and verified them.")
    echo(f"Ledger ID: {copied.lineage}, as before.")
    echo(f"{copied.source} is no longer used. Keep it until the database has a backup.")
    return ExitCode.DONE


@click.command("upgrade")
@format_option("text", "json")
@global_options
@click.pass_context
def upgrade(context: click.Context, form: str) -> int:
    """Upgrade the schema of a ledger in PostgreSQL. Records are not changed. Needs the database user that created it.

    An older notifyctl can continue to work with the ledger unless the upgrade notes exclude it; it then refuses to send.

    \b
    notifyctl -e production ledger upgrade
    """
    from notifyctl.app.ledger_database import upgrade_ledger
    from notifyctl.app.workspace import open_workspace

    settings = get_globals(context)
    workspace = open_workspace(settings.chdir)
    done = upgrade_ledger(workspace, workspace.environment(settings.env))
    if form == "json":
        echo(json.dumps({"steps": list(done.steps), "schema": done.schema, "location": done.place}, indent=2))
        return ExitCode.DONE
    for step in done.steps:
        echo(f"Applied: {step}")
    echo(f"The ledger has schema {done.schema}: {done.place}")
    return ExitCode.DONE
