"""What a command line says to all commands, and the terminal they speak to. Knows no click: `quick.py` uses it without."""

from __future__ import annotations

import sys
from pathlib import Path

from notifyctl.app.environ import process_environ


class GlobalOptions:
    """What the global options say. They are accepted before and after the command; the later one wins."""

    def __init__(self, *, chdir: Path | None = None) -> None:
        self.chdir = chdir
        self.env: str | None = None
        self.color = "auto"
        self.verbose = 0


def use_colour(settings: GlobalOptions, *, stderr: bool = False) -> bool:
    """Whether to colour what goes to standard output (or standard error)."""
    wish = settings.color
    if wish != "auto":
        return wish == "always"
    stream = sys.stderr if stderr else sys.stdout
    environ = process_environ()
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def echo(text: str, *, stderr: bool = False) -> None:
    """The one place where text leaves for the terminal; broken surrogates from a file never break the output."""
    stream = sys.stderr if stderr else sys.stdout
    safe = text.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8")
    stream.write(safe if safe.endswith("\n") or not safe else safe + "\n")
    stream.flush()
