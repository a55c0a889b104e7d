"""`notifyctl plan`: shows who would get what, and what is blocked. Sends nothing and changes no project file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import click
from msgspec.structs import replace

from notifyctl.cli.options import (
    as_of_option,
    echo,
    force_option,
    format_option,
    get_globals,
    global_options,
    only_option,
    wants_colour,
)
from notifyctl.cli.plan_progress import memory_option, show_plan_progress
from notifyctl.errors import ProjectError, UsageError
from notifyctl.exit_codes import ExitCode
from notifyctl.plan.actions import Action
from notifyctl.plan.model import Plan

if TYPE_CHECKING:
    from notifyctl.app.outputs import Outputs
    from notifyctl.app.workspace import Workspace
    from notifyctl.diagnostics import Diagnostic
    from notifyctl.model.project import Environment
    from notifyctl.plan.diff import Review
    from notifyctl.plan.next_send import NextSend


@click.command("plan")
@only_option
@click.option("--offline", is_flag=True, help="Plan without the ledger. Earlier sends are then unknown.")
@click.option(
    "--untrusted",
    is_flag=True,
    help="For untrusted pull requests: like --offline, in a process that can access only the project's files.",
)
@as_of_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also save the plan to FILE, for `notifyctl show` and `notifyctl apply FILE`. The file contains no addresses.",
)
@click.option(
    "--base",
    metavar="REV",
    help="Compare with the project at this commit, for example origin/main, and name the effects of each change.",
)
@memory_option
@click.option(
    "--rejects",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write rejected rows, with reasons, to FILE in the format of the audience.",
)
@force_option
@format_option("text", "json", "markdown")
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    help="Exit with 2 if something would be sent or a baseline recorded; else 7 for unknown outcomes, 3 if recipients are"
    " blocked or were already sent a different text, or 0.",
)
@global_options
@click.pass_context
def command(  # noqa: PLR0917 - click passes options by name
    context: click.Context,
    only: tuple[str, ...],
    offline: bool,  # noqa: FBT001 - click passes flags by name
    untrusted: bool,  # noqa: FBT001
    as_of_time: datetime | None,
    out: Path | None,
    base: str | None,
    rejects: Path | None,
    force: bool,  # noqa: FBT001
    form: str,
    detailed_exitcode: bool,  # noqa: FBT001
) -> int:
    """Show who would be sent what, and why: the audience, minus recipients who were already sent it. Sends nothing.

    \b
    notifyctl plan
    notifyctl -e production plan --format json --detailed-exitcode
    notifyctl -e production plan --out december.plan
    notifyctl plan --offline --base origin/main --format markdown
    notifyctl plan --untrusted --base origin/main --format markdown
    notifyctl plan --rejects rejected.csv
    notifyctl plan --only outage-sms --as-of 2026-12-01
    """
    from notifyctl.app.plan import make_plan

    request = PlanRequest(only, as_of_time, base, out, form, force=force)
    settings = get_globals(context)
    if untrusted:
        if rejects is not None:
            raise UsageError(
                "use only one of --rejects and --untrusted: --rejects writes addresses, and --untrusted must not"
            )
        plan = plan_untrusted(context, request)
    else:
        from notifyctl.app.as_of import as_of
        from notifyctl.app.workspace import open_workspace

        with show_errors(request):
            workspace = as_of(open_workspace(settings.chdir), as_of_time)
        with show_errors(request, workspace, settings.env):
            environment = workspace.environment(settings.env)
            outputs = check_outputs(workspace, request, rejects)
            with show_plan_progress(workspace, colour=wants_colour(context, stderr=True)) as limited:
                plan = make_plan(limited, environment, only=only, offline=offline)
            changes = compare_with_base(request, workspace, environment, plan)
        show(context, request, workspace, environment, plan, changes, outputs)
        if rejects is not None:
            from notifyctl.app.failures import write_rejects
            from notifyctl.plurals import pluralise

            for path, count in write_rejects(workspace, environment, rejects, outputs, only=only):
                echo(f"Wrote {pluralise(count, 'rejected row')} to {path}", stderr=True)
    if plan.complete and plan.has_errors:
        return ExitCode.ERROR
    return exit_code(plan) if detailed_exitcode else ExitCode.DONE


def check_outputs(workspace: Workspace, request: PlanRequest, rejects: Path | None) -> Outputs:
    """What the command may write. Raises UsageError before anything is shown."""
    from notifyctl.app.failures import possible_targets
    from notifyctl.app.outputs import Outputs, outputs_of
    from notifyctl.app.plan_file import is_plan_file

    if request.out is None and rejects is None:
        return Outputs()
    outputs = outputs_of(workspace, force=request.force)
    others = possible_targets(workspace, rejects) if rejects is not None else []
    if request.out is not None:
        outputs.refuse_twice(request.out, *others)
        outputs.check(request.out, recognise=is_plan_file)
    outputs.check(*others)
    return outputs


class PlanRequest(NamedTuple):
    """The options of one plan command."""

    only: tuple[str, ...]
    as_of: datetime | None
    base: str | None
    out: Path | None
    form: str
    force: bool


@contextmanager
def show_errors(
    request: PlanRequest, workspace: Workspace | None = None, env: str | None = None
) -> Iterator[None]:
    """Prints the errors of the project as a document where one is asked for in Markdown, before they go their way to standard error."""
    try:
        yield
    except ProjectError as error:
        if request.form == "markdown":
            from notifyctl.views.markdown import render_errors

            project = workspace.project if workspace is not None else None
            about = (project.name, env or project.default_environment) if project is not None else ()
            echo(render_errors(error, about=about))
        raise


def plan_untrusted(context: click.Context, request: PlanRequest) -> Plan:
    """Plans an untrusted project. Confines this process permanently."""
    from notifyctl.app.as_of import as_of
    from notifyctl.app.outputs import Outputs
    from notifyctl.app.plan import make_plan
    from notifyctl.app.plan_file import is_plan_file
    from notifyctl.app.untrusted.confinement import MAX_OUTPUT
    from notifyctl.app.untrusted.untrusted_project import (
        open_untrusted,
        settings_of_base,
        unknown_as_json,
        unknown_facts,
        with_warnings,
    )
    from notifyctl.cli.output_limit import bound_output

    settings = get_globals(context)
    bound_output(MAX_OUTPUT)
    outputs = Outputs(force=request.force)
    with show_errors(request):
        workspace = as_of(
            open_untrusted(
                settings.chdir, out=request.out, check=partial(outputs.check, recognise=is_plan_file)
            ),
            request.as_of,
        )
    with show_errors(request, workspace, settings.env):
        environment = workspace.environment(settings.env)
        warnings: list[Diagnostic] = []
        if request.base is not None:
            environment, warnings = settings_of_base(workspace, environment, request.base)
        plan = make_plan(workspace, environment, only=request.only, offline=True)
        plan = with_warnings(plan, warnings)
        changes = compare_with_base(request, workspace, environment, plan)
    if changes is not None:
        changes = replace(changes, unknown=tuple(unknown_facts(base=request.base)))
    show(
        context,
        request,
        workspace,
        environment,
        plan,
        changes,
        outputs,
        extra=unknown_as_json(base=request.base),
    )
    if request.form == "text":
        for each in unknown_facts(base=request.base):
            echo(f"Unknown here: {each}.")
    return plan


def compare_with_base(
    request: PlanRequest, workspace: Workspace, environment: Environment, plan: Plan
) -> Review | None:
    if request.base is None:
        return None
    from notifyctl.app.diff import review

    return review(workspace, environment, request.base, plan, only=request.only)


def show(
    context: click.Context,
    request: PlanRequest,
    workspace: Workspace,
    environment: Environment,
    plan: Plan,
    changes: Review | None,
    outputs: Outputs,
    extra: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Saves the plan if requested, and prints it. `extra`: additional fields of the JSON document."""
    from notifyctl.views import plan as view
    from notifyctl.views.next_send import next_line, next_object

    if request.out is not None:
        from notifyctl.app.plan_file import save_plan

        save_plan(workspace, environment, plan, request.out, outputs)
    if request.form == "markdown":
        from notifyctl.views.markdown import render

        echo(render(plan, changes))
    elif request.form == "json":
        from notifyctl.views.plan_diff import as_object

        following_object = next_object(next_of(workspace, plan))
        echo(
            view.as_json(
                plan,
                next=following_object,
                **extra,
                **({"review": as_object(changes)} if changes is not None else {}),
            )
        )
    else:
        echo(view.as_text(plan, colour=wants_colour(context)))
        if (following := next_of(workspace, plan)) is not None:
            echo(next_line(following, plan.as_of, plan.timezone, env=plan.environment))
        if changes is not None:
            from notifyctl.views.plan_diff import as_text

            echo(as_text(changes, colour=wants_colour(context)))


def next_of(workspace: Workspace, plan: Plan) -> NextSend | None:
    """What is due next. Nothing is said of it where it is not now, or where the ledger was not read."""
    from notifyctl.app.runner.lock import is_running
    from notifyctl.plan.next_send import find_next

    if plan.made_at is not None or not plan.complete:
        return None
    return find_next(plan, running=is_running(workspace.root, plan.environment))


def exit_code(plan: Plan) -> ExitCode:
    """Returns the code for --detailed-exitcode. What an apply would do takes precedence."""
    if plan.has_effect:
        return ExitCode.SOMETHING_TO_SEND
    if plan.summary[Action.UNCERTAIN]:
        return ExitCode.UNCERTAIN
    held = plan.summary[Action.BLOCKED] or plan.summary[Action.CHANGED]
    return ExitCode.BLOCKED if held else ExitCode.DONE
