"""Decides which paths belong to a project: none that is hidden, ignored or outside its root.

Works on path names only and opens no file. Every FileTree (working tree, git revision, memory) uses these rules.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from notifyctl.errors import ProjectError

PROJECT_FILE = "notifyctl.yaml"
IGNORE_FILE = ".notifyctlignore"
MAX_READ = 10 << 20
"""Maximum size in bytes of a file that is read whole. Larger files are streamed."""


def is_hidden(path: str) -> bool:
    """Whether any part of the path starts with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


def normalise_path(path: str) -> str:
    """Resolves `.` and `..` relative to the root. Raises FileNotFoundError if the path is absolute, hidden or outside
    the root.
    """
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and not parts:
            raise FileNotFoundError(2, "the path is outside the project", path)
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    normal = "/".join(parts)
    if path.startswith("/") or "\\" in path or "\0" in path or not parts:
        raise FileNotFoundError(2, "the path must be relative, inside the project, and written with /", path)
    if is_hidden(normal):
        raise FileNotFoundError(2, "hidden files are not part of a project", path)
    return normal


def too_large_error(path: str) -> OSError:
    return OSError(errno.EFBIG, f"the file has more than {MAX_READ >> 20} MiB", path)


def compile_ignore_rules(rules: bytes | None) -> Callable[[str], bool]:
    """Returns a predicate for paths excluded by .notifyctlignore (gitignore syntax; None: no such file).

    Paths of folders end with `/`. Raises ProjectError for an invalid pattern.
    """
    if not rules or not rules.strip():
        return lambda _path: False
    from pathspec import GitIgnoreSpec

    lines = rules.decode("utf-8-sig", "replace").splitlines()
    try:
        return GitIgnoreSpec.from_lines(lines).match_file
    except ValueError as error:
        hint = "use the syntax of .gitignore"
        raise ProjectError(f"{IGNORE_FILE} has an invalid pattern: {error}", hint=hint) from None
