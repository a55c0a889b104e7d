"""Opens files with people's data for writing: for this user only, also where a file of that name was there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

MODE = 0o600


def open_private(path: Path, mode: str) -> IO[str]:
    """The file as a stream of UTF-8 with its line ends as written; `mode` is "w" or "a".

    Raises OSError, also if others can read the file and that cannot be changed.
    """
    how = os.O_APPEND if mode == "a" else os.O_TRUNC
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how | getattr(os, "O_CLOEXEC", 0), MODE)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077 and hasattr(os, "fchmod"):
            os.fchmod(descriptor, MODE)
        return os.fdopen(descriptor, mode, encoding="utf-8", newline="")
    except BaseException:
        os.close(descriptor)
        raise
