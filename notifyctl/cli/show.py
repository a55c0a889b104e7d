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
    """Show a plan that `notifyctl plan --out FILE` saved. In the project, where its ledger is, it is checked that nobody
    changed it; elsewhere that is not checked, and said.

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
        echo(f"Saved as {strip_controls(saved.id)}")
    if unchecked is not None:
        echo(
            f"Not checked here whether somebody changed this file: {unchecked}. `notifyctl apply` checks it.",
            stderr=True,
        )
    elif form == "text":
        echo("Checked by its ledger: nobody changed it.")
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
