"""The use case of `plan --untrusted`: plans an untrusted project in a confined process, with the base's trust
settings.

A pull request from a fork can change texts and audiences. Where messages go and who can be reached is taken from
the base, so that no branch can widen its own allow-list.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from notifyctl.app.diff import workspace_of
from notifyctl.app.environ import empty_environ, process_environ
from notifyctl.app.untrusted.confinement import confine, is_within
from notifyctl.app.workspace import Workspace, find_root, read_workspace
from notifyctl.clock import SystemClock
from notifyctl.config.load import escape_path
from notifyctl.diagnostics import Diagnostic, Location, Severity, sort_diagnostics
from notifyctl.errors import ProjectError
from notifyctl.files import WorkingTree
from notifyctl.git import SEALED, CommittedTree
from notifyctl.model.project import Environment
from notifyctl.plan.model import Plan
from notifyctl.ports import FileTree

TRUSTED = {
    "provider": "provider",
    "endpoint": "endpoint",
    "proxy": "proxy",
    "proxy_secret": "proxyEnv",
    "ca_file": "caFile",
    "profile": "profile",
    "auth": "auth",
    "limits": "limits",
    "ledger": "ledger",
    "fence": "fence",
    "alerts": "alerts",
}
"""Fields of an environment that decide where messages go, who can be reached and how fast, and who is alerted → their keys in the file."""
MOST_STRANGE = 100
"""Links and submodules listed in the error."""
UNKNOWN = (
    "earlier sends (the ledger is not read)",
    "opt-outs other than those in suppression lists of the project",
    "whether the provider accepts credentials and senders (no secret is read, no request is made)",
)
"""What a plan from files alone cannot know."""
OWN_SETTINGS = "whether endpoint, allow-list and limits equal those of the base; to compare them, add --base"


def open_untrusted(
    chdir: Path | None, *, out: Path | None, check: Callable[[Path], None] = lambda _: None
) -> Workspace:
    """Clears the environment, lets `check` judge whether `out` may be written, confines this process for the rest of its life, then
    reads the project.

    Raises ProjectError for links and submodules in it, UntrustedError for anything that is not allowed.
    """
    root = Path(os.path.realpath(find_root_without_environment(chdir)))
    if out is not None:
        check(out)
    confine(root, out=out)
    files = WorkingTree(root, links=False)
    refuse_strange(files)
    return read_workspace(root, files, environ={}, clock=SystemClock())


def find_root_without_environment(chdir: Path | None) -> Path:
    """The project's folder, after clearing the environment except for the search path outside the project."""
    path = process_environ().get("PATH", "")
    empty_environ({})
    root = find_root(chdir)
    empty_environ({"PATH": trusted_folders(path, checkout_root(root)), **SEALED})
    return root


def checkout_root(root: Path) -> str:
    """The root of the repository that contains the project, or the project's own folder."""
    real = Path(os.path.realpath(root))
    found = next((folder for folder in (real, *real.parents) if (folder / ".git").exists()), real)
    return str(found)


def trusted_folders(path: str, folder: str) -> str:
    """The absolute folders of a search path that are not below `folder`."""
    parts = [part for part in path.split(os.pathsep) if os.path.isabs(part)]  # noqa: PTH117 - strings
    return os.pathsep.join(part for part in parts if not is_within(os.path.realpath(part), folder))


def refuse_strange(files: WorkingTree) -> None:
    """Raises ProjectError that lists each link and submodule in the project."""
    found = [
        Diagnostic(
            "unreadable-file",
            Severity.ERROR,
            f"this is {what}, and an untrusted project has none",
            Location(escape_path(path)),
            "a file of its own in its place, or its name in .notifyctlignore",
        )
        for path, what in islice(files.strange(), MOST_STRANGE)
    ]
    if found:
        raise ProjectError(
            "the project has links or submodules; nothing was planned", diagnostics=sort_diagnostics(found)
        )


def settings_of_base(
    workspace: Workspace, environment: Environment, revision: str
) -> tuple[Environment, list[Diagnostic]]:
    """The environment with the base's settings where they differ, and a warning for each difference.

    Raises ProjectError if the base cannot be read: without it nothing is trusted.
    """
    base = workspace_of(workspace, CommittedTree(workspace.root, revision))
    trusted = base.sound.environments.get(environment.name)
    if trusted is None:
        message = f"the environment {environment.name!r} is not in the base; all of its settings are the branch's own"
        return environment, [warning(environment, message)]
    theirs = {name: getattr(trusted, name) for name in TRUSTED}
    changed = [name for name, value in theirs.items() if value != getattr(environment, name)]
    warnings = [
        warning(environment, f"`{key}` differs from the base's, by which this plan is made", key)
        for key in (TRUSTED[name] for name in changed)
    ]
    if trusted.ca_file is not None and "ca_file" not in changed:
        warnings += ca_file_warnings(environment, trusted.ca_file, base.files, workspace.files)
    return replace(environment, **theirs), warnings


def ca_file_warnings(
    environment: Environment, path: str, base: FileTree, branch: FileTree
) -> Iterator[Diagnostic]:
    """A warning if a CA file differs from the base's: its content decides who can receive messages."""
    if contents(base, path) != contents(branch, path):
        yield warning(environment, f"the CA file `{path}` differs from the base's", "caFile")


def contents(files: FileTree, path: str) -> bytes | None:
    try:
        return files.read(path)
    except OSError:
        return None


def warning(environment: Environment, message: str, *path: str) -> Diagnostic:
    hint = "check this change before you merge; see docs/how-to/ci.md"
    return Diagnostic("trust-setting", Severity.WARNING, message, environment.positions.location(*path), hint)


def with_warnings(plan: Plan, found: list[Diagnostic]) -> Plan:
    return replace(plan, diagnostics=tuple(sort_diagnostics([*plan.diagnostics, *found])))


def unknown_facts(*, base: str | None) -> Iterator[str]:
    """What the plan cannot know, as sentences without a full stop."""
    yield from UNKNOWN
    if base is None:
        yield OWN_SETTINGS


def unknown_as_json(*, base: str | None) -> Mapping[str, object]:
    """The same for the JSON form."""
    return {"untrusted": True, "unknown": list(unknown_facts(base=base))}
