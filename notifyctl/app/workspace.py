"""A project on disk and what it runs with: files, clock, process environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from notifyctl.app.environ import process_environ
from notifyctl.channels import CHANNELS
from notifyctl.clock import SystemClock
from notifyctl.command_line import command_line
from notifyctl.config.load import load_project
from notifyctl.diagnostics import Diagnostic, has_errors
from notifyctl.errors import ProjectError, UsageError
from notifyctl.files import WorkingTree, find_project
from notifyctl.model.project import Environment, Project
from notifyctl.ports import Clock, Environ, FileTree
from notifyctl.progress import Progress, ignore_progress


class Workspace(Struct, frozen=True):
    """A project that was found and read, its diagnostics, and what it runs with."""

    root: Path
    files: FileTree
    project: Project | None
    diagnostics: tuple[Diagnostic, ...]
    environ: Environ
    clock: Clock
    show_progress: Callable[[Progress], None] = ignore_progress
    revision: str | None = None
    """The commit that `files` are of; None: they are those of `root`, whatever git says of it."""
    made_at: datetime | None = None
    """The real time, where `clock` shows one that was asked for with --as-of."""

    @property
    def sound(self) -> Project:
        """The project. Raises ProjectError with every problem if its files have errors."""
        if self.project is None or has_errors(self.diagnostics):
            raise errors_in_project(self.diagnostics)
        return self.project

    def environment(self, name: str | None) -> Environment:
        """The named environment, or the project's default. Raises UsageError that lists the defined ones."""
        return find_environment(self.sound, name)


def revision_of(workspace: Workspace) -> str | None:
    """The commit of the project's files, as the ledger records it; None without git or a commit."""
    from notifyctl.git import current_revision

    return workspace.revision or current_revision(workspace.root)


def find_environment(project: Project, name: str | None) -> Environment:
    wanted = name or project.default_environment
    if wanted in project.environments:
        return project.environments[wanted]
    from difflib import get_close_matches

    known = sorted(project.environments)
    near = get_close_matches(wanted, known, n=1)
    raise UsageError(
        f"unknown environment `{wanted}`; defined: {', '.join(known)}",
        hint=f"did you mean `{near[0]}`?" if near else "environments are defined in notifyctl.yaml",
    )


def errors_in_project(diagnostics: Sequence[Diagnostic]) -> ProjectError:
    from notifyctl.lint.secrets_mask import mask_diagnostics

    return ProjectError(
        "the project has errors, so no plan was made",
        hint=f"to list them, run: {command_line('lint')}",
        diagnostics=mask_diagnostics(diagnostics),
    )


def open_workspace(
    chdir: Path | None,
    *,
    near: Sequence[Path] = (),
    environ: Environ | None = None,
    clock: Clock | None = None,
) -> Workspace:
    """Find and read the project: in `chdir`, else upwards from the first of `near`, else from the working folder.

    Problems in its files are in `diagnostics`; only its absence raises ProjectError.
    """
    root = find_root(chdir, near=near)
    return read_workspace(
        root,
        WorkingTree(root),
        environ=process_environ() if environ is None else environ,
        clock=clock or SystemClock(),
    )


def read_workspace(root: Path, files: FileTree, *, environ: Environ, clock: Clock) -> Workspace:
    """Read the project in `files`; `root` is its folder."""
    shapes = [channel.shape for channel in CHANNELS.values()]
    loaded = load_project(files, shapes)
    return Workspace(root, files, loaded.project, tuple(loaded.diagnostics), environ, clock)


def find_root(chdir: Path | None, *, near: Sequence[Path] = ()) -> Path:
    """The project's folder. Raises ProjectError if there is none."""
    root = find_near(near) if chdir is None else project_at(chdir)
    if root is None:
        raise ProjectError(
            f"there is no notifyctl.yaml here, above, or in {Path('notifications') / 'notifyctl.yaml'}",
            hint=f"to create a project, run: {command_line('init', 'NAME')}; to use another folder, add -C DIR",
        )
    return root


def find_near(near: Sequence[Path]) -> Path | None:
    start = near[0].resolve() if near else Path.cwd()
    return find_project(start if start.is_dir() else start.parent) or find_project(Path.cwd())


def project_at(folder: Path) -> Path:
    if not (folder / "notifyctl.yaml").is_file():
        raise ProjectError(
            f"there is no notifyctl.yaml in {folder}",
            hint="-C must be the folder that contains notifyctl.yaml. To create a project, run:"
            f" {command_line('init', 'NAME')}",
        )
    return folder
