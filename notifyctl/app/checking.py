"""`lint` as a use case: everything that can be found wrong offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from notifyctl.app.workspace import Workspace
from notifyctl.diagnostics import Diagnostic, in_order
from notifyctl.errors import UsageError


def lint(workspace: Workspace, environment_name: str | None, *, every: bool = False) -> list[Diagnostic]:
    """Every problem that can be found without ledger, network and secrets, sorted. Never raises for a user's file.

    `every`: tell all rows of audiences that have a problem, not only the first of each kind.
    """
    from notifyctl.lint.project import check_everybody, check_project

    problems = list(workspace.diagnostics)
    project = workspace.project
    if project is not None:
        environment = project.environments.get(environment_name or project.default_environment)
        if environment is not None:
            found = check_project(project, environment=environment, files=workspace.files)
            problems.extend(found.diagnostics)
            problems.extend(check_everybody(project, found, profile=environment.profile, every=every))
    return in_order(problems)


def reported(
    workspace: Workspace, diagnostics: Sequence[Diagnostic], paths: Sequence[Path]
) -> list[Diagnostic]:
    """Those in the named files and folders; all of them when none is named. Raises UsageError for a path to nothing."""
    if not paths:
        return list(diagnostics)
    root = workspace.root.resolve()
    wanted = [existing(path, root) for path in paths]

    def named(diagnostic: Diagnostic) -> bool:
        place = root / diagnostic.location.file
        return any(place == path or path in place.parents for path in wanted)

    return [diagnostic for diagnostic in diagnostics if named(diagnostic)]


def existing(path: Path, root: Path) -> Path:
    """From here, or from the project that -C names."""
    for candidate in (path, root / path):
        if candidate.exists():
            return candidate.resolve()
    raise UsageError(f"there is no file or folder {str(path)!r}")
