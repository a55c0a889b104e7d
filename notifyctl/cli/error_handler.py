"""Handles every exception of a command: prints a message and returns an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from notifyctl import __version__
from notifyctl.cli.console import GlobalOptions, echo, use_colour
from notifyctl.errors import NotifyctlError, ProjectError
from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.diagnostics import Diagnostic

REPORT = "https://github.com/notifyctl/notifyctl/issues"


def run_guarded(settings: GlobalOptions, work: Callable[[], int]) -> int:
    """Runs `work` and returns its exit code, or that of the exception it raised. Never raises.

    Shows a traceback only for defects of notifyctl, and only with -v.
    """
    try:
        return work()
    except ProjectError as error:
        show_diagnostics(error.diagnostics, settings)
        show_error(error.message, error.hint)
        return error.exit_code
    except NotifyctlError as error:
        show_error(error.message, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        show_error("interrupted", None)
        return ExitCode.INTERRUPTED
    except MemoryError:
        show_error(
            "not enough memory",
            "check whether a file of the project is far larger than expected",
        )
        return ExitCode.ERROR
    except BrokenPipeError:
        # The reader closed the pipe, for example `notifyctl plan | head`.
        sys.stdout = None
        return ExitCode.DONE
    except Exception as error:  # noqa: BLE001 - any other exception is a defect of notifyctl
        show_defect(error, verbose=settings.verbose)
        return ExitCode.DEFECT


def show_error(message: str, hint: str | None) -> None:
    echo(f"Error: {message}", stderr=True)
    for line in hint.splitlines() if hint else ():
        echo(f"Hint: {line}", stderr=True)


def show_diagnostics(diagnostics: Sequence[Diagnostic], settings: GlobalOptions) -> None:
    if diagnostics:
        from notifyctl.views.diagnostics import as_text

        echo(as_text(diagnostics, colour=use_colour(settings, stderr=True)), stderr=True)


def show_defect(error: Exception, *, verbose: int) -> None:
    if verbose:
        import traceback

        echo("".join(traceback.format_exception(error)), stderr=True)
    echo(f"Error: notifyctl {__version__} failed unexpectedly: {type(error).__name__}: {error}", stderr=True)
    again = "" if verbose else " run the command again with -v,"
    echo(f"Hint: this is a bug in notifyctl;{again} and report it at {REPORT}", stderr=True)
