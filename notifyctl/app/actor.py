"""Who is behind a run or a decision, for the ledger: a name to ask, not a proof. Whoever runs the command can set it."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from notifyctl.git import git_output
from notifyctl.ports import Environ

CI_VARIABLES = (
    "GITHUB_TRIGGERING_ACTOR",  # who started this run, also of a re-run
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "BUILD_REQUESTEDFOR",  # Azure Pipelines
    "BITBUCKET_STEP_TRIGGERER_UUID",
    "CIRCLE_USERNAME",
    "BUILDKITE_BUILD_CREATOR",
    "BUILD_USER_ID",  # Jenkins, plugin "build user vars"
    "DRONE_COMMIT_AUTHOR",
)
"""Where CI services name the person behind a job, the most exact first."""
MAX_NAME = 200


def find_actor(folder: Path, environ: Environ) -> str:
    """The CI's actor, else the author that git knows in `folder` (`user.email`), else the user of the system."""
    for variable in CI_VARIABLES:
        if name := clean(environ.get(variable, "")):
            return name
    author = environ.get("GIT_AUTHOR_EMAIL") or git_output(folder, "config", "--get", "user.email")
    return clean(author or "") or system_user()


def system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def clean(name: str) -> str:
    """A name without line breaks and control characters, cut to MAX_NAME."""
    return "".join(each for each in name if each.isprintable()).strip()[:MAX_NAME]
