"""Threads that run calls for an event loop. Daemons: a process that is told to end at once does not wait for a slow provider."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Work = Callable[[], None]


class DaemonThreads:
    """At most `size` threads, made when they are needed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._tasks: SimpleQueue[Work | None] = SimpleQueue()
        self._threads = 0
        self._busy = 0

    async def call(self, function: Callable[[int], T], argument: int) -> T:
        """What `function(argument)` returns or raises, on a thread. For one event loop."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = function(argument)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                finish(loop, future, error=error)
            else:
                finish(loop, future, result=result)

        self._busy += 1
        if self._threads < min(self._busy, self._size):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"sender {self._threads}", daemon=True).start()
        self._tasks.put(work)
        try:
            return await future
        finally:
            self._busy -= 1

    def stop(self) -> None:
        """End the threads once they have nothing to do."""
        for _ in range(self._threads):
            self._tasks.put(None)

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()


def finish(
    loop: asyncio.AbstractEventLoop,
    future: asyncio.Future[T],
    *,
    result: T | None = None,
    error: BaseException | None = None,
) -> None:
    """Sets a future of another thread's loop."""

    def settle() -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(settle)
