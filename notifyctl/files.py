"""The working tree of a project on disk. The only module that opens a project's files: for reading, and to replace one whole."""

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
    hidden,
    ignored,
    inside,
    read_at_most,
    too_large,
)
from notifyctl.errors import ProjectError

OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
"""Opening a FIFO would otherwise wait for a writer."""

NEVER_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def find_project(start: Path) -> Path | None:
    """The folder of the nearest notifyctl.yaml, upwards from `start`; else `start`/notifications when it holds one."""
    start = start.absolute()
    candidates = (start, *start.parents, start / "notifications")
    return next((folder for folder in candidates if (folder / PROJECT_FILE).is_file()), None)


class WorkingTree:
    """The files below `root` as a FileTree. Links are followed to files inside of the root, never to folders; without
    `links` they are not followed at all.
    """

    def __init__(self, root: Path, *, links: bool = True) -> None:
        self.root = Path(os.path.realpath(root))
        self.links = links
        self._plain: set[str] = set()
        """Files that `paths` found and that no link leads to: where they are need not be asked again."""

    def paths(self) -> Sequence[str]:
        """Raises ProjectError when a folder or .notifyctlignore cannot be read."""
        try:
            return sorted(self.walk("", ignored(self.rules())))
        except OSError as wrong:
            raise ProjectError(f"{wrong.filename or self.root} cannot be read: {wrong.strerror}") from None

    def read(self, path: str) -> bytes:
        with self.open(path) as stream:
            data = read_at_most(stream, MAX_READ + 1)
        if len(data) > MAX_READ:
            raise too_large(path)
        return data

    def open(self, path: str) -> BinaryIO:
        if self.links and path in self._plain:
            try:
                return open_regular(f"{self.root}/{path}", NEVER_FOLLOW)
            except OSError as wrong:
                if wrong.errno not in (errno.ELOOP, errno.ENOENT):
                    raise  # a link has come into its place, or it is gone: `real` says what that means
        return open_regular(self.real(path))

    def on_disk(self, path: str) -> str | None:
        """None in a tree that is not trusted: whoever opens it must be seen to."""
        return self.real(path) if self.links else None

    def real(self, path: str) -> str:
        """The file behind a path, links followed. Raises FileNotFoundError when it is not inside of the root."""
        real = os.path.realpath(self.root / inside(path), strict=True)
        relative = os.path.relpath(real, self.root).replace(os.sep, "/")
        inside(relative)  # a link may lead to what is outside or hidden
        if not self.links and relative != inside(path):
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
        """Links, and folders that are repositories of their own, with what they are. Hidden and ignored ones are left out.

        Raises ProjectError as `paths` does.
        """
        try:
            yield from self.look(ignored(self.rules()))
        except OSError as wrong:
            raise ProjectError(f"{wrong.filename or self.root} cannot be read: {wrong.strerror}") from None

    def look(self, leave_out: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    if folder and entry.name == ".git":
                        yield folder.rstrip("/"), "a submodule"
                    elif hidden(entry.name):
                        continue
                    elif entry.is_symlink():
                        if not leave_out(path):
                            yield path, "a link"
                    elif entry.is_dir(follow_symlinks=False) and not leave_out(path + "/"):
                        waiting.append(path + "/")

    def walk(self, folder: str, leave_out: Callable[[str], bool]) -> Iterator[str]:
        """By a list of what is still to be walked, since folders may nest deeper than calls."""
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            with os.scandir(self.root / folder) as entries:
                for entry in entries:
                    path = folder + entry.name
                    if hidden(entry.name):
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
    """Replace a file by one of other content and the same mode, at once: a reader sees the old one or the new one.

    Raises ProjectError when it cannot be done; then the file is as it was.
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
