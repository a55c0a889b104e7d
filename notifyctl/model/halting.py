"""What `halt` found: who halted, and where each worker stopped. Plain data."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Halt(Struct, frozen=True):
    """Who halted sending, when and why."""

    who: str
    at: datetime
    reason: str | None = None


class InFlight(Struct, frozen=True):
    """An attempt that was begun and has no recorded outcome. `worker` is None for a run that sends its batches itself."""

    batch: int
    attempt: int
    worker: int | None
    at: datetime
    recipients: int


class WhereStopped(Struct, frozen=True):
    """Where one sender stopped: a worker, or a run that sends its batches itself (`worker` is None).

    `requests` were begun by it in this run, the last of them for `last_batch`. `in_flight` have no recorded outcome. `alive`: its
    session with the database is open, so that it can still record them.
    """

    worker: int | None
    name: str
    alive: bool
    requests: int
    last_batch: int | None
    in_flight: tuple[InFlight, ...] = ()


class Halted(Struct, frozen=True):
    """The state of a ledger after `halt`. `run` is the one that has not ended, None if there is none; of its `batches` so many are still to be
    attempted.
    """

    halt: Halt
    run: int | None
    batches: int
    not_attempted: int
    workers: tuple[WhereStopped, ...]

    @property
    def in_flight(self) -> tuple[InFlight, ...]:
        return tuple(each for worker in self.workers for each in worker.in_flight)
