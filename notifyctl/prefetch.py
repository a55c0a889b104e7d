"""Prefetches the next items of an iterator on a thread while the current one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@contextmanager
def run_in_background(work: Callable[..., object], *given: Any) -> Iterator[None]:
    """Runs `work` on a thread while the block runs; both end together."""
    with ThreadPoolExecutor(1) as worker:
        done = worker.submit(work, *given)
        yield
    done.result()


class Prefetcher(Generic[T]):
    """Iterates over `items` once, staying up to `most` items ahead. Errors are raised where the item would have come.
    `items` must not yield None.
    """

    def __init__(self, items: Iterator[T], *, most: int = 1) -> None:
        self._items = items
        self._worker = ThreadPoolExecutor(1)
        self._coming: deque[Future[T | None]] = deque()
        for _ in range(most):
            self._ask()

    def __iter__(self) -> Iterator[T]:
        try:
            while (item := self._coming.popleft().result()) is not None:
                self._ask()
                yield item
        finally:
            self._worker.shutdown(cancel_futures=True)

    def _ask(self) -> None:
        self._coming.append(self._worker.submit(next, self._items, None))
