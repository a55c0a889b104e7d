"""Builds the commands that hints tell the user to run: as they can be pasted, with the options of the running command that they need.

One process runs one command line, so what it was given is kept for the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote

from msgspec import Struct

PROGRAM = "notifyctl"

PLAN_FILE = "PLAN"
"""The key of a plan file among the options, which is written without a name."""

INHERITED = {
    "plan": ("--untrusted", "--offline", "--only", "--base", "--as-of"),
    "review": ("--offline", "--only", "--base", "--as-of"),
    "apply": (PLAN_FILE, "--only"),
    "preview": ("--base", "--as-of"),
    "explain": ("--as-of",),
    "lint": ("--as-of",),
}
"""Command → the options that a hint repeats for it if the running command has them: without them it would show or send
something else.
"""

WITHOUT_PROJECT = frozenset({"init", "completion", "schema"})
"""Commands that need neither a project nor an environment."""


class Invocation(Struct, frozen=True):
    """What the running command was given. `options`: option → its values; a flag has none."""

    chdir: str | None = None
    env: str | None = None
    options: Mapping[str, tuple[str, ...]] = {}
    form: str = "text"
    """The form of the document on standard output, as `--format` names it."""


class Running:
    """Holds the invocation of this process."""

    invocation = Invocation()


def remember(
    *,
    chdir: Path | None,
    env: str | None,
    options: Mapping[str, tuple[str, ...]] | None = None,
    form: str = "text",
) -> None:
    """Keeps what the running command was given, for the hints that follow."""
    Running.invocation = Invocation(str(chdir) if chdir is not None else None, env, options or {}, form)


def command_line(name: str, *words: str, env: str | None = None, elsewhere: bool = False) -> str:
    """A command as it can be pasted into a shell. `env`: the environment where the caller knows it; otherwise the one that
    was given, if any. `elsewhere`: it is read on another machine, where an absolute folder of this one is not.
    """
    running, parts = Running.invocation, [PROGRAM]
    if name not in WITHOUT_PROJECT:
        here = running.chdir is not None and not (elsewhere and Path(running.chdir).is_absolute())
        parts += ["-C", str(running.chdir)] if here else []
        chosen = env or running.env
        parts += ["-e", chosen] if chosen else []
    parts.append(name)
    for option in INHERITED.get(name, ()):
        if option in running.options and option not in words:
            parts += spell(option, running.options[option])
    return " ".join(quote(part) for part in (*parts, *words))


def spell(option: str, values: tuple[str, ...]) -> list[str]:
    if option == PLAN_FILE:
        return list(values)
    return [word for value in values for word in (option, value)] if values else [option]
