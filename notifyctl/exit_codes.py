"""The exit codes of all commands."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of commands. A public contract: a number is never reused."""

    DONE = 0
    ERROR = 1
    SOMETHING_TO_SEND = 2
    BLOCKED = 3
    PLAN_REFUSED = 4
    LEDGER_LOCKED = 5
    REJECTIONS = 6
    UNCERTAIN = 7
    HALTED = 8
    USAGE = 64
    DEFECT = 70
    INTERRUPTED = 130
