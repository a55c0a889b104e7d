"""The only module that runs git: plumbing commands in the project's folder, limited in time. Runs no hook and changes
nothing but the ref of a branch that `run --pull` fetches.
"""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from notifyctl.config.paths import (
    IGNORE_FILE,
    MAX_READ,
    compile_ignore_rules,
    is_hidden,
    normalise_path,
    too_large_error,
)
from notifyctl.errors import ProviderError, UsageError

NETWORK_TIMEOUT = 120.0
"""Seconds for a command that talks to a remote repository, or reads a large file."""
ASKING_TIMEOUT = 20.0
"""Seconds for a remote repository to name the commit of a branch: what is due waits for it meanwhile."""
CREDENTIALS = re.compile(r"//[^/@\s]+@")
TIMEOUT = 10.0
"""Seconds; these commands take milliseconds."""
QUIET = (
    "--no-optional-locks",
    "--no-replace-objects",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
)
"""Keeps a repository's own configuration from making git run programs."""
READING = frozenset({"rev-parse", "ls-tree", "cat-file"})
"""Plumbing commands that only read objects and refs."""
SEALED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "4",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
    "GIT_CONFIG_KEY_1": "safe.bareRepository",
    "GIT_CONFIG_VALUE_1": "explicit",
    "GIT_CONFIG_KEY_2": "core.packedGitWindowSize",
    "GIT_CONFIG_VALUE_2": "16m",
    "GIT_CONFIG_KEY_3": "core.packedGitLimit",
    "GIT_CONFIG_VALUE_3": "64m",
}
"""An environment in which git ignores user settings, fetches nothing, treats no project folder as a repository, reads
a checkout owned by another user (as in a container), and uses little memory.
"""
SMALL, MOST_SMALL = 64 * 1024, 4096
"""Files up to this many bytes are fetched together, at most this many."""
ABSENT = -1
"""The size of a file that the commit lists but the repository does not contain."""
REGULAR = frozenset({"100644", "100755"})
"""Modes of the files that are read: no links, no submodules."""


def reads_objects(command: Sequence[str]) -> bool:
    """Whether a command line is one of ours that only reads objects."""
    start = ["git", *QUIET]
    return list(command[: len(start)]) == start and command[len(start)] in READING


