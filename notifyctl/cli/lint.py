"""`notifyctl lint`: checks a project's files. Offline: no ledger, no secret, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import (
    GlobalOptions,
    as_of_option,
    echo,
    format_option,
    get_globals,
    global_options,
    wants_colour,
)

if TYPE_CHECKING:
    from notifyctl.app.workspace import Workspace
    from notifyctl.diagnostics import Diagnostic
    from notifyctl.views.lint.context import LintContext


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--select", metavar="RULE", multiple=True, help="Report only this rule. Repeatable.")
@click.option("--ignore", metavar="RULE", multiple=True, help="Do not report this rule. Repeatable.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="List all audience rows with a problem, not only the first five of each kind.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Fix what is safe to fix (quoted booleans, epoch times, receipt names), then report the rest.",
)
@as_of_option
@format_option("text", "json", "github", "gitlab", "sarif", "junit")
@global_options
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[Path, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    every: bool,  # noqa: FBT001 - click passes flags by name
    fix: bool,  # noqa: FBT001
    as_of_time: datetime | None,
    form: str,
) -> int:
    """Check project files, offline: syntax, keys, references, API limits, variables, and the text of each recipient.

    The whole project is always read, because files refer to each other; PATH limits what is reported. To ignore a rule on
    one line, add `# notifyctl: ignore[rule] reason`. To change its severity, use `lint:` in notifyctl.yaml. The exit
    code is 1 if there are errors, else 0.

    \b
    notifyctl lint
    notifyctl lint notifications/outage.yaml
    notifyctl lint --ignore needs-unicode
    notifyctl lint --fix
    notifyctl lint --as-of 2026-12-24
    notifyctl lint --format sarif > notifyctl.sarif
    """
    from notifyctl.app.lint import filter_paths, filter_rules, lint_context
    from notifyctl.diagnostics import has_errors
    from notifyctl.exit_codes import ExitCode

    settings = get_globals(context)
    workspace, all_diagnostics = lint_project(settings, paths, every=every, as_of_time=as_of_time)
    diagnostics = filter_rules(filter_paths(workspace, all_diagnostics, paths), select=select, ignore=ignore)
    if fix and apply_fixes(workspace, diagnostics, all_diagnostics):
        workspace, all_diagnostics = lint_project(settings, paths, every=every, as_of_time=as_of_time)
        diagnostics = filter_rules(
            filter_paths(workspace, all_diagnostics, paths), select=select, ignore=ignore
        )
    # All of them: a line of one that is filtered out can hold a secret that another one shows.
    surroundings = lint_context(workspace, all_diagnostics, colour=wants_colour(context))
    time: Mapping[str, str] = {}
    if as_of_time is not None:
        from notifyctl.app.as_of import asked_for, not_now

        time = asked_for(workspace)
        echo(not_now(workspace) or "", stderr=True)
    echo(format_diagnostics(diagnostics, form, surroundings, time))
    return ExitCode.ERROR if has_errors(diagnostics) else ExitCode.DONE


def lint_project(
    settings: GlobalOptions, paths: Sequence[Path], *, every: bool, as_of_time: datetime | None
) -> tuple[Workspace, list[Diagnostic]]:
    """Lints the project given by the global options, or the one found upwards from the first of `paths`."""
    from notifyctl.app.lint import check_files

    return check_files(settings.chdir, settings.env, near=paths, every=every, as_of_time=as_of_time)


def apply_fixes(
    workspace: Workspace, diagnostics: Sequence[Diagnostic], all_diagnostics: Sequence[Diagnostic]
) -> bool:
    """Writes the safe fixes to the files and lists them on standard error. Returns whether there were any."""
    from notifyctl.app.autofix import fix
    from notifyctl.views.diagnostics import as_fixed

    fixes = fix(workspace, diagnostics, all_diagnostics)
    echo(as_fixed(fixes), stderr=True)
    return bool(fixes)


def format_diagnostics(
    diagnostics: Sequence[Diagnostic], form: str, context: LintContext, time: Mapping[str, str]
) -> str:
    """Formats the diagnostics as requested by `--format`. `time`: what a JSON document says of --as-of."""
    if form == "json":
        from notifyctl.views.diagnostics import as_json

        return as_json(diagnostics, time)
    # Each other format is a module with a function `render`.
    text: str = import_module(f"notifyctl.views.lint.{form}").render(diagnostics, context)
    return text
