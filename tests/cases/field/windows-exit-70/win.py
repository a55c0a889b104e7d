"""Runs a command without what Windows lacks. Simulated: no real Windows."""

import os
import signal
import sys

for module in ("fcntl", "resource", "pwd"):
    sys.modules[module] = None  # type: ignore[assignment]  # as documented: imports of it fail
for n in (
    "SIGKILL",
    "SIGSTOP",
    "SIGXCPU",
    "SIGVTALRM",
    "SIGALRM",
    "SIGUSR1",
    "SIGHUP",
    "setitimer",
    "ITIMER_VIRTUAL",
    "ITIMER_REAL",
):
    if hasattr(signal, n):
        delattr(signal, n)
for n in (
    "fork",
    "getuid",
    "sched_getaffinity",
    "pread",
    "pwrite",
    "O_CLOEXEC",
    "O_DIRECTORY",
    "O_NOFOLLOW",
    "O_NONBLOCK",
):
    if hasattr(os, n):
        delattr(os, n)
from notifyctl.__main__ import main  # noqa: E402 - after what Windows lacks is gone

main()
