"""The process environment: read here and handed on, so that everything else can be tried with another one.

Imports nothing of ours: `--help` needs it to know about colours, and should need little else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping


def process_environ() -> Mapping[str, str]:
    return os.environ


def spare_threads() -> None:
    """NumPy comes with threads for algebra, which nothing here does: to start them costs more than to import it."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def empty_environ(keep: Mapping[str, str]) -> None:
    """Forget the process environment, here and for what is started from here, but for `keep`."""
    os.environ.clear()
    os.environ.update(keep)
