"""What click says of a wrong command line, in our sentences, and the nearest command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

import click

QUOTED = re.compile(r"'(-{1,2}[A-Za-z][\w-]*|\[?[A-Z][A-Z_|.\[\]]*)'")
"""An option or argument as click quotes it."""


class CommandGroup(click.Group):
    """A group of commands that names the nearest one to an unknown one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise unknown_command(args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)


def unknown_command(name: str, known: Iterable[str], context: click.Context) -> click.UsageError:
    near = get_close_matches(name, known := list(known), n=1)
    rest = f"; did you mean `{near[0]}`?" if near else f"; commands: {', '.join(known)}"
    return click.UsageError(f"unknown command `{name}`{rest}", context)


def describe(error: click.ClickException) -> str:
    """The error as our messages are written: lower-case, with names in backticks, without a full stop."""
    if isinstance(error, click.NoSuchOption):
        near = get_close_matches(error.option_name, error.possibilities or (), n=1)
        rest = f"; did you mean `{near[0]}`?" if near else ""
        return f"unknown option `{error.option_name}`{rest}"
    message = QUOTED.sub(r"`\1`", error.format_message()).rstrip()
    message = message.removesuffix(".") if "\n" not in message else message
    return message[:1].lower() + message[1:]
