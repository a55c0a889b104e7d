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
from notifyctl.cli.usage_errors import CommandGroup, describe
from notifyctl.exit_codes import ExitCode

COMMANDS = {
    "init": "Create a project that works with lint, plan and apply right away.",
    "lint": "Check project files, offline.",
    "fmt": "Format YAML files; comments and quotes are kept.",
    "explain": "Explain a lint rule, or why a recipient is or is not sent a message.",
    "render": "Show messages as recipients see them.",
    "preview": "Write an HTML page that shows all messages.",
    "plan": "Show who would be sent what, and why. Sends nothing.",
    "calendar": "Show who is sent what on which day, and what is skipped.",
    "show": "Show a saved plan and verify that it was not changed.",
    "review": "Post the plan as a comment on a pull or merge request.",
    "send-test": "Send one message with a recipient's values to your own address.",
    "accept": "Accept a recurring notification: each occurrence is then sent without confirmation.",
    "apply": "Send what the plan shows.",
    "run": "Send what was accepted, each time it is due.",
    "worker": "Send what `apply --workers` hands over, on any machine.",
    "halt": "Stop all workers, and show where each stopped.",
    "resume": "Continue after `halt`.",
    "status": "Show the number of recipients by outcome and receipt.",
    "history": "List past runs and decisions: who, when, from which commit.",
    "resolve": "Record what happened to recipients with an unknown outcome.",
    "withdraw": "Stop sending an edition to recipients not sent it yet.",
    "receipts": "Receive, import and export delivery receipts.",
    "doctor": "Check what an environment needs: configuration, secrets, ledger, clock, network.",
    "ledger": "Create, show, verify, export, adopt, unlock, copy or upgrade a ledger.",
    "sandbox": "Run the API simulator, or read its inbox.",
    "schema": "Print the JSON Schema of the file format.",
    "completion": "Print the shell completion script for bash, zsh or fish.",
}
"""Command → short help, in the order of `--help`. Each command is a module of the same name, with _ for -."""


class LazyGroup(CommandGroup):
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
    """Notification as code: plan, review and send SMS, email and RCS from YAML in git. No recipient is sent a message twice.

    \b
    notifyctl init hello && cd hello   create a project
    notifyctl plan                     show who is sent what
    notifyctl apply                    send it to the sandbox
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
    except click.exceptions.NoArgsIsHelpError as error:
        echo(error.format_message(), verbatim=True)
        return ExitCode.DONE
    except click.UsageError as error:
        usage = f"to see its usage, run: {error.ctx.command_path} --help" if error.ctx is not None else None
        show_error(describe(error), usage)
        return ExitCode.USAGE
    except click.ClickException as error:
        show_error(describe(error), None)
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
