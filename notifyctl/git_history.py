"""The commits of a repository and who made them, by plumbing commands that run no hook and change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from notifyctl.git import SEALED, run_git, split_batch

HISTORY_SECONDS = 120.0
"""For a whole history with the files of each commit."""


class CommitChanges(Struct, frozen=True):
    """A commit, and what differs in it from its parents; of a merge, only what git would not have merged so. `files`: path → the
    path before, where the commit renamed the file. Paths are relative to the repository's root.
    """

    commit: str
    files: Mapping[str, str | None]
    is_octopus: bool = False
    """A merge of more than two parents, of which git cannot tell what was changed by hand."""


class History:
    """The commits of a repository, read as they are stored: no graft, replacement, commit graph or setting of the user is heeded,
    and no variable `GIT_…` points to another repository.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        kept = {name: value for name, value in environ.items() if not name.startswith("GIT_")}
        self.environ = {**kept, **SEALED, "GIT_GRAFT_FILE": "/dev/null", "LC_ALL": "C"}

    def _run(self, *arguments: str, given: bytes | None = None) -> bytes | None:
        settings = ("-c", "core.commitGraph=false", "-c", "log.showRoot=true")
        return run_git(
            self._folder, *settings, *arguments, given=given, environ=self.environ, seconds=HISTORY_SECONDS
        )

    def _line(self, *arguments: str) -> str | None:
        output = self._run(*arguments)
        return output.decode("utf-8", "surrogateescape").removesuffix("\n") if output is not None else None

    @property
    def prefix(self) -> str | None:
        """The project's folder in the repository, with a final `/` unless it is its root; None without a repository."""
        return self._line("rev-parse", "--show-prefix")

    def commit(self, revision: str) -> str | None:
        """The whole name of a commit; None if it is unknown or ambiguous."""
        return self._line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")

    @property
    def is_shallow(self) -> bool:
        return self._line("rev-parse", "--is-shallow-repository") != "false"

    def contains(self, commit: str, ancestor: str) -> bool:
        return self._run("merge-base", "--is-ancestor", ancestor, commit) is not None

    def changes(self, commit: str, *, since: str | None = None) -> list[CommitChanges] | None:
        """The commits of `commit` that are not in `since`, children first; None if git cannot tell."""
        output = self._run(
            "log",
            "--format=%x01%H %P",
            "-z",
            "--topo-order",
            "--name-status",
            "--find-renames",
            "--no-relative",
            "--no-ext-diff",
            "--diff-merges=remerge",
            "--root",
            commit,
            *((f"^{since}",) if since else ()),
            "--",
        )
        return None if output is None else parse_changes(output)

    def read_commits(self, commits: Sequence[str]) -> dict[str, bytes] | None:
        """The commits as they are stored; None if one is missing."""
        given = "".join(f"{name}\n" for name in commits).encode()
        output = self._run("cat-file", "--batch", given=given)
        return None if output is None else split_batch(output)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """A file of a commit, by its path from the repository's root; None if it has none."""
        return self._run("cat-file", "blob", f"{commit}:{path}")


def parse_changes(output: bytes) -> list[CommitChanges]:
    """Reads what `git log -z --name-status` printed."""
    words = iter(output.decode("utf-8", "surrogateescape").split("\0"))
    found: list[CommitChanges] = []
    files: dict[str, str | None] = {}
    for each in words:
        word = each.removeprefix("\n")
        if word.startswith("\x01"):
            commit, *parents = word[1:].split()
            files = {}
            found.append(CommitChanges(commit, files, is_octopus=len(parents) > 2))  # noqa: PLR2004 - two are a merge
        elif word[:1] in {"R", "C"}:
            before = next(words)
            files[next(words)] = before if word.startswith("R") else None
            files.setdefault(before, None)
        elif word:
            files.setdefault(next(words), None)
    return found
