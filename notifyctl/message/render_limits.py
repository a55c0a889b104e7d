"""Limits processor time and memory while an untrusted template renders.

The operating system enforces the limits. On other systems than POSIX, and outside the main thread, there are none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 2.0
"""Processor time per text. Usual texts take hundredths of a second."""
MEMORY = 256 << 20
"""Bytes of address space in addition to what the process already uses."""

MAX_TEXT = 1 << 20
"""Maximum characters of one text, before and after Jinja2: three times the largest e-mail that the API accepts."""


class OutOfTimeError(Exception):
    """The time limit was exceeded."""


@contextmanager
def run_bounded(*, seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Raises OutOfTimeError or MemoryError if the block exceeds a limit. Cannot be nested."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with limit_memory(memory), limit_time(seconds):
        yield


@contextmanager
def limit_time(seconds: float) -> Iterator[None]:
    import signal

    if not hasattr(signal, "setitimer"):
        yield
        return

    def raise_timeout(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        raise OutOfTimeError

    previous = signal.signal(signal.SIGVTALRM, raise_timeout)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)


@contextmanager
def limit_memory(memory: int) -> Iterator[None]:
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as stream:  # noqa: PTH123 - no pathlib for one line
            used = int(stream.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + memory
    resource.setrlimit(
        resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
