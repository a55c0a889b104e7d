"""The global options, and output to the terminal. Independent of click."""

from __future__ import annotations

import sys
from pathlib import Path

from notifyctl.app.environ import process_environ


class GlobalOptions:
    """Values of the global options. They are accepted before and after the command; the later one wins."""

    def __init__(self, *, chdir: Path | None = None) -> None:
        self.chdir = chdir
        self.env: str | None = None
        self.color = "auto"
        self.verbose = 0


def use_colour(settings: GlobalOptions, *, stderr: bool = False) -> bool:
    """Whether to colour standard output (or standard error)."""
    setting = settings.color
    if setting != "auto":
        return setting == "always"
    stream = sys.stderr if stderr else sys.stdout
    environ = process_environ()
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def echo(text: str, *, stderr: bool = False) -> None:
    """Prints text and a final newline. Characters that the stream cannot encode are escaped."""
    stream = sys.stderr if stderr else sys.stdout
    safe = text.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8")
    stream.write(safe if safe.endswith("\n") or not safe else safe + "\n")
    stream.flush()
