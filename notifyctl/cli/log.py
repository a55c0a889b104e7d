"""The log of a command that runs as a service, on standard error: `--log-format text` or `json`, one line each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import click

from notifyctl.cli.options import echo
from notifyctl.errors import NotifyctlError, ProjectError
from notifyctl.exit_codes import ExitCode
from notifyctl.model.log import Level, LogEntry

Command = TypeVar("Command", bound=Callable[..., Any])


def log_format_option(command: Command) -> Command:
    """Adds --log-format, passed as `log_form`."""
    return click.option(
        "--log-format",
        "log_form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        envvar="NOTIFYCTL_LOG_FORMAT",
        help="Form of the log on standard error: text, or one JSON object per line. It contains no addresses and no texts.",
    )(command)


class Log:
    """Writes entries, and other lines as entries. A log that cannot be written any more stops no service."""

    def __init__(self, form: str) -> None:
        from notifyctl.clock import SystemClock

        self.is_json = form == "json"
        self._clock = SystemClock()

    def write(self, entry: LogEntry) -> None:
        from notifyctl.views import log as view

        with suppress(OSError):
            if self.is_json:
                echo(view.as_json(entry), stderr=True, verbatim=True)
            else:
                echo(view.as_text(entry), stderr=True, verbatim=True)

    def say(self, event: str, text: str, *, level: Level = Level.INFO, **fields: object) -> None:
        """An entry of this moment. In text it is the sentence alone, for who looks at a terminal."""
        if self.is_json:
            self.write(LogEntry(self._clock.now(), event, text.rstrip("."), level, fields))
            return
        from notifyctl.views.colours import strip_controls
        from notifyctl.views.log import mask

        with suppress(OSError):
            echo(mask(strip_controls(text)), stderr=True)

    def guard(self, work: Callable[[], int]) -> int:
        """Runs a command. In JSON, the error that ends it is an entry too. Returns the exit code; raises in text as `work` does."""
        if not self.is_json:
            return work()
        try:
            return work()
        except NotifyctlError as error:
            problems = len(error.diagnostics) if isinstance(error, ProjectError) else 0
            fields = {"hint": error.hint, "exit_code": int(error.exit_code), "problems": problems}
            self.say("error", error.message, level=Level.ERROR, **fields)
            return error.exit_code
        except KeyboardInterrupt:
            self.say("interrupted", "interrupted", level=Level.WARNING)
            return ExitCode.INTERRUPTED
        except Exception as error:  # noqa: BLE001 - a bug; its text may quote data
            text = f"notifyctl failed unexpectedly: {type(error).__name__}; this is a bug in notifyctl"
            self.say("error", text, level=Level.ERROR, exit_code=int(ExitCode.DEFECT))
            return ExitCode.DEFECT
