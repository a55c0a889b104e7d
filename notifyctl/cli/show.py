"""`notifyctl show`: shows a saved plan. Needs no project, ledger or network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from notifyctl import strict_json
from notifyctl.cli.options import echo, format_option, global_options, wants_colour
from notifyctl.errors import UsageError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.plan.saved import SavedPlan


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@format_option("text", "json")
@global_options
@click.pass_context
def command(context: click.Context, file: Path, form: str) -> int:
    """Show a plan that `notifyctl plan --out FILE` saved, and check that nobody changed it.

    \b
    notifyctl show december.plan
    notifyctl show december.plan --format json
    """
    from notifyctl.views import plan as view
    from notifyctl.views.saved_plan import to_plan

    saved = read_plan(file)
    if form == "json":
        echo(json.dumps(saved.document, indent=2, ensure_ascii=False))
    else:
        echo(view.as_text(to_plan(saved), colour=wants_colour(context)))
        echo(f"Saved as {saved.id}")
    return ExitCode.DONE


def read_plan(file: Path) -> SavedPlan:
    """Reads a saved plan. Raises UsageError if the file cannot be read, PlanRefusedError if it is not a valid plan."""
    from notifyctl.plan.saved import read_saved

    try:
        document = strict_json.parse(file.read_bytes())
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError:
        document = None
    return read_saved(document)
