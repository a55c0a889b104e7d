"""The queue of batches to send, as a port: what a library for queues has to do for us. It can lose, double or reorder jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from psycopg import Connection

Send = Callable[[int], float | None]
"""Handles the job of a batch, on a thread. None: the job is done. Seconds: the job is to come again after that time."""

HEARTBEAT = 5.0
"""Seconds between two signs of life of a worker in the queue."""
STALE = 20.0
"""Seconds without a sign of life after which a worker's jobs go to others."""


class Waking(Struct, frozen=True):
    """How workers hear of new jobs. `poll`: seconds between two looks. `listen`: they are notified as well, over a connection that
    stays open.
    """

    poll: float = 1.0
    listen: bool = True


class Queue(Protocol):
    """Jobs are batches of recipients, by number; nothing of a person is in them."""

    def defer(self, connection: Connection[Any], batches: Sequence[int]) -> None:
        """Adds a job for each batch, in the transaction of this connection: without its commit there is none."""

    def live_batches(self, connection: Connection[Any]) -> frozenset[int]:
        """Batches with a job that waits or is being worked on."""

    def revive(self, connection: Connection[Any], *, stale: float = ...) -> int:
        """Gives jobs of workers without a sign of life for `stale` seconds to others. Returns how many."""

    def serve(
        self,
        send: Send,
        *,
        concurrency: int,
        waking: Waking,
        stopping: Callable[[], bool],
    ) -> None:
        """Hands jobs to `send`, at most `concurrency` at a time, until `stopping`; then waits for those in hand.

        Raises LedgerError when the database cannot be reached, and whatever `send` raised, once the other jobs in hand are done.
        """
