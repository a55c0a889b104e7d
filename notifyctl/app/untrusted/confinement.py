"""Confines a process that reads an untrusted project: it can read that project and Python's own files, start git to
read objects, and write one named file. An audit hook refuses everything else, and system limits bound the rest.

An audit hook cannot be removed, so a confined process stays confined until it ends. The hook guards against what
files can make notifyctl do; it does not contain machine code, and no untrusted code is ever run.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec import Struct

import notifyctl
from notifyctl.config.paths import IGNORE_FILE, is_hidden
from notifyctl.errors import UntrustedError
from notifyctl.git import reads_objects

SECONDS = 9
"""Processor time from the start of the process; one second more, and the system kills it."""
MEMORY = 512 << 20
"""Bytes of writable memory. Read-only memory, such as a library's code, does not count."""
ADDRESSES = 2 << 30
"""Bytes of address space, of which libraries reserve much that they never use."""
MAX_OUTPUT = 1 << 20
"""Bytes written to standard output or to a file."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HARMLESS_FILES = frozenset({os.devnull, "/proc/self/statm"})
"""The second reports how much memory the process uses; message/render_limits.py reads it."""
EFFECTS = (
    "ctypes.",
    "ftplib.",
    "http.client.",
    "imaplib.",
    "os.",
    "poplib.",
    "pty.",
    "resource.prlimit",
    "shutil.",
    "smtplib.",
    "socket.",
    "sqlite3.",
    "subprocess.",
    "syslog.",
    "tempfile.",
    "urllib.",
    "webbrowser.",
)
"""Prefixes of audit events with effects outside the process. All are refused except those in ALLOWED."""
LISTING = frozenset({"os.listdir", "os.scandir"})
ALLOWED = frozenset({"os.putenv", "os.unsetenv", "sqlite3.connect/handle"})


class Guard(Struct, frozen=True):
    """Judges audit events. Paths are absolute with links followed, except for the last part of `out`."""

    root: str
    python: tuple[str, ...]
    """Folders that Python imports from."""
    out: str | None

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raises UntrustedError for anything that is not allowed."""
        if event == "open":
            self.opening(arguments)
        elif event.startswith(EFFECTS) and event not in ALLOWED and not self.allows(event, arguments):
            raise describe_refusal(event, arguments[:1])

    def allows(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event in LISTING:
            return self.may_list(arguments[0])
        if event == "subprocess.Popen":
            return reads_objects(arguments[1])
        if event == "sqlite3.connect":
            return bool(arguments[0] == ":memory:")
        if event == "ctypes.dlopen":
            return arguments[0] is None  # the interpreter itself, which importing DuckDB opens
        if event == "os.rename":
            return self.is_out(arguments[0]) and self.is_out(arguments[1])
        # git, the only child process, is killed when it exceeds its time.
        return event == "os.kill"

    def opening(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        if isinstance(path, int) or os.fsdecode(path) in HARMLESS_FILES:
            return
        allowed = self.is_out(path) if flags & WRITING else self.may_read(path)
        if not allowed:
            raise describe_refusal("open", (path,))

    def may_read(self, path: Any) -> bool:
        real = os.path.realpath(os.fsdecode(path))
        if any(is_within(real, place) for place in self.python):
            return True
        if not is_within(real, self.root):
            return False
        # Hidden files are not part of a project, and one of them holds the checkout's token.
        inner = os.path.relpath(real, self.root)
        return inner == IGNORE_FILE or not is_hidden(inner)

    def may_list(self, path: Any) -> bool:
        real = os.path.realpath("." if path is None else os.fsdecode(path))
        return any(is_within(real, place) for place in (self.root, *self.python)) or real in sys.path

    def is_out(self, path: Any) -> bool:
        """Whether this is the named file or its temporary sibling; never through a link."""
        real = os.path.realpath(os.fsdecode(path))
        return self.out is not None and real in {self.out, f"{self.out}.new"}


def describe_refusal(event: str, arguments: Sequence[object]) -> UntrustedError:
    details = " ".join(str(each) for each in arguments)
    return UntrustedError(
        f"an untrusted project led to what is not allowed: {event} {details[:200]}".rstrip(),
        hint="it was not done; a project is its own files, inside of its own folder",
    )


def is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def confine(root: Path, *, out: Path | None, seconds: int = SECONDS) -> None:
    """Confines the process for the rest of its life. `root`: the project's folder; `out`: the one file it can write.

    Raises UntrustedError if the system supports no such limits.
    """
    import zoneinfo

    here = os.path.realpath(root)
    sys.dont_write_bytecode = True
    sys.path[:] = [entry for entry in sys.path if is_python_path(entry, here)]
    zoneinfo.reset_tzpath(to=())  # time zones of the tzdata package
    guard = Guard(here, import_folders(here), event_name(out))
    set_limits(seconds, writes=out is not None)
    sys.addaudithook(guard)


def event_name(out: Path | None) -> str | None:
    return None if out is None else str(Path(os.path.realpath(out.parent)) / out.name)


def is_python_path(entry: str, root: str) -> bool:
    """Whether Python can keep importing from there: not from the project, unless Python itself is installed in it."""
    real = os.path.realpath(entry or ".")
    installed = any(is_within(real, os.path.realpath(prefix)) for prefix in (sys.prefix, sys.base_prefix))
    return bool(entry) and (installed or not is_within(real, root))


def import_folders(root: str) -> tuple[str, ...]:
    """Folders that Python imports from, except any that contain the project; and this package."""
    entries = [os.path.realpath(entry) for entry in sys.path if entry]
    package = os.path.dirname(os.path.realpath(notifyctl.__file__))  # noqa: PTH120 - as the others, a string
    return (package, *(entry for entry in entries if not is_within(root, entry)))


def set_limits(seconds: int, *, writes: bool) -> None:
    """Limits processor time, memory and writes. A core dump would contain all that was read, so there is none."""
    try:
        import resource
        import signal
    except ImportError:
        raise UntrustedError("--untrusted needs a system with POSIX limits, such as Linux") from None

    def out_of_time(_number: int, _frame: FrameType | None) -> None:
        raise UntrustedError(
            f"an untrusted project takes more than {seconds} seconds of processor time",
            hint="`plan --offline` has no such bound, for a project that you trust",
        )

    signal.signal(signal.SIGXCPU, out_of_time)
    wanted = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_AS: (ADDRESSES, ADDRESSES),
        resource.RLIMIT_DATA: (MEMORY, MEMORY),
        resource.RLIMIT_FSIZE: (max_file_size(writes=writes),) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    for what, (soft, hard) in wanted.items():
        _, highest = resource.getrlimit(what)
        top = hard if highest == resource.RLIM_INFINITY else min(hard, highest)
        resource.setrlimit(what, (min(soft, top), top))


def max_file_size(*, writes: bool) -> int:
    """The largest size of a file: none at all, unless there is one to write."""
    sizes = [info.st_size for info in map(os.fstat, (1, 2)) if stat.S_ISREG(info.st_mode)]
    return max([*sizes, 0]) + MAX_OUTPUT if sizes or writes else 0
