"""Which paths a project consists of: nothing hidden, nothing ignored, nothing outside. Text only; opens no file.

Every FileTree (working tree, git revision, memory) answers by these rules, so that all read the same project.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import BinaryIO

from notifyctl.errors import ProjectError

PROJECT_FILE = "notifyctl.yaml"
IGNORE_FILE = ".notifyctlignore"
MAX_READ = 10 << 20
"""Bytes of a file that is read whole. What may be larger is read as a stream."""
USUAL = 1 << 15
"""Bytes that nearly all files fit in."""


def is_hidden(path: str) -> bool:
    """Whether a file or a folder on the way to it begins with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


def normalise_path(path: str) -> str:
    """The path relative to the root without `.` and `..`. Raises FileNotFoundError for what is outside, absolute or hidden."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            raise FileNotFoundError(2, "it is outside of the project", path)
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    normal = "/".join(parts)
    if path.startswith("/") or "\\" in path or "\0" in path or not parts:
        raise FileNotFoundError(2, "it is no path inside of the project, relative and with /", path)
    if is_hidden(normal):
        raise FileNotFoundError(2, "hidden files are no part of a project", path)
    return normal


def read_at_most(stream: BinaryIO, most: int) -> bytes:
    """The first `most` bytes. To ask for all at once would clear memory for the largest file each time."""
    data = stream.read(min(USUAL, most))
    return data + stream.read(most - USUAL) if len(data) == USUAL < most else data


def too_large_error(path: str) -> OSError:
    return OSError(errno.EFBIG, f"it has more than {MAX_READ >> 20} MiB", path)


def compile_ignore_rules(rules: bytes | None) -> Callable[[str], bool]:
    """Whether .notifyctlignore (gitignore syntax; `None`: there is none) leaves a path out. A folder's path ends with /.

    Raises ProjectError for a pattern that cannot be read.
    """
    if not rules or not rules.strip():
        return nothing
    from pathspec import GitIgnoreSpec

    lines = rules.decode("utf-8-sig", "replace").splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines).match_file
    except ValueError as wrong:
        hint = "it takes the syntax of .gitignore"
        raise ProjectError(f"{IGNORE_FILE} has a pattern that cannot be read: {wrong}", hint=hint) from None


def nothing(_path: str) -> bool:
    return False
