"""A clock in a file that processes share and that outlives them: hours pass in milliseconds, and a test can move it.

    python virtual_time.py FILE ARGUMENTS…

runs a command line of notifyctl by it. Only what `clock.SystemClock` tells and waits for is replaced. Nobody passes the limit that
the test has set: a process that sleeps until then waits in real time until the limit is raised.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

LAYOUT = struct.Struct("ddd")
"""Wall clock (seconds since 1970), seconds that passed, and the limit of the wall clock."""
POLL = 0.001


class SharedTime:
    """`wall` can be set without time passing, as by a person or NTP; `passed` is what a monotonic clock tells."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as stream:
            self._memory = mmap.mmap(stream.fileno(), LAYOUT.size)

    @classmethod
    def create(cls, path: Path, start: datetime) -> SharedTime:
        path.write_bytes(LAYOUT.pack(start.timestamp(), 0.0, start.timestamp()))
        return cls(path)

    def _read(self) -> tuple[float, float, float]:
        wall, passed, limit = LAYOUT.unpack(self._memory[: LAYOUT.size])
        return wall, passed, limit

    def _write(self, wall: float, passed: float, limit: float) -> None:
        self._memory[: LAYOUT.size] = LAYOUT.pack(wall, passed, limit)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self._read()[0], UTC)

    @property
    def passed(self) -> float:
        return self._read()[1]

    @property
    def at_limit(self) -> bool:
        wall, _, limit = self._read()
        return wall >= limit

    def run_until(self, moment: datetime) -> None:
        wall, passed, _ = self._read()
        self._write(wall, passed, moment.timestamp())

    def set(self, moment: datetime) -> None:
        """Set the wall clock, and the limit with it: no time passes."""
        _, passed, _ = self._read()
        self._write(moment.timestamp(), passed, moment.timestamp())

    def advance(self, seconds: float) -> None:
        """Let time pass, as far as the limit; beyond it, wait for another one."""
        while seconds > 0:
            wall, passed, limit = self._read()
            step = min(seconds, limit - wall)
            if step > 0:
                self._write(wall + step, passed + step, limit)
                seconds -= step
            else:
                time.sleep(POLL)


def follow(path: Path, *, slowest: float = 0.0) -> None:
    """Make the clock of this process that of the file. `slowest`: seconds that a sleep of a second or more takes at least, as on
    a machine that is busy with other things.
    """
    from notifyctl.clock import SystemClock

    shared = SharedTime(path)

    def sleep(_: SystemClock, seconds: float) -> None:
        shared.advance(max(seconds, slowest if seconds >= 1 else 0))

    def wait(_: SystemClock, happened: Event, seconds: float) -> None:
        if not happened.wait(min(max(seconds, 0), 0.01)):
            shared.advance(seconds)

    SystemClock.now = lambda _: shared.now  # type: ignore[method-assign, assignment]
    SystemClock.monotonic = lambda _: shared.passed  # type: ignore[method-assign, assignment]
    SystemClock.sleep = sleep  # type: ignore[method-assign, assignment]
    SystemClock.wait = wait  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    follow(Path(sys.argv[1]), slowest=float(os.environ.get("SLOWEST_SLEEP", "0")))
    from notifyctl.cli.main import run

    sys.exit(run(sys.argv[2:]))
