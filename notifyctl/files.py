"""The working tree of a project on disk: the only module that opens a project's files, to read them or to replace one
whole.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from notifyctl.config.paths import (
    IGNORE_FILE,
    MAX_READ,
    PROJECT_FILE,
    compile_ignore_rules,
    is_hidden,
    normalise_path,
    too_large_error,
)
from notifyctl.errors import ProjectError

OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Keeps opening a FIFO from waiting for a writer."""

NEVER_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def find_project(start: Path) -> Path | None:
    """The folder of the nearest notifyctl.yaml upwards from `start`; else `start`/notifications if it holds one."""
    start = start.absolute()
    candidates = (start, *start.parents, start / "notifications")
    return next((folder for folder in candidates if (folder / PROJECT_FILE).is_file()), None)


class WorkingTree:
    """The files below `root`. Implements ports.FileTree.

    Links are followed to files inside the root, never to folders; without `links` they are not followed at all.
    """

    def __init__(self, root: Path, *, links: bool = True) -> None:
        self.root = Path(os.path.realpath(root))
        self.links = links
        self._plain: set[str] = set()
        """Files that `paths` found and that are not behind links, so that their real path is known."""

    def paths(self) -> Sequence[str]:
        """Raises ProjectError if a folder or .notifyctlignore cannot be read."""
        try:
            return sorted(self.walk("", compile_ignore_rules(self.rules())))
        except OSError as wrong:
            raise ProjectError(f"{wrong.filename or self.root} cannot be read: {wrong.strerror}") from None

    def read(self, path: str) -> bytes:
        with self.open(path) as stream:
            data = stream.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            raise too_large_error(path)
        return data

    def open(self, path: str) -> BinaryIO:
        if self.links and path in self._plain:
            try:
                return open_regular(f"{self.root}/{path}", NEVER_FOLLOW)
            except OSError as wrong:
                if wrong.errno not in (errno.ELOOP, errno.ENOENT):
                    raise  # it was replaced by a link, or removed: `real` decides
        return open_regular(self.real(path))

    def on_disk(self, path: str) -> str | None:
        """None in an untrusted tree: only this module can open its files."""
        return self.real(path) if self.links else None

    def real(self, path: str) -> str:
        """The file behind a path, links followed. Raises FileNotFoundError if it is outside the root."""
        real = os.path.realpath(self.root / normalise_path(path), strict=True)
        relative = os.path.relpath(real, self.root).replace(os.sep, "/")
        normalise_path(relative)  # a link can lead outside, or to a hidden file
        if not self.links and relative != normalise_path(path):
            raise OSError(errno.ELOOP, "it is a link, and links are not followed here", path)
        return real

    def rules(self) -> bytes | None:
        place = self.root / IGNORE_FILE
        if not self.links and place.is_symlink():
            raise OSError(errno.ELOOP, "it is a link, and links are not followed here", IGNORE_FILE)
        try:
            with open_regular(str(place)) as stream:
                return stream.read(MAX_READ)
        except FileNotFoundError:
            return None

    def strange(self) -> Iterator[tuple[str, str]]:
        """Links, and folders that are repositories of their own, each with what it is. Hidden and ignored ones are
        left out.

        Raises ProjectError as `paths` does.
        """
        try:
            yield from self._walk_strange(compile_ignore_rules(self.rules()))
        except OSError as wrong:
            raise ProjectError(f"{wrong.filename or self.root} cannot be read: {wrong.strerror}") from None

    def _walk_strange(self, leave_out: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    if folder and entry.name == ".git":
                        yield folder.rstrip("/"), "a submodule"
                    elif is_hidden(entry.name):
                        continue
                    elif entry.is_symlink():
                        if not leave_out(path):
                            yield path, "a link"
                    elif entry.is_dir(follow_symlinks=False) and not leave_out(path + "/"):
                        waiting.append(path + "/")

    def walk(self, folder: str, leave_out: Callable[[str], bool]) -> Iterator[str]:
        """Iterative, because folders can nest deeper than the call stack."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    if is_hidden(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        if not leave_out(path + "/"):
                            waiting.append(path + "/")
                    elif entry.is_file(follow_symlinks=False):
                        if not leave_out(path):
                            self._plain.add(path)
                            yield path
                    elif not Path(entry.path).is_dir() and not leave_out(path):
                        yield path


def open_regular(real: str, flags: int = 0) -> BinaryIO:
    """A regular file as a stream. Raises OSError for anything else, without waiting for it."""
    descriptor = os.open(real, OPEN_FLAGS | NEVER_WAIT | flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "it is not a regular file", real)  # noqa: TRY301 - the descriptor is closed below
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


def replace_file(real: str, data: bytes) -> None:
    """Replaces a file's content atomically and keeps its mode: a reader sees the old content or the new.

    Raises ProjectError if that fails; the file is unchanged then.
    """
    import tempfile

    place = Path(real)
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".notifyctl-", suffix=".new", dir=place.parent)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(stat.S_IMODE(place.stat().st_mode))
        Path(temporary).replace(place)
    except OSError as wrong:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise ProjectError(f"{place} cannot be written: {wrong.strerror or wrong}") from None
