"""Named fault points at which a process can kill, stop or fail itself, so that tests can try each. Inert unless asked for.

`NOTIFYCTL_FAULT` sets what happens and where: `kill:ARM.committed` or `kill:#7` (SIGKILL to itself at that point, or at the
seventh point that is passed), `term:…` (SIGTERM), `stop:…` (SIGSTOP), `raise:…` (no space left on the device). Each happens
once. The name of every point that is passed is appended to the file `NOTIFYCTL_FAULT_LOG`.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from notifyctl.errors import UsageError

FAULT, FAULT_LOG = "NOTIFYCTL_FAULT", "NOTIFYCTL_FAULT_LOG"


class Point(StrEnum):
    """Every fault point, in the order of a run. A `commit` is reached before the ledger's commit, `committed` after it."""

    LOCK_TAKEN = "LOCK.taken"
    EPOCH_COMMIT = "EPOCH.commit"  # what predecessors left armed becomes unknown in the same commit
    EPOCH_COMMITTED = "EPOCH.committed"
    REPLAYED = "REPLAY.done"
    MARKED = "MARK.written"
    PLAN_COMMIT = "PLAN.commit"
    PLAN_COMMITTED = "PLAN.committed"
    OPEN_COMMIT = "OPEN.commit"
    OPEN_COMMITTED = "OPEN.committed"
    RESERVED = "RESERVE.done"
    ARM_COMMIT = "ARM.commit"
    ARM_COMMITTED = "ARM.committed"
    ARM_MARKED = "ARM.marked"
    POST_BEGUN = "POST.begun"
    POST_CONNECTED = "POST.connected"
    POST_HEAD = "POST.head"
    POST_BODY = "POST.body"
    POST_ANSWER_HEAD = "POST.answer-head"
    POST_ANSWER = "POST.answer"
    RESULT_HEARD = "RESULT.heard"
    RESULT_COMMIT = "RESULT.commit"
    RESULT_COMMITTED = "RESULT.committed"
    END_COMMIT = "END.commit"
    END_COMMITTED = "END.committed"


SIGNALS = {"kill": "SIGKILL", "term": "SIGTERM", "stop": "SIGSTOP"}
"""By name, because not every system has all of them."""
RAISE = "raise"


class Fault(Struct, frozen=True):
    """`kind` is a key of SIGNALS or RAISE. It happens at `point`, or at the `number`th point that is passed."""

    kind: str
    point: Point | None
    number: int | None

    def happen(self) -> None:
        if self.kind == RAISE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.kill(os.getpid(), getattr(signal, SIGNALS[self.kind]))


class Faults:
    """The fault that this process was asked for. Points are passed on several threads."""

    def __init__(self) -> None:
        self._armed = False
        self._fault: Fault | None = None
        self._log: int | None = None
        self._passed = 0
        self._turn = threading.Lock()

    def arrange(self, environ: Mapping[str, str]) -> None:
        """Read the fault and the log from the environment. Raises UsageError for an unknown fault."""
        text, log = environ.get(FAULT), environ.get(FAULT_LOG)
        self._armed = bool(text or log)
        if self._armed:
            self._fault = parse_fault(text) if text else None
            self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else None
            self._passed = 0

    def point(self, point: Point) -> None:
        """Pass a point: a durable or network step was just done, or is about to be."""
        if self._armed:
            self._pass(point)

    def _pass(self, point: Point) -> None:
        with self._turn:
            self._passed += 1
            if self._log is not None:
                os.write(self._log, f"{point}\n".encode())
            fault = self._fault
            if fault is None or not (point is fault.point or self._passed == fault.number):
                return
            self._fault = None
        fault.happen()


def parse_fault(text: str) -> Fault:
    kind, _, where = text.partition(":")
    known = kind in SIGNALS or kind == RAISE
    if known and where.startswith("#") and where[1:].isdecimal():
        return Fault(kind, None, int(where[1:]))
    if known and where in set(Point):
        return Fault(kind, Point(where), None)
    raise UsageError(
        f"{FAULT}={text!r} names no fault",
        hint=f"it is kill, term, stop or raise, a colon, and #NUMBER or one of: {', '.join(Point)}",
    )


FAULTS = Faults()
point = FAULTS.point
