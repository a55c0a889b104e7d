"""The process environment, read here and passed to everything else, so that tests can pass another one.

Imports nothing of ours, because every command loads it, even `--help`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def process_environ() -> Mapping[str, str]:
    return os.environ


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """Where this user's state is kept: NOTIFYCTL_STATE_DIR, else by the XDG base directory specification, on macOS too.

    None for a process that has no home. A relative XDG_STATE_HOME is ignored, as the specification says.
    """
    if named := environ.get("NOTIFYCTL_STATE_DIR"):
        return Path(named).absolute()
    state = environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(state):  # noqa: PTH117 - of a text that may be empty
        return Path(state, "notifyctl")
    home = environ.get("HOME", "")
    return Path(home, ".local", "state", "notifyctl") if os.path.isabs(home) else None  # noqa: PTH117


def spare_threads() -> None:
    """Keeps NumPy from starting threads for linear algebra, which is not used here: they cost more than its import."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def empty_environ(keep: Mapping[str, str]) -> None:
    """Replaces the environment of this process and its children by `keep`."""
    os.environ.clear()
    os.environ.update(keep)
