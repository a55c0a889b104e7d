"""The one door to git: plumbing commands in the project's folder, bounded in time. Runs no hook and changes nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

TIMEOUT = 10.0
"""Seconds; what is asked here takes milliseconds."""


def revision(folder: Path) -> str | None:
    """The commit that `folder` is at, with `+changes` when files differ from it; None where git or a commit is missing."""
    commit = ask(folder, "rev-parse", "--verify", "--quiet", "--short=12", "HEAD")
    if commit is None:
        return None
    changed = ask(folder, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{commit}+changes" if changed else commit


def ask(folder: Path, *arguments: str) -> str | None:
    """What git says, without the line break at its end; None when it fails or is not there."""
    quiet = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and arguments of ours
            ["git", *quiet, *arguments],  # noqa: S607 - the user's own git
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").rstrip("\n")
