"""How many small batches are begun in one commit, and how long results wait for others. Decides and never waits.

A durable commit costs the same for one person and for a thousand. What is recorded as begun and has not left when this process
dies is uncertain, and so is what was answered and is not recorded; so both are bounded, by people and by time. A batch of
more than half of TOGETHER is always alone.
"""

from __future__ import annotations

from datetime import timedelta

from notifyctl.apply.batches import Slice
from notifyctl.apply.pacing import Pacer
from notifyctl.model.batch import Accepted, Outcome
from notifyctl.ports import Clock

TOGETHER = 400
"""People in batches that are begun in one commit, or whose results are recorded in one."""
MOST = 40
"""Such batches."""
HORIZON = 0.4
"""Seconds within which all of them have their turn, by the account's rate."""
SLOW = 1.0
"""Seconds that they may really take; after that, fewer are begun at once."""


class Together:
    """Begins with one, so that a refusal or a wrong setting meets one; twice as many each time while all is accepted and
    goes fast; one again after any other answer.
    """

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self._pacer = pacer
        self._clock = clock
        self._most = 1
        self._accepted = False

    def room(self, chosen: int, people: int, part: Slice) -> bool:
        """Whether another one may be begun with `chosen` batches of so many `people`, and its turn comes in time."""
        if chosen >= self._most or people + part.size > TOGETHER:
            return False
        turn, ends = self._pacer.takes(people, chosen), part.consignment.not_after
        return turn < HORIZON and (ends is None or self._clock.now() + timedelta(seconds=turn) < ends)

    def heard(self, outcome: Outcome) -> None:
        self._accepted = isinstance(outcome, Accepted)
        if not self._accepted:
            self._most = 1

    def gone(self, seconds: float) -> None:
        """The last of those that were begun together has left; it took so long."""
        if seconds > SLOW:
            self._most = max(self._most // 2, 1)
        elif self._accepted:
            self._most = min(self._most * 2, MOST)
        self._accepted = False
