"""Where `run` reads the project from, again and again: the working tree, or a branch or commit in git, which is exported whole.

A commit is exported into a folder of its own beside the ledger, so that a source of any kind can be opened there and no file
changes while it is read.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from notifyctl.app.ledger import STATE_FOLDER
from notifyctl.app.workspace import Workspace, read_workspace
from notifyctl.config.paths import is_hidden
from notifyctl.errors import ProjectError, ProviderError, UsageError
from notifyctl.files import WorkingTree
from notifyctl.git import CommittedTree, fetch_branch, find_branch, git_output
from notifyctl.ports import Clock, Environ, FileTree

FETCH_INTERVAL = timedelta(seconds=60)
SHORT = 12
"""Hexadecimal digits of a commit in the ledger, as for an apply by hand."""


class ProjectSource(Protocol):
    """A project that can change between two readings."""

    failing_since: datetime | None
    """Since when the remote repository cannot be reached; None: it can, or there is none."""
    problem: str | None
    """Why it cannot."""

    def version(self) -> str:
        """Differs from the last one if the project may have changed. Raises NotifyctlError if there is no such project any more."""

    def read(self) -> Workspace:
        """The project in that version. Raises NotifyctlError; errors in its files are in the workspace."""


class WorkingFolder:
    """The project's files as they are. Implements ProjectSource."""

    failing_since: datetime | None = None
    problem: str | None = None

    def __init__(self, root: Path, *, environ: Environ, clock: Clock) -> None:
        self._root = root
        self._environ = environ
        self._clock = clock

    def version(self) -> str:
        found = set()
        for path in files_below(self._root):
            with suppress(OSError):  # removed, or a broken link
                status = path.stat()
                found.add((path, status.st_mtime_ns, status.st_size, status.st_ino))
        return str(hash(frozenset(found)))

    def read(self) -> Workspace:
        return read_workspace(self._root, WorkingTree(self._root), environ=self._environ, clock=self._clock)


def files_below(folder: Path) -> Iterator[Path]:
    """Files that may belong to a project: hidden ones are left out, but for `.notifyctlignore`."""
    waiting = [folder]
    while waiting:
        try:
            entries = list(waiting.pop().iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name == ".notifyctlignore" or not is_hidden(entry.name):
                if entry.is_dir() and not entry.is_symlink():
                    waiting.append(entry)
                yield entry


class CommittedProject:
    """The project at a branch or commit. Implements ProjectSource.

    With `pull` the branch is fetched from its remote repository, at most once a minute. While that fails, the last commit is used;
    if the branch is gone, none is.
    """

    def __init__(
        self, root: Path, ref: str, *, pull: bool, environment: str, environ: Environ, clock: Clock
    ) -> None:
        self._root = root
        self._ref = ref
        self._branch = find_branch(root, ref) if pull else None
        self._environ = environ
        self._clock = clock
        self._folder = root / STATE_FOLDER / f"{environment}.commits"
        self._exported: str | None = None
        self._commit: str | None = None
        self._fetched: datetime | None = None
        self.failing_since: datetime | None = None
        self.problem: str | None = None

    def version(self) -> str:
        if self._branch is not None:
            self._pull()
        commit = self._commit if self._branch is not None else self._resolve(self._ref)
        if commit is None:
            raise ProjectError(
                f"there is no branch or commit `{self._ref}`{' in the remote repository' if self._branch else ''}; nothing was sent",
                hint="create it again, or start `notifyctl run` with another --ref",
            )
        self._commit = commit
        return commit

    def _pull(self) -> None:
        """Sets the commit: the branch's, None if it is gone, or the last one while the remote cannot be reached."""
        assert self._branch is not None, "only a branch is fetched"
        now = self._clock.now()
        if self._fetched is not None and abs(now - self._fetched) < FETCH_INTERVAL:
            return
        self._fetched = now
        try:
            self._commit = fetch_branch(self._root, self._branch, self._environ)
            self.failing_since = self.problem = None
        except ProviderError as error:
            self.failing_since = self.failing_since or now
            self.problem = error.message
            self._commit = self._commit or self._resolve(self._branch.local_ref)
            if self._commit is None:
                raise

    def _resolve(self, ref: str) -> str | None:
        return git_output(
            self._root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}"
        )

    def read(self) -> Workspace:
        commit = self._commit or self.version()
        workspace = read_workspace(
            self._root, WorkingTree(self._export(commit)), environ=self._environ, clock=self._clock
        )
        return replace(workspace, revision=commit[:SHORT])

    def _export(self, commit: str) -> Path:
        """The folder with a commit's files. What a run that was killed left behind is made again."""
        target = self._folder / commit
        if self._exported == commit and target.is_dir():
            return target
        try:
            shutil.rmtree(self._folder, ignore_errors=True)
            target.mkdir(mode=0o700, parents=True)
            CommittedTree(self._root, commit).export(target)
        except OSError as error:
            raise ProjectError(
                f"commit {commit[:SHORT]} cannot be written to {target}: {error.strerror}"
            ) from error
        self._exported = commit
        return target


def open_source(
    root: Path, ref: str | None, *, pull: bool, environment: str, environ: Environ, clock: Clock
) -> ProjectSource:
    """`environment`: its name; only one process reads commits for it. Raises UsageError where git knows no repository."""
    if ref is None:
        return WorkingFolder(root, environ=environ, clock=clock)
    if git_output(root, "rev-parse", "--git-dir") is None:
        raise UsageError(
            f"{root} is not in a git repository, so there is no `{ref}` to read",
            hint=f"check it as this user, with: git -C {root} status",
        )
    return CommittedProject(root, ref, pull=pull, environment=environment, environ=environ, clock=clock)


def default_environment(root: Path, ref: str | None, *, pull: bool, environ: Environ, clock: Clock) -> str:
    """The environment that the project names, where none was asked for. Raises ProjectError if it cannot be read."""
    if ref is None:
        files: FileTree = WorkingTree(root)
    else:
        known = find_branch(root, ref).local_ref if pull else ref
        try:
            files = CommittedTree(root, known)
        except UsageError:
            files = WorkingTree(root)  # not fetched yet
    return read_workspace(root, files, environ=environ, clock=clock).environment(None).name
