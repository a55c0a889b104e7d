"""Options and parameter types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from notifyctl.cli.console import GlobalOptions, ask, echo, use_colour
from notifyctl.command_line import PLAN_FILE, remember

__all__ = [
    "GlobalOptions",
    "TimeParam",
    "as_of_option",
    "ask",
    "echo",
    "force_option",
    "format_option",
    "get_globals",
    "global_options",
    "only_option",
    "reveal_option",
    "wants_colour",
]

Command = TypeVar("Command", bound=Callable[..., Any])


REPEATED = {
    "plan_file": PLAN_FILE,
    "only": "--only",
    "base": "--base",
    "offline": "--offline",
    "untrusted": "--untrusted",
    "as_of_time": "--as-of",
}
"""Parameters of commands that a hint may repeat, and how they are written."""


def get_globals(context: click.Context) -> GlobalOptions:
    """The global options. What the command was given is kept for its hints."""
    settings = context.find_root().ensure_object(GlobalOptions)
    given = {option: context.params.get(name) for name, option in REPEATED.items()}
    remember(
        chdir=settings.chdir,
        env=settings.env,
        options={option: as_words(value) for option, value in given.items() if value},
        form=str(context.params.get("form") or "text"),
    )
    return settings


def as_words(value: object) -> tuple[str, ...]:
    """The values of an option as words; none for a flag."""
    if value is True:
        return ()
    if isinstance(value, datetime):
        return (value.isoformat(timespec="minutes" if not value.second else "auto"),)
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)


def _store(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value != 0:
        setattr(get_globals(context), str(parameter.name), value)


def global_options(command: Command) -> Command:
    """Adds -C, -e, --color and -v to the group or a command."""
    for decorate in (
        click.option(
            "-v",
            "--verbose",
            count=True,
            expose_value=False,
            is_eager=True,
            callback=_store,
            help="Show more detail, including tracebacks.",
        ),
        click.option(
            "--color",
            type=click.Choice(["auto", "always", "never"]),
            expose_value=False,
            is_eager=True,
            callback=_store,
            envvar="NOTIFYCTL_COLOR",
            help="Colours: auto (on a terminal, unless NO_COLOR is set), always or never.",
        ),
        click.option(
            "-e",
            "--env",
            metavar="NAME",
            expose_value=False,
            is_eager=True,
            callback=_store,
            envvar="NOTIFYCTL_ENV",
            help="Environment. Default: the project's `defaultEnvironment`.",
        ),
        click.option(
            "-C",
            "--chdir",
            metavar="DIR",
            type=click.Path(path_type=Path),
            expose_value=False,
            is_eager=True,
            callback=_store,
            envvar="NOTIFYCTL_CHDIR",
            help="Project folder. Default: the nearest notifyctl.yaml in this folder or its parents, else ./notifications.",
        ),
    ):
        command = decorate(command)
    return command


def format_option(*formats: str) -> Callable[[Command], Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        envvar="NOTIFYCTL_FORMAT",
        help="Output format.",
    )


only_option = click.option(
    "--only",
    "only",
    metavar="NAME",
    multiple=True,
    help="Limit to this notification, or to those that match a pattern such as 'outage-*'. Repeatable.",
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Overwrite a file that notifyctl did not write. Project files and files tracked by git are never overwritten.",
)
reveal_option = click.option("--reveal", is_flag=True, help="Show addresses in full instead of masked.")


class TimeParam(click.ParamType[datetime]):
    """An ISO 8601 time: with an offset, for example 2026-12-01T09:00:00Z, or with `local` also without one, or a date."""

    name = "time"

    def __init__(self, *, local: bool = False) -> None:
        self.local = local

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            examples = LOCAL_TIMES if self.local else "2026-12-01T09:00:00Z"
            self.fail(f'"{value}" is not a valid time; use for example {examples}', param, ctx)
        if moment.tzinfo is None and not self.local:
            self.fail(f'"{value}" has no time zone; use Z or an offset, for example {value}Z', param, ctx)
        if moment.year not in YEARS:
            self.fail(f'"{value}" is not between the years {YEARS.start} and {YEARS.stop - 1}', param, ctx)
        return moment


LOCAL_TIMES = "2026-12-01, 2026-12-01T09:00 (in the project's time zone) or 2026-12-01T09:00Z"
YEARS = range(1970, 9000)
"""Of times on the command line: what follows from them is in the calendar too."""


as_of_option = click.option(
    "--as-of",
    "as_of_time",
    metavar="TIME",
    type=TimeParam(local=True),
    help="Show what is so at this time instead of now: a date, a local time in the project's time zone, or a time with an offset,"
    " for example 2026-12-01T09:00Z. The files and the ledger's records are those of now.",
)


def wants_colour(context: click.Context, *, stderr: bool = False) -> bool:
    """Whether to colour standard output (or standard error)."""
    return use_colour(get_globals(context), stderr=stderr)
