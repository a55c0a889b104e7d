"""Options and parameter types that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from notifyctl.cli.console import GlobalOptions, echo, use_colour

__all__ = [
    "GlobalOptions",
    "TimeParam",
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


def get_globals(context: click.Context) -> GlobalOptions:
    return context.find_root().ensure_object(GlobalOptions)


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
            help="Say more; show tracebacks.",
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
            help="The environment; without it the project's defaultEnvironment.",
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
            help="The project's folder; without it the nearest notifyctl.yaml upwards, else ./notifications.",
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
        help="The form of the document on standard output.",
    )


only_option = click.option(
    "--only",
    "only",
    metavar="NAME",
    multiple=True,
    help="Only this notification; may be given several times.",
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Overwrite a file that notifyctl did not write. Files of the project and those that git tracks are never overwritten.",
)
reveal_option = click.option("--reveal", is_flag=True, help="Show addresses in full instead of masked.")


class TimeParam(click.ParamType[datetime]):
    """An ISO 8601 time with an offset, for example 2026-12-01T09:00:00Z."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 time, such as 2026-12-01T09:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no zone: write it with Z or an offset, such as {value}Z", param, ctx)
        if moment.year not in YEARS:
            self.fail(f"{value!r} is not between the years {YEARS.start} and {YEARS.stop - 1}", param, ctx)
        return moment


YEARS = range(1970, 9000)
"""Of times on the command line: what follows from them is in the calendar too."""


def wants_colour(context: click.Context, *, stderr: bool = False) -> bool:
    """Whether to colour standard output (or standard error)."""
    return use_colour(get_globals(context), stderr=stderr)
