"""A campaign of the rig: who enqueues it and follows it, and its workers, each a process that can be killed, paused and replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from tests.rig.projects import Ended, Rig


@dataclass(slots=True)
class Campaign:
    rig: Rig
    follower: int = 0
    workers: list[int] = field(default_factory=list)
    _ended: Ended | None = None

    def begin(self, *, fault: str | None = None) -> None:
        self.follower = self.rig.start("apply", "--workers", "--format", "json", fault=fault)

    def hire(self, *faults: str | None) -> None:
        """A worker for each."""
        self.workers += [self.rig.start("worker", fault=fault) for fault in faults]

    def kill(self, worker: int) -> None:
        os.kill(worker, signal.SIGKILL)
        self.rig.wait(worker)
        self.workers.remove(worker)

    def end_of_follower(self) -> Ended | None:
        """How it ended; None while it goes on."""
        self._ended = self._ended or self.rig.poll(self.follower)
        return self._ended

    def followed(self, *, until: float = 60.0, meanwhile: Callable[[], object] | None = None) -> Ended:
        """How it ended, once it has. `meanwhile`: called again and again until then."""
        deadline = time.monotonic() + until
        while (ended := self.end_of_follower()) is None:
            if meanwhile is None:
                time.sleep(0.02)
            else:
                meanwhile()
            assert time.monotonic() < deadline, "the campaign does not end"
        return ended

    def dismiss(self) -> list[Ended]:
        """Ask all workers to end in order; one that is paused goes on first."""
        for worker in self.workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)
                os.kill(worker, signal.SIGCONT)
        ended = [self.rig.wait(worker) for worker in self.workers]
        self.workers.clear()
        return ended

    def wait_for_deaths(self) -> int:
        """Until no worker is alive, or the campaign has ended. Returns how many are dead."""
        died = 0
        while self.workers and self.end_of_follower() is None:
            for worker in list(self.workers):
                if (ended := self.rig.poll(worker)) is not None:
                    assert ended.how == f"signal {signal.SIGKILL.value}", ended
                    self.workers.remove(worker)
                    died += 1
            time.sleep(0.01)
        return died

    def wait_until_enqueued(self) -> None:
        """Until the workers have something to do."""
        with psycopg.connect(self.rig.ledger.direct["LEDGER_URL"], autocommit=True) as connection:
            while connection.execute("SELECT 1 FROM campaign").fetchone() is None:
                assert self.end_of_follower() is None, "it has ended"
                time.sleep(0.01)

    def wait_for_requests(self, recipients: int) -> None:
        """Until the sink has had so many recipients."""
        while not self.rig.log.exists() or self.rig.log.read_bytes().count(b"\n") < recipients:
            assert self.follower in self.rig.alive
            time.sleep(0.005)
