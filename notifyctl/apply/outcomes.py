"""RESULT: records how each attempt ended, as its outcome arrives. For the thread that uses the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from notifyctl.apply.attempts import Attempt
from notifyctl.command_line import command_line
from notifyctl.errors import LedgerError, LedgerLockedError, NotifyctlError
from notifyctl.fault_injection import Point, point
from notifyctl.model.batch import Outcome
from notifyctl.ports import Clock, LedgerWriter

RETRY_PAUSES = (0.1, 0.5, 2.0)
"""Seconds between attempts to record an outcome in a ledger that fails."""
Keep = Callable[[int, int, Outcome, datetime], None]
"""Keeps (batch, attempt, outcome, time) durably for the next run. Raises OSError."""


class OutcomeRecorder:
    """Records outcomes in the ledger, or in the journal beside it when the ledger fails."""

    def __init__(
        self, writer: LedgerWriter, clock: Clock, keep: Keep | None, *, pauses: Sequence[float] = RETRY_PAUSES
    ) -> None:
        self._writer = writer
        self._pauses = pauses
        self._clock = clock
        self._keep = keep
        self._failed = False
        """Whether an outcome could not be recorded. The next ones are then not retried, one after the other."""

    def record(self, attempt: Attempt, outcome: Outcome) -> None:
        """Commit the outcome. Raises LedgerError or LedgerLockedError, which say where the outcome was kept."""
        try:
            self._settle(attempt, outcome)
            point(Point.RESULT_COMMITTED)
        except BaseException:
            self._failed = True
            raise

    def _settle(self, attempt: Attempt, outcome: Outcome) -> None:
        for pause in (*(() if self._failed else self._pauses), None):
            try:
                self._writer.settle(attempt.number, attempt.attempt, outcome, at=self._clock.now())
            except (LedgerError, LedgerLockedError) as error:
                if pause is None or isinstance(error, LedgerLockedError):
                    raise self._keep_uncommitted(attempt, outcome, error) from error
                self._clock.sleep(pause)
            else:
                return

    def _keep_uncommitted(self, attempt: Attempt, outcome: Outcome, error: NotifyctlError) -> NotifyctlError:
        """Keep an outcome that cannot be committed for the next run. Returns the error that says so."""
        kind = LedgerLockedError if isinstance(error, LedgerLockedError) else LedgerError
        done = "was sent, but its outcome" if outcome.posted else "never left, but that"
        message = f"batch {attempt.number} {done} could not be recorded: {error.message}"
        if self._keep is not None:
            try:
                self._keep(attempt.number, attempt.attempt, outcome, self._clock.now())
            except OSError as failure:
                message += f"; nor could it be kept next to the ledger: {failure.strerror}"
            else:
                hint = "the outcome is kept next to the ledger; fix the disk of the ledger, and the next apply reads it"
                return kind(message, hint=hint)
        return kind(
            f"{message}\n  the response was: {outcome}",
            hint="the outcome for its recipients is unknown and they are not retried. Fix the disk of the ledger, then run:"
            f" {command_line('resolve')}",
        )
