"""The exception tree, with the exit code of each. An exception means "cannot go on"; problems in a user's files are returned instead.

NotifyctlError                  1   expected failure: a message and, where there is one, the way out
├── ProjectError                1   the project cannot be read, or has errors in its files
│   └── AbsentAudienceError     1   the source of an audience is not on this machine
├── SettingsError               1   an environment variable or mounted secret is missing, or an environment is unknown
├── LedgerError                 1   the ledger is missing, unreadable, of a newer version or not ours
│   ├── UnseenLedgerError       1   this machine has never written it, and it has facts
│   └── OverloadedError         1   no more receipts can be stored at present; repeat later
├── ProviderError               1   the provider refuses the run as a whole (401, 403, 410), or cannot be set up
├── UntrustedError              1   a project that is not trusted led to what is not allowed, or to more than is bounded
├── UsageError                 64   the command line is wrong
├── PlanRefusedError            4   plan stale, used, expired, or other than expected
├── LedgerLockedError           5   another apply holds the ledger
├── HaltedError                 8   sending was halted, until `resume`
└── InterruptedRunError       130   a run was interrupted at once; what was sent is recorded
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from notifyctl.exit_codes import ExitCode

if TYPE_CHECKING:
    from notifyctl.diagnostics import Diagnostic


class NotifyctlError(Exception):
    """An expected failure: `message` says what is wrong, `hint` what to do."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ProjectError(NotifyctlError):
    """The project cannot be used. `diagnostics` holds every problem found."""

    def __init__(
        self, message: str, *, hint: str | None = None, diagnostics: Sequence[Diagnostic] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)


class AbsentAudienceError(ProjectError):
    """An audience's source is not on this machine. A source that exists but cannot be read is a plain ProjectError."""


class SettingsError(NotifyctlError):
    """An unknown environment, or a secret that is not where the file says. Never holds a secret's value."""


class LedgerError(NotifyctlError):
    """The ledger is missing, unreadable, of a newer version or not the expected one."""


class UnseenLedgerError(LedgerError):
    """A ledger with facts that this machine has never seen: it may be a copy, or older than another one."""


class OverloadedError(LedgerError):
    """No more receipts can be stored at present. `retry_after`: in how many seconds to try again."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ProviderError(NotifyctlError):
    """The provider refuses the whole run, or cannot be reached at all."""


class UntrustedError(NotifyctlError):
    """An untrusted project tried something that is not allowed, or exceeded a limit. Nothing was done."""


class UsageError(NotifyctlError):
    """The command line names something unknown or combines options that exclude each other."""

    exit_code = ExitCode.USAGE


class PlanRefusedError(NotifyctlError):
    """What would be sent is not what was reviewed."""

    exit_code = ExitCode.PLAN_REFUSED


class AcceptanceRefusedError(NotifyctlError):
    """Who accepts a series must not, or cannot show that they may. Nothing was recorded."""

    exit_code = ExitCode.BLOCKED


class LedgerLockedError(NotifyctlError):
    """Another apply holds the ledger's lock."""

    exit_code = ExitCode.LEDGER_LOCKED


class HaltedError(NotifyctlError):
    """Sending was halted for all workers. Nothing was armed since then."""

    exit_code = ExitCode.HALTED


class InterruptedRunError(NotifyctlError):
    """A second Ctrl-C or SIGTERM ended a run at once. Requests in flight are recorded as armed, not how they ended."""

    exit_code = ExitCode.INTERRUPTED
