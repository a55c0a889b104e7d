"""The process environment, read here and passed to everything else, so that tests can pass another one.

Imports nothing of ours, because every command loads it, even `--help`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def process_environ() -> Mapping[str, str]:
    return os.environ


def spare_threads() -> None:
    """Keeps NumPy from starting threads for linear algebra, which is not used here: they cost more than its import."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def empty_environ(keep: Mapping[str, str]) -> None:
    """Replaces the environment of this process and its children by `keep`."""
    os.environ.clear()
    os.environ.update(keep)
