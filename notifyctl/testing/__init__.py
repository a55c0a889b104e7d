"""Fakes of the ports, public, so that projects which embed notifyctl can test with them too. No I/O, no real time.

Each passes the contract test of its port in `tests/contracts/`, the same one as the adapter it stands for.
"""

from notifyctl.testing.fakes import ManualClock, MemoryFiles, RecordingProvider, whole
from notifyctl.testing.ledger import MemoryLedger, MemoryReader, MemoryWriter

__all__ = [
    "ManualClock",
    "MemoryFiles",
    "MemoryLedger",
    "MemoryReader",
    "MemoryWriter",
    "RecordingProvider",
    "whole",
]
