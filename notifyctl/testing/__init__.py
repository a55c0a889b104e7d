"""Test doubles of the ports, public so that projects which embed notifyctl can use them too.

Each passes the contract test of its port in `tests/contracts/`, which its adapter passes as well.
"""

from notifyctl.testing.fakes import ManualClock, MemoryFiles, RecordingProvider, whole
from notifyctl.testing.temporary_ledger import TemporaryLedger

__all__ = [
    "ManualClock",
    "MemoryFiles",
    "RecordingProvider",
    "TemporaryLedger",
    "whole",
]
