"""PLAN: records every batch before any is attempted, and finds each one again when its turn comes."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter

from notifyctl.apply.attempts import Attempt
from notifyctl.apply.counters import OPTED_OUT, Counters
from notifyctl.apply.job import Job
from notifyctl.fault_injection import Point, point
from notifyctl.model.recipients import MEMBER_BYTES, Scope
from notifyctl.ports import Clock, LedgerWriter

BATCHES_PER_COMMIT = 64
"""At 1,000 recipients each, less than 2 MB."""


class WriteAhead:
    """The batches of a run as the ledger holds them. Keeps a number and a hash per batch, not its members."""

    def __init__(self, job: Job, writer: LedgerWriter, clock: Clock, counters: Counters) -> None:
        self._job = job
        self._writer = writer
        self._clock = clock
        self._counters = counters
        self._numbers, self._hashes = array("q"), array("q")

    def record(self) -> None:
        """Record every batch of the job as planned."""
        batches = self._job.members()
        while chunk := list(islice(batches, BATCHES_PER_COMMIT)):
            for scope, grouped in groupby(chunk, key=itemgetter(0)):
                self._record(scope, [packed for _, packed in grouped])

    def _record(self, scope: Scope, members: Sequence[bytes]) -> None:
        numbers = self._writer.plan_batches(scope, members, at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._numbers.extend(numbers)
        self._hashes.extend(map(hash, members))
        self._counters.planned(scope, len(members), sum(map(len, members)) // MEMBER_BYTES)

    def attempts(self) -> Iterator[Attempt]:
        """The first attempt of each batch in order, cut again from the job and checked against what was recorded."""
        for number, expected, piece in zip(self._numbers, self._hashes, self._job.slices(), strict=True):
            if hash(piece.members) != expected:
                raise RuntimeError(f"batch {number} does not consist of the recipients recorded in it")
            yield Attempt(number, 1, piece)

    def without_opted_out(self, attempt: Attempt) -> Attempt | None:
        """The attempt itself, or a new batch of those who have not opted out since; None if all have."""
        ask = self._job.opted_out
        gone = ask(attempt.slice.scope, attempt.slice.units.destinations) if ask is not None else ()
        return self._replan_without(attempt, gone) if gone else attempt

    def _replan_without(self, attempt: Attempt, gone: Collection[int]) -> Attempt | None:
        """PLAN the remaining recipients as a batch of their own: a recorded batch never changes."""
        rest = attempt.slice.without(gone)
        if attempt.attempt == 1:
            self._counters.held_back(attempt.slice.size - rest.size, OPTED_OUT)
        if not rest.size:
            return None
        (number,) = self._writer.plan_batches(rest.scope, [rest.members], at=self._clock.now())
        point(Point.PLAN_COMMITTED)
        self._counters.replanned(attempt.number, attempt.slice.size - rest.size)
        return Attempt(number, 1, rest)