def current_revision(folder: Path) -> str | None:
    """The commit checked out in `folder`, with `+changes` if files differ; None without git or a commit."""
    commit = git_output(folder, "rev-parse", "--verify", "--quiet", "--short=12", "HEAD")
    if commit is None:
        return None
    changed = git_output(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{commit}+changes" if changed else commit


def is_tracked(file: Path) -> bool:
    """Whether git tracks a file by this name, whatever its case; False without git or a repository."""
    return bool(run_git(file.parent, "ls-files", "-z", "--", f":(icase,literal){file.name}"))


def git_output(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The output of git without its last line break; None if it fails or is not installed."""
    output = run_git(folder, *arguments, environ=environ)
    return output.decode("utf-8", "replace").rstrip("\n") if output is not None else None


def run_git(
    folder: Path,
    *arguments: str,
    given: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    seconds: float = TIMEOUT,
) -> bytes | None:
    """The output of git; None if it fails or is not installed. `environ`: instead of this process's environment."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and arguments of ours
            ["git", *QUIET, *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            input=given,
            env=environ,
            stdin=subprocess.DEVNULL if given is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def split_batch(output: bytes) -> dict[str, bytes]:
    """Objects by their names, as `git cat-file --batch` printed them; without those that are missing."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(output):
        head, _, _ = output[at : at + 128].partition(b"\n")
        name, kind, *size = head.decode().split()
        at += len(head) + 1
        if kind != "missing":
            found[name] = output[at : at + int(size[0])]
            at += int(size[0]) + 1
    return found


def copy_blob(folder: Path, name: str, stream: BinaryIO) -> bool:
    """Writes a file of git's object store to a stream. Returns False if git cannot read it, or takes too long."""
    command = ["git", *QUIET, "cat-file", "blob", name]
    try:
        subprocess.run(  # noqa: S603 - as in run_git
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.DEVNULL,
            timeout=NETWORK_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


class Branch(Struct, frozen=True):
    """A branch of a remote repository."""

    remote: str
    name: str

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.name}"

    @property
    def local_ref(self) -> str:
        """Where its commit is kept here: a ref that only `notifyctl run` uses."""
        return f"refs/notifyctl/{self.remote}/{self.name}"


def find_branch(folder: Path, ref: str) -> Branch:
    """The branch that `main`, `origin/main` or `refs/heads/main` means: of the named remote, else of the branch's upstream, else
    of `origin`.
    """
    remotes = (git_output(folder, "remote") or "").split()
    remote, _, rest = ref.partition("/")
    if rest and remote in remotes:
        return Branch(remote, rest)
    name = ref.removeprefix("refs/heads/")
    return Branch(git_output(folder, "config", "--get", f"branch.{name}.remote") or "origin", name)


def fetch_branch(folder: Path, branch: Branch, environ: Mapping[str, str]) -> str | None:
    """Fetches a branch and returns its commit, or None if the remote has no such branch. Changes only `local_ref`: no branch,
    index or file of the user.

    Raises ProviderError if the remote cannot be reached in time.
    """
    listed = run_network(
        folder, environ, "ls-remote", "--", branch.remote, branch.ref, seconds=ASKING_TIMEOUT
    )
    commit = listed.split("\t")[0].strip()
    if not commit:
        return None
    if git_output(folder, "rev-parse", "--verify", "--quiet", branch.local_ref) != commit:
        run_network(
            folder,
            environ,
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--refmap=",
            "--",
            branch.remote,
            f"+{branch.ref}:{branch.local_ref}",
        )
    return git_output(folder, "rev-parse", "--verify", "--quiet", branch.local_ref)


def run_network(
    folder: Path, environ: Mapping[str, str], *arguments: str, seconds: float = NETWORK_TIMEOUT
) -> str:
    """The output of a git command that talks to a remote. It asks nobody, and ends with its helpers when its time is over.

    Raises ProviderError, without the user name or password of a URL.
    """
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603 - a fixed program, and arguments of ours
            ["git", *QUIET, *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            env={**environ, **quiet},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # no terminal to ask on, and Ctrl-C is ours
        )
    except OSError as error:
        raise ProviderError(f"git cannot be run: {error.strerror}") from error
    try:
        out, said = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ProviderError(f"git {arguments[0]} took more than {seconds:g} s") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        why = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")
        raise ProviderError(
            f"git {arguments[0]} failed: {CREDENTIALS.sub('//…@', why.removeprefix('fatal:').strip()) or 'no reason given'}"
        )
    return out.decode("utf-8", "replace")


class Blob(Struct, frozen=True):
    name: str
    size: int


class CommittedTree:
    """A commit's files below one folder, as git stores them. Implements ports.FileTree.

    No checkout, no filter, no hook; links and submodules are left out.
    """

    def __init__(self, folder: Path, revision: str, *, environ: Mapping[str, str] | None = None) -> None:
        """`environ`: instead of this process's environment. Raises UsageError if the folder is in no repository, or the commit is unknown."""
        self._folder = folder
        self._git = partial(run_git, folder, environ=environ)
        commit = git_output(
            folder,
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            f"{revision}^{{commit}}",
            environ=environ,
        )
        if commit is None:
            raise UsageError(
                f"git knows no commit {revision!r} here",
                hint="a branch, tag or commit, such as origin/main; in CI fetch it first (fetch-depth: 0)",
            )
        self.commit = commit
        self._read: dict[str, bytes] = {}
        prefix = git_output(folder, "rev-parse", "--show-prefix", environ=environ) or ""
        self._blobs = self._list_blobs(prefix)
        rules = self.read(IGNORE_FILE) if IGNORE_FILE in self._blobs else None
        leave_out = compile_ignore_rules(rules)
        self._paths = sorted(path for path in self._blobs if not is_hidden(path) and not leave_out(path))

    def _list_blobs(self, prefix: str) -> dict[str, Blob]:
        where = [prefix] if prefix else []
        output = self._git("ls-tree", "-r", "-z", "-l", "--full-tree", self.commit, "--", *where) or b""
        found = {}
        for entry in filter(None, output.split(b"\0")):
            facts, _, path = entry.partition(b"\t")
            mode, _, name, size = facts.decode().split()
            text = path.decode("utf-8", "surrogateescape").removeprefix(prefix)
            if mode in REGULAR:
                # git prints BAD for a missing object; reading it fails then.
                found[text] = Blob(name, int(size) if size.isdigit() else ABSENT)
        return found

    def paths(self) -> Sequence[str]:
        return self._paths

    def read(self, path: str) -> bytes:
        if self._blob(path).size > MAX_READ:
            raise too_large_error(path)
        return self._whole(path)

    def _blob(self, path: str) -> Blob:
        blob = self._blobs.get(normalise_path(path) if path != IGNORE_FILE else path)
        if blob is None:
            raise FileNotFoundError(2, "No such file in the commit", path)
        return blob

    def _whole(self, path: str) -> bytes:
        blob = self._blob(path)
        if not self._read:
            self._read = self._small()
        data = self._read.get(blob.name)
        if data is None:
            data = self._git("cat-file", "blob", blob.name)
        if data is None:
            raise OSError(5, "git could not read the file", path)
        return data

    def _small(self) -> dict[str, bytes]:
        """Every small file of the project, by its name in git, fetched by one process."""
        wanted = sorted({blob.name for blob in self._blobs.values() if 0 <= blob.size <= SMALL})[:MOST_SMALL]
        output = self._git("cat-file", "--batch", given="".join(f"{name}\n" for name in wanted).encode())
        return split_batch(output) if output is not None else {}

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self._whole(path))

    def export(self, folder: Path) -> None:
        """Writes every file of the project into `folder`, which is new. Large files do not pass through memory.

        Raises OSError.
        """
        rules = [IGNORE_FILE] if IGNORE_FILE in self._blobs else []
        for path in (*self._paths, *rules):
            target = folder / (normalise_path(path) if path != IGNORE_FILE else path)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            blob = self._blob(path)
            if 0 <= blob.size <= SMALL:
                target.write_bytes(self._whole(path))
            else:
                with target.open("wb") as stream:
                    if not copy_blob(self._folder, blob.name, stream):
                        raise OSError(5, "git could not read the file", path)

    def on_disk(self, path: str) -> str | None:
        """None: the file is in git's object store."""
        self.open(path).close()
        return None
