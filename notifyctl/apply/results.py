"""RESULT: records how attempts ended, those of small batches several in one commit. For the thread that may speak to the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from notifyctl.apply.senders import Attempt, left
from notifyctl.apply.together import MOST, TOGETHER
from notifyctl.errors import LedgerError, LedgerLockedError, NotifyctlError
from notifyctl.faults import Point, point
from notifyctl.model.batch import Accepted, AttemptResult, Outcome
from notifyctl.ports import Clock, LedgerWriter

LINGER = 0.4
"""Seconds that an acceptance waits for others to be recorded with."""
SETTLE_PAUSES = (0.1, 0.5, 2.0)
"""Seconds between attempts to record an outcome in a ledger that fails."""
Keep = Callable[[int, int, Outcome, datetime], None]
"""Batch, attempt, outcome and time → kept durably for the next run. Raises OSError."""
Ended = tuple[Attempt, Outcome]


class Results:
    """What was heard and is not in the ledger yet. `error`: what kept a result out of it."""

    def __init__(self, writer: LedgerWriter, clock: Clock, keep: Keep | None) -> None:
        self._writer = writer
        self._clock = clock
        self._keep = keep
        self.heard: list[Ended] = []
        self._people = 0
        self._until = 0.0
        self.lingers = False
        """Whether acceptances wait at all: they do while batches are begun together."""
        self.error: BaseException | None = None

    def __bool__(self) -> bool:
        return bool(self.heard)

    def hear(self, attempt: Attempt, outcome: Outcome) -> None:
        if not self.heard:
            self._people, self._until = 0, self._clock.monotonic() + LINGER
        if not (self.lingers and isinstance(outcome, Accepted)):
            self._until = 0.0
        self._people += attempt.part.size
        self.heard.append((attempt, outcome))

    @property
    def full(self) -> bool:
        """Whether they are as many as are recorded in one commit."""
        return self._people >= TOGETHER or len(self.heard) >= MOST

    @property
    def rest(self) -> float:
        """Seconds until they have waited long enough; none when they have, or are many."""
        return 0.0 if self.full else max(self._until - self._clock.monotonic(), 0.0)

    def record(self) -> Sequence[Ended]:
        """Put all of it into the ledger, and return what is there. What cannot be put there is kept, and is `error`."""
        heard, self.heard = self.heard, []
        if len(heard) > 1 and self._in_one_commit(heard):
            return heard
        return [each for each in heard if self._alone(*each)]

    def _in_one_commit(self, heard: Sequence[Ended]) -> bool:
        endings = [AttemptResult(attempt.number, attempt.attempt, outcome) for attempt, outcome in heard]
        try:
            self._writer.settle_all(endings, at=self._clock.now())
            point(Point.RESULT_COMMITTED)
        except (LedgerError, LedgerLockedError):
            return False  # one of them may be what is wrong
        except Exception as error:  # noqa: BLE001 - raised again when the rest is recorded
            self.error = self.error or error
            return False
        return True

    def _alone(self, attempt: Attempt, outcome: Outcome) -> bool:
        try:
            self._settle(attempt, outcome)
            point(Point.RESULT_COMMITTED)
        except Exception as error:  # noqa: BLE001 - raised again when the rest is recorded
            self.error = self.error or error
            return False
        return True

    def _settle(self, attempt: Attempt, outcome: Outcome) -> None:
        # A ledger that has failed for seconds is not waited for again, result by result.
        for pause in (*(SETTLE_PAUSES if self.error is None else ()), None):
            try:
                self._writer.settle(attempt.number, attempt.attempt, outcome, at=self._clock.now())
            except (LedgerError, LedgerLockedError) as error:
                if pause is None or isinstance(error, LedgerLockedError):
                    raise self._kept(attempt, outcome, error) from error
                self._clock.sleep(pause)
            else:
                return

    def _kept(self, attempt: Attempt, outcome: Outcome, error: NotifyctlError) -> NotifyctlError:
        """Put a result that cannot be committed where the next run finds it, and say so."""
        kind = LedgerLockedError if isinstance(error, LedgerLockedError) else LedgerError
        done = "was sent, and how it ended" if left(outcome) else "was begun and never left, and that"
        said = f"batch {attempt.number} {done} could not be recorded: {error.message}"
        if self._keep is not None:
            try:
                self._keep(attempt.number, attempt.attempt, outcome, self._clock.now())
            except OSError as worse:
                said += f"; nor could it be kept beside the ledger: {worse.strerror}"
            else:
                hint = "it is kept beside the ledger, and the next apply reads it in; mend the ledger's disk first"
                return kind(said, hint=hint)
        return kind(
            f"{said}\n  the answer was: {outcome}",
            hint="its recipients are uncertain and are not sent to again; mend the ledger's disk, then `notifyctl plan`"
            " shows them, and `notifyctl resolve` settles them",
        )
