"""The global options, and what is written to and asked at a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from notifyctl.app.environ import process_environ
from notifyctl.cli.wrap import wrap_text
from notifyctl.command_line import Running


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


def echo(text: str, *, stderr: bool = False, verbatim: bool = False) -> None:
    """Prints text and a final newline. Characters that the stream cannot encode are escaped.

    Lines are wrapped at the width of the terminal, or at COLUMNS; what goes to a file or a pipe without COLUMNS is not.
    Documents in another form than text are never wrapped, nor is what is `verbatim`.
    """
    stream = sys.stderr if stderr else sys.stdout
    width = None if verbatim or (not stderr and Running.invocation.form != "text") else find_width(stream)
    if width is not None:
        text = wrap_text(text, width)
    safe = text.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8")
    stream.write(safe if safe.endswith("\n") or not safe else safe + "\n")
    stream.flush()


def find_width(stream: TextIO) -> int | None:
    """The columns to wrap at: COLUMNS if it is set, else those of the terminal; None where there is neither."""
    columns = process_environ().get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or None if stream.isatty() else None
    except (OSError, ValueError):  # not a real stream
        return None


def ask(question: str) -> str:
    """Asks on standard error and returns the line that was typed."""
    import click

    width = find_width(sys.stderr)
    shown = wrap_text(question, width - len(": ")) if width is not None else question
    return str(click.prompt(shown, err=True, default="", show_default=False)).strip()
