"""A second process for half of a piece of work, by `fork`: it sees all that this one knows, and hands back bytes.

Only what makes its own result from what is there already may run beside: nothing that speaks, writes files or holds
connections. Whoever starts it must be able to do that half alone, because a second process may fail at any time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, BinaryIO, Self

ENOUGH = 200
"""From how many files on a second process pays: starting it and reading its answer takes as long as some fifty files."""
SIZE = 8
"""Bytes before each question and answer that say how long it is."""

Then = Callable[[Any, bytes], bytes]
"""What is in hand, and a question about it → the answer."""


def pays(count: int) -> bool:
    """Whether to share `count` files with a second process. It takes Linux, a second processor and no other thread."""
    if count < ENOUGH or sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:  # noqa: PLR2004 - two of them
        return False
    import threading

    return threading.active_count() == 1


class Companion:
    """At most one second process, from `start` to the end of the block. It does its share, and keeps it for questions.

    `then` answers these. Where there is no second process, or no longer one, the answer is None and the share is empty.
    """

    def __init__(self, then: Then) -> None:
        self.then = then
        self.share: frozenset[str] = frozenset()
        """What it was given, by name."""
        self._child: tuple[int, BinaryIO, BinaryIO] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def start(self, share: Iterable[str], work: Callable[[], tuple[bytes, Any]]) -> None:
        """`work` gives the first answer, and what is to be kept in hand."""
        asked, asking = os.pipe()
        told, telling = os.pipe()
        try:
            child = os.fork()
        except OSError:
            for end in (asked, asking, told, telling):
                os.close(end)
            return
        if child == 0:
            os.close(asking)
            os.close(told)
            served(work, self.then, asked, telling)
        os.close(asked)
        os.close(telling)
        self.share = frozenset(share)
        self._child = child, stream(told, "rb"), stream(asking, "wb")

    def ask(self, question: bytes) -> None:
        if self._child is not None:
            with suppress(OSError):  # it is gone; `answer` finds out
                put(self._child[2], question)

    def answer(self) -> bytes | None:
        """Waits for it."""
        data = got(self._child[1]) if self._child is not None else None
        if data is None:
            self.end()
        return data

    def end(self) -> None:
        if self._child is None:
            return
        import signal

        (child, *streams), self._child, self.share = self._child, None, frozenset()
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for each in streams:
            with suppress(OSError):
                each.close()


def served(work: Callable[[], tuple[bytes, Any]], then: Then, asked: int, telling: int) -> None:
    """The second process from its first to its last moment: nothing of the first one's is flushed or closed."""
    try:
        answers, questions = stream(telling, "wb"), stream(asked, "rb")
        data, held = work()
        put(answers, data)
        while (question := got(questions)) is not None:
            put(answers, then(held, question))
    finally:  # whatever went wrong, the first process does this half itself, and meets it there
        os._exit(0)


def stream(end: int, mode: str) -> Any:
    return open(end, mode)


def put(pipe: BinaryIO, data: bytes) -> None:
    pipe.write(len(data).to_bytes(SIZE, "big"))
    pipe.write(data)
    pipe.flush()


def got(pipe: BinaryIO) -> bytes | None:
    """None where the other process has ended, be it in the middle."""
    size = pipe.read(SIZE)
    count = int.from_bytes(size, "big")
    data = pipe.read(count) if len(size) == SIZE else b""
    return data if len(size) == SIZE and len(data) == count else None
