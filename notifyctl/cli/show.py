"""`notifyctl show`: shows a saved plan, and checks it where its ledger is. Needs no project, ledger or network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import echo, format_option, get_globals, global_options, wants_colour
from notifyctl.errors import NotifyctlError, PlanRefusedError
from notifyctl.exit_codes import ExitCode
from notifyctl.views.colours import strip_controls

if TYPE_CHECKING:
    from notifyctl.plan.saved import SavedPlan


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, file: Path, form: str) -> int:
    """Show a plan saved with `notifyctl plan --out FILE`. In its project, where the ledger is, verify that the file was not
    changed; elsewhere, report that this was not verified.

    \b
    notifyctl show december.plan
    notifyctl show december.plan --format json
    """
    from notifyctl.app.plan_file import read_plan_file
    from notifyctl.views import plan as view
    from notifyctl.views.saved_plan import to_plan

    saved = read_plan_file(file)
    unchecked = check_here(saved, get_globals(context).chdir)
    if form == "json":
        echo(json.dumps(saved.document, indent=2, ensure_ascii=False))
    else:
        plan = to_plan(saved)
        echo(view.as_text(plan, colour=wants_colour(context)))
        echo(f"Plan ID: {strip_controls(saved.id)}")
    if unchecked is not None:
        echo(
            f"Not verified here whether the file was changed: {unchecked}. `notifyctl apply` verifies it.",
            stderr=True,
        )
    elif form == "text":
        echo("Verified: the file was not changed since it was saved.")
    return ExitCode.DONE


def check_here(saved: SavedPlan, chdir: Path | None) -> str | None:
    """Returns why the file cannot be checked here, or None if it was. Raises PlanRefusedError if it was changed."""
    from notifyctl.app.plan_file import check_seal
    from notifyctl.app.workspace import open_workspace

    try:
        return check_seal(saved, open_workspace(chdir))
    except PlanRefusedError:
        raise
    except NotifyctlError as error:
        return error.message
