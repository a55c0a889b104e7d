"""The use case of `review`: detects forge and pull request, and puts the plan there as a comment."""

from __future__ import annotations

import re
from pathlib import Path

from notifyctl.app.workspace import Workspace
from notifyctl.command_line import command_line
from notifyctl.errors import SettingsError, UsageError
from notifyctl.forge.client import Forge, github, gitlab, put
from notifyctl.forge.comments import Decision
from notifyctl.git import git_output
from notifyctl.plan.actions import Action
from notifyctl.plan.comment_marker import Subject
from notifyctl.plan.diff import Review
from notifyctl.plan.model import Plan
from notifyctl.ports import Environ

PULL = re.compile(r"refs/pull/(\d+)/")


def forge_of(environ: Environ, *, named: str | None, number: int | None) -> Forge:
    """Detects the forge from CI variables. Raises UsageError or SettingsError that name what is missing."""
    chosen = named or (
        "github" if "GITHUB_REPOSITORY" in environ else "gitlab" if "CI_PROJECT_ID" in environ else None
    )
    if chosen == "github":
        found = PULL.match(environ.get("GITHUB_REF", ""))
        return github(
            api=environ.get("GITHUB_API_URL", "https://api.github.com"),
            repository=require_variable(environ, "GITHUB_REPOSITORY"),
            number=number
            or (int(found[1]) if found else missing_number("--pull N, or GITHUB_REF of a pull request")),
            token=require_variable(environ, "GITHUB_TOKEN"),
        )
    if chosen == "gitlab":
        given = environ.get("CI_MERGE_REQUEST_IID", "")
        return gitlab(
            api=environ.get("CI_API_V4_URL", "https://gitlab.com/api/v4"),
            project=require_variable(environ, "CI_PROJECT_ID"),
            number=number
            or (int(given) if given.isdigit() else missing_number("--pull N, or CI_MERGE_REQUEST_IID")),
            token=require_variable(environ, "GITLAB_TOKEN"),
        )
    raise UsageError(
        "not running in GitHub Actions or GitLab CI",
        hint="set --forge github and GITHUB_REPOSITORY, or --forge gitlab and CI_PROJECT_ID. To print the comment, run:"
        f" {command_line('plan', '--format', 'markdown')}",
    )


def require_variable(environ: Environ, name: str) -> str:
    if not environ.get(name):
        raise SettingsError(
            f"the environment variable {name} is not set",
            hint="set it in CI; a token can be given only by the environment",
        )
    return environ[name]


def missing_number(hint: str) -> int:
    raise UsageError("unknown pull or merge request", hint=f"set {hint}")


def project_folder(root: Path) -> str:
    """The project's folder in its repository; `.` for the root, and where there is no repository."""
    return (git_output(root, "rev-parse", "--show-prefix") or "").rstrip("/") or "."


def failed_subject(workspace: Workspace, name: str | None) -> Subject | None:
    """What a comment is about when no plan could be made; None if the project or environment is unknown too."""
    project = workspace.project
    if project is None:
        return None
    return Subject(project.name, project_folder(workspace.root), name or project.default_environment)


def should_comment(plan: Plan, review: Review | None, when: str) -> bool:
    """Whether to make a comment. `changes`: something would be sent, or differs; `blocked`: a person must decide; `always`."""
    held = plan.summary[Action.BLOCKED] + plan.summary[Action.CHANGED] + plan.summary[Action.UNCERTAIN]
    if when == "always":
        return True
    if when == "blocked":
        return bool(held) or not plan.complete or plan.has_errors
    changed = bool(review.changes or review.settings) if review is not None else plan.has_effect
    return changed or bool(held)


def is_settled(plan: Plan, review: Review | None) -> bool:
    """Whether nothing changes and, without a base, an apply has no effect."""
    return not should_comment(plan, review, "changes")


def comment(forge: Forge, body: str, environ: Environ, *, create: bool) -> Decision:
    """Brings an existing comment up to date; makes one if `create`."""
    return put(forge, body, environ, create=create)
