"""A first look at the command line: `--version`, `--help` and plain `lint`, which hooks run all day, answered without click.

Importing click and setting up its parser takes as long as half of a lint. What is not surely plain (an abbreviation, a
mistake, the help of a command, any setting in the environment) is left to click, so that each thing is understood and said in one way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from notifyctl import __version__
from notifyctl.cli.console import Globals, say
from notifyctl.cli.error_handler import guarded
from notifyctl.errors import ExitCode

NO_TERMINAL = 80
FORMS = frozenset({"text", "json", "github", "gitlab", "sarif", "junit"})
TAKES_VALUE = frozenset({"-C", "--chdir", "--format", "--select", "--ignore"})
SETTINGS = ("NOTIFYCTL_", "_NOTIFYCTL_")
"""How the environment variables begin that click reads: options, and the request for completion."""


def answer(arguments: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Run the command line and return its exit code; None where it is click's to understand."""
    if os.name == "nt" or any(name.startswith(SETTINGS) for name in environ):
        return None  # click expands wildcards on Windows
    if list(arguments) == ["--version"]:
        say(f"notifyctl, version {__version__}")
        return ExitCode.DONE
    if list(arguments) in (["--help"], ["-h"]):
        return show_help(environ)
    said = plain(arguments)
    if said is None or said["--format"][-1] not in FORMS:
        return None
    settings = Globals(chdir=Path(said["-C"][-1]) if said["-C"] else None)

    def lint() -> int:
        from notifyctl.cli.linting import run_lint

        return run_lint(
            settings,
            [Path(path) for path in said["lint"][1:]],
            select=said["--select"],
            ignore=said["--ignore"],
            form=said["--format"][-1],
        )

    return guarded(settings, lint)


def show_help(environ: Mapping[str, str]) -> int | None:
    """As it was laid out before; None for a terminal of a width between, for which click lays it out."""
    from notifyctl.cli.overview import HELP

    text = HELP.get(min(columns(environ), max(HELP)))
    if text is None:
        return None
    say(text)
    return ExitCode.DONE


def columns(environ: Mapping[str, str]) -> int:
    """Of the terminal, as `shutil.get_terminal_size` finds them, and click by it."""
    try:
        wanted = int(environ.get("COLUMNS", ""))
    except ValueError:
        wanted = 0
    if wanted > 0:
        return wanted
    try:
        terminal = sys.__stdout__.fileno() if sys.__stdout__ is not None else -1
        return os.get_terminal_size(terminal).columns or NO_TERMINAL
    except (ValueError, OSError):
        return NO_TERMINAL


def plain(arguments: Sequence[str]) -> dict[str, list[str]] | None:
    """The values of each option, and under "lint" the words that belong to none; None unless it is a plain `lint`."""
    said: dict[str, list[str]] = {"lint": [], "-C": [], "--format": ["text"], "--select": [], "--ignore": []}
    words = iter(arguments)
    for word in words:
        if word.startswith("-"):
            value = next(words, "-")
            early = not said["lint"] and word not in {
                "-C",
                "--chdir",
            }  # a global option is all that stands there
            if word not in TAKES_VALUE or value.startswith("-") or early:
                return None
            said["-C" if word == "--chdir" else word].append(value)
        else:
            said["lint"].append(word)
    return said if said["lint"][:1] == ["lint"] else None
