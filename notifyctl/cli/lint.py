"""`notifyctl lint`: checks a project's files. Offline: no ledger, no secret, no network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from notifyctl.cli.options import Globals, colour, format_option, global_options, globals_of, say

if TYPE_CHECKING:
    from notifyctl.app.workspace import Workspace
    from notifyctl.diagnostics import Diagnostic
    from notifyctl.views.lint.context import LintContext


@click.command("lint")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--select", metavar="RULE", multiple=True, help="Only this rule; may be given several times.")
@click.option("--ignore", metavar="RULE", multiple=True, help="Not this rule; may be given several times.")
@click.option(
    "--all",
    "every",
    is_flag=True,
    help="List all rows of audiences with a problem, not the first five of each kind.",
)
@click.option(
    "--fix",
    is_flag=True,
    help="Mend what is safe: booleans in quotes, times in seconds, names of receipts. Then report what is left.",
)
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
    form: str,
) -> int:
    """Check a project's files: syntax, keys, references, limits of the API, variables, and every recipient's own text.

    The whole project is always read, because references cross files; PATH narrows what is reported. A line is
    excepted by `# notifyctl: ignore[rule] reason`, a rule made lighter or graver by `lint:` in notifyctl.yaml.
    Ends with 1 when there are errors, else with 0.

    \b
    notifyctl lint
    notifyctl lint notifications/outage.yaml
    notifyctl lint --ignore needs-unicode
    notifyctl lint --fix
    notifyctl lint --format sarif > notifyctl.sarif
    """
    from notifyctl.app.lint import filter_paths, lint_context, select_paths
    from notifyctl.diagnostics import has_errors
    from notifyctl.errors import ExitCode

    settings = globals_of(context)
    workspace, everything = checked(settings, paths, every=every)
    found = select_paths(filter_paths(workspace, everything, paths), select=select, ignore=ignore)
    if fix and mended(workspace, found, everything):
        workspace, everything = checked(settings, paths, every=every)
        found = select_paths(filter_paths(workspace, everything, paths), select=select, ignore=ignore)
    say(drawn(found, form, lint_context(workspace, colour=colour(context))))
    return ExitCode.ERROR if has_errors(found) else ExitCode.DONE


def checked(settings: Globals, paths: Sequence[Path], *, every: bool) -> tuple[Workspace, list[Diagnostic]]:
    """Read and lint the project named by the global options, or found upwards from the first of `paths`."""
    from notifyctl.app.lint import check_files

    return check_files(settings.chdir, settings.env, near=paths, every=every)


def mended(workspace: Workspace, found: Sequence[Diagnostic], everything: Sequence[Diagnostic]) -> bool:
    """Write the safe fixes into the files and report them on standard error; whether there were any."""
    from notifyctl.app.autofix import fix
    from notifyctl.views.diagnostics import as_fixed

    done = fix(workspace, found, everything)
    say(as_fixed(done), stderr=True)
    return bool(done)


def drawn(found: Sequence[Diagnostic], form: str, around: LintContext) -> str:
    """The diagnostics as a document in one of the forms of `--format`."""
    if form == "json":
        from notifyctl.views.diagnostics import as_json

        return as_json(found)
    # Each other form is a module with a function `render`; only the requested one is imported.
    text: str = import_module(f"notifyctl.views.lint.{form}").render(found, around)
    return text
