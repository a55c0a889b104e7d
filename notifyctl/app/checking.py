"""`lint` as a use case: everything that can be found wrong offline."""

from __future__ import annotations

from notifyctl.app.workspace import Workspace
from notifyctl.diagnostics import Diagnostic, in_order


def lint(workspace: Workspace, environment_name: str | None) -> list[Diagnostic]:
    """Every problem that can be found without ledger, network and secrets, sorted. Never raises for a user's file."""
    from notifyctl.lint.project import check_project

    problems = list(workspace.diagnostics)
    project = workspace.project
    if project is not None:
        environment = project.environments.get(environment_name or project.default_environment)
        if environment is not None:
            found = check_project(project, environment=environment, files=workspace.files)
            problems.extend(found.diagnostics)
    return in_order(problems)
