"""A second process for half of a piece of work, by `fork`: it sees all that this one knows, and hands back bytes.

Only what makes its own result from what is there already may run beside: nothing that speaks, writes files or holds
connections. Whoever starts it must be able to do that half alone, because a second process may fail at any time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ENOUGH = 200
"""From how many files on a second process pays: starting it and reading its answer takes as long as some fifty files."""

Answer = Callable[[], bytes | None]
"""Waits for the second process; None where it failed."""


def pays(count: int) -> bool:
    """Whether to share `count` files with a second process. It takes Linux, a second processor and no other thread."""
    if count < ENOUGH or sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:  # noqa: PLR2004 - two of them
        return False
    import threading

    return threading.active_count() == 1


@contextmanager
def beside(work: Callable[[], bytes]) -> Iterator[Answer]:
    """Runs `work` in a second process for as long as the block lasts. Where none can be started, the answer is None."""
    reading, writing = os.pipe()
    try:
        child = os.fork()
    except OSError:
        child = -1
    if child == 0:
        os.close(reading)
        answered(work, writing)
    os.close(writing)
    with open(reading, "rb") as stream:  # noqa: PTH123 - a pipe has no path
        gone = child == -1

        def answer() -> bytes | None:
            nonlocal gone
            data = stream.read()
            if gone:
                return None
            gone = True
            return data if os.waitpid(child, 0)[1] == 0 else None

        try:
            yield answer
        finally:
            if not gone:
                import signal

                with suppress(OSError):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)


def answered(work: Callable[[], bytes], writing: int) -> None:
    """The second process from its first to its last moment: nothing of the first one's is flushed or closed."""
    code = 1
    try:
        with open(writing, "wb") as stream:
            stream.write(work())
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the first process does this half itself, and meets it there
        code = 1
    finally:
        os._exit(code)
