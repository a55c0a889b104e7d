"""What `notifyctl lint` does once its command line is understood, by click or by a first look. Knows no click."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from notifyctl.app.lint import check_files, filter_paths, select_paths, surroundings
from notifyctl.app.workspace import Workspace
from notifyctl.cli.console import Globals, coloured, say
from notifyctl.diagnostics import Diagnostic, has_errors
from notifyctl.errors import ExitCode

if TYPE_CHECKING:
    from notifyctl.views.lint.context import LintContext

FORMS = ("text", "json", "github", "gitlab", "sarif", "junit")


def run_lint(
    settings: Globals,
    paths: Sequence[Path],
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    every: bool = False,
    fix: bool = False,
    form: str = FORMS[0],
) -> int:
    """Check, mend where asked, and say what is left in one of FORMS."""
    workspace, everything = check_files(settings.chdir, settings.env, near=paths, every=every)
    found = select_paths(filter_paths(workspace, everything, paths), select=select, ignore=ignore)
    if fix and mended(workspace, found, everything):
        workspace, everything = check_files(settings.chdir, settings.env, near=paths, every=every)
        found = select_paths(filter_paths(workspace, everything, paths), select=select, ignore=ignore)
    say(drawn(found, form, surroundings(workspace, colour=coloured(settings))))
    return ExitCode.ERROR if has_errors(found) else ExitCode.DONE


def drawn(found: Sequence[Diagnostic], form: str, around: LintContext) -> str:
    if form == "json":
        from notifyctl.views.diagnostics import as_json

        return as_json(found)
    # A form is a module with one verb; only the one that was asked for is imported.
    text: str = import_module(f"notifyctl.views.lint.{form}").render(found, around)
    return text


def mended(workspace: Workspace, found: Sequence[Diagnostic], everything: Sequence[Diagnostic]) -> bool:
    """Mend what can be and say so; whether anything was."""
    from notifyctl.app.autofix import mend
    from notifyctl.views.diagnostics import as_fixed

    done = mend(workspace, found, everything)
    say(as_fixed(done), stderr=True)
    return bool(done)
