"""Fakes of the ports that reach outside: clock, files and provider. Public, so that projects which embed notifyctl can use them.

Each passes the contract test of its port in `tests/contracts/`. For a ledger, use `SqliteStore` on a temporary file.
"""

from notifyctl.testing.fakes import ManualClock, MemoryFiles, RecordingProvider, whole

__all__ = ["ManualClock", "MemoryFiles", "RecordingProvider", "whole"]
