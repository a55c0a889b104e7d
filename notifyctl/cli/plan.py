"""`notifyctl plan`: who would get what, and what stands in the way. Sends nothing and changes no file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from notifyctl.cli.options import (
    Moment,
    colour,
    format_option,
    global_options,
    globals_of,
    only_option,
    say,
)
from notifyctl.errors import ExitCode, UsageError
from notifyctl.plan.actions import Action
from notifyctl.plan.plan import Plan


@click.command("plan")
@only_option
@click.option(
    "--offline", is_flag=True, help="Without the ledger: complete for files, silent on who already has what."
)
@click.option("--as-of", type=Moment(), help="Plan as if it were this time, such as 2026-12-01T09:00:00Z.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the plan to this file too, for `notifyctl show` and `notifyctl apply FILE`. It holds no address.",
)
@click.option(
    "--base",
    metavar="REV",
    help="Compare with the project at this commit, such as origin/main: what changes for whom.",
)
@format_option("text", "json", "markdown")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="0: nothing to send; 2: something to send; 3: all that is left is blocked; 7: uncertain outcomes.",
)
@global_options
@click.pass_context
def command(
    context: click.Context,
    only: tuple[str, ...],
    offline: bool,  # noqa: FBT001 - click passes flags by name
    as_of: datetime | None,
    out: Path | None,
    base: str | None,
    form: str,
    detailed_exitcode: bool,  # noqa: FBT001
) -> int:
    """Show who would get what, and what would change: everybody in the audience, minus who already has it.

    \b
    notifyctl plan
    notifyctl -e production plan --format json --detailed-exitcode
    notifyctl -e production plan --out december.plan
    notifyctl plan --offline --base origin/main --format markdown
    notifyctl plan --only outage-sms --as-of 2026-12-01T09:00:00Z
    """
    from notifyctl.app.planning import make_plan
    from notifyctl.app.workspace import open_workspace
    from notifyctl.views import plan as view

    settings = globals_of(context)
    workspace = open_workspace(settings.chdir)
    environment = workspace.environment(settings.env)
    plan = make_plan(workspace, environment, only=only, offline=offline, as_of=as_of)
    if out is not None:
        save(plan, out)
    changes = None
    if base is not None:
        from notifyctl.app.reviewing import review

        changes = review(workspace, environment, base, plan, only=only, as_of=as_of)
    if form == "markdown":
        from notifyctl.views.markdown import render

        say(render(plan, changes))
    elif form == "json":
        from notifyctl.views.changes import as_object

        say(view.as_json(plan, **({"review": as_object(changes)} if changes is not None else {})))
    else:
        say(view.as_text(plan, colour=colour(context)))
        if changes is not None:
            from notifyctl.views.changes import as_text

            say(as_text(changes, colour=colour(context)))
    if plan.complete and not plan.applyable:
        return ExitCode.ERROR
    return exit_code(plan) if detailed_exitcode else ExitCode.DONE


def save(plan: Plan, out: Path) -> None:
    import json
    from uuid import uuid4

    from notifyctl.plan.saved import authorised
    from notifyctl.views.plan import public

    document = {**public(plan), **authorised(plan, str(uuid4()))}
    aside = out.with_name(f"{out.name}.new")
    try:
        aside.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        aside.replace(out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error


def exit_code(plan: Plan) -> ExitCode:
    """With --detailed-exitcode: what there is to do, the doable first."""
    if plan.sends:
        return ExitCode.SOMETHING_TO_SEND
    if plan.summary[Action.UNCERTAIN]:
        return ExitCode.UNCERTAIN
    held = plan.summary[Action.BLOCKED] or plan.summary[Action.CHANGED]
    return ExitCode.BLOCKED if held else ExitCode.DONE
