"""The click group, and `run`, which executes one command line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence

import click

from notifyctl import __version__
from notifyctl.app.environ import process_environ
from notifyctl.cli.console import GlobalOptions, echo
from notifyctl.cli.error_handler import run_guarded, show_error
from notifyctl.cli.options import global_options
from notifyctl.exit_codes import ExitCode

COMMANDS = {
    "init": "Start a project that lints, plans and applies at once.",
    "lint": "Check a project's files, offline.",
    "fmt": "Bring the files into one form, comments and quotes kept.",
    "explain": "Say what a rule means, or why a person will or won't get a notification.",
    "render": "Show what people would read.",
    "preview": "Show messages as their readers meet them, on one page.",
    "plan": "Show who would get what, and what would change.",
    "show": "Show a saved plan.",
    "review": "Put the plan on a pull request as a comment.",
    "send-test": "Send one message with a recipient's values to your own address.",
    "apply": "Send what the plan says, each message once.",
    "status": "Count what was sent, by outcome and receipt.",
    "history": "List what was done, by whom and from which commit.",
    "resolve": "Settle people whose outcome is uncertain.",
    "withdraw": "Stop what has not been sent of an edition.",
    "receipts": "Take receipts in, by HTTP or from a file.",
    "ledger": "Make a ledger, show, verify, export or adopt it.",
    "sandbox": "Run the embedded API, or read its inbox.",
    "schema": "Print the JSON Schema of the files.",
    "completion": "Print shell completion for bash, zsh or fish.",
}
"""Command → short help, in the order of `--help`. Each command is a module of the same name, with _ for -."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"notifyctl.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches

            matches = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {matches[0]!r}?" if matches else ""))
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={
        "auto_envvar_prefix": "NOTIFYCTL",  # NOTIFYCTL_PLAN_FORMAT=json stands for `plan --format json`
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
    },
)
@click.version_option(__version__, prog_name="notifyctl")
@global_options
def cli() -> None:
    """Notification-as-code: plan, review and send SMS, e-mail and RCS from YAML in git, never twice to anybody.

    \b
    notifyctl init hello && cd hello     start a project
    notifyctl plan                       who would get what
    notifyctl apply                      send it, here into the embedded sandbox
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line, by default the process's own, and returns its exit code. Never raises."""
    settings = GlobalOptions()
    return run_guarded(settings, lambda: execute(arguments, settings))


def execute(arguments: Sequence[str] | None, settings: GlobalOptions) -> int:
    """Parses and executes a command line. Reports usage errors; raises the command's exceptions."""
    try:
        set_up_faults(process_environ())
        result = cli.main(
            arguments,
            prog_name="notifyctl",
            standalone_mode=False,
            windows_expand_args=False,
            obj=settings,
        )
    except click.UsageError as error:
        show_error(error.format_message(), None)
        if error.ctx is not None:
            echo(f"Try: {error.ctx.command_path} --help", stderr=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        show_error(error.format_message(), None)
        return ExitCode.USAGE
    except click.Abort:
        raise KeyboardInterrupt from None
    return int(result) if isinstance(result, int) else ExitCode.DONE


def set_up_faults(environ: Mapping[str, str]) -> None:
    """Sets up the faults that a test requests by environment variables, or resets those of an earlier run."""
    if (
        any(name.startswith("NOTIFYCTL_FAULT") for name in environ)
        or "notifyctl.fault_injection" in sys.modules
    ):
        from notifyctl.fault_injection import FAULTS

        FAULTS.arrange(environ)
